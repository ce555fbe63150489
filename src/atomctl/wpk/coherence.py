"""Whether what a manifest says fits together."""

from __future__ import annotations

from atomctl.wpk.model import Manifest
from atomctl.wpk.source_yaml import Node


def check_coherence(manifest: Manifest, node: Node) -> None:
    """Refuses what contradicts itself."""
