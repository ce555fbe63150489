"""The model that the settings name, loaded when it is first needed."""

from __future__ import annotations

from atomctl.knowledge.meaning import Meaning
from atomctl.settings import Settings


def open_meaning(settings: Settings) -> Meaning:
    """What compares texts by meaning in this process. Nothing is loaded yet."""
    from atomctl.embedding.opening import load

    return Meaning(lambda: load(settings))
