"""What an attempt may use, by what its package says it needs. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from atomctl.rules.model import RuleConfig
from atomctl.rules.quantity import thousandths
from atomctl.runs.steps.model import Limits
from atomctl.wpk.model import Requirements

_MOST: Final = RuleConfig().memory_limit_bytes
"""Of memory, and of one file: who asks for more has a finding that says so, and does not get it."""


def limits_of(needs: Requirements, otherwise: Limits) -> Limits:
    """The limits with what the package declares in place of theirs; who may fill `/tmp` may do it with one file."""
    scratch = _bytes(needs.storage) or otherwise.scratch_bytes
    return replace(
        otherwise,
        memory_bytes=min(_bytes(needs.memory) or otherwise.memory_bytes, _MOST),
        scratch_bytes=scratch,
        file_bytes=min(max(scratch, otherwise.file_bytes), _MOST),
    )


def _bytes(quantity: str | None) -> int:
    """A Kubernetes quantity as bytes, rounded up; 0 for none."""
    return -(-(thousandths(quantity) or 0) // 1000) if quantity is not None else 0
