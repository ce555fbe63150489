"""What a Job may use: the package's requirements, else the limits every attempt has. Pure."""

from __future__ import annotations

from typing import Final

from atomctl.canonical import Json
from atomctl.runs.steps.model import MEBIBYTE, Limits
from atomctl.wpk.model import Requirements

_CPU: Final = "1"
_CPU_ASKED: Final = "100m"
"""Where the package does not say how much it needs: little is reserved, and one core is the limit."""
_LOG_ROOM: Final = 64 * MEBIBYTE
"""The node counts a container's log, which it rotates at some 50 MiB, as storage of the Pod."""


def resources(needs: Requirements, limits: Limits) -> dict[str, Json]:
    """`resources` of the step's container, whose `limits` are by its requirements already.

    What is declared is asked for and is the limit, so that a node never promises more than it has.
    """
    memory = needs.memory or str(limits.memory_bytes)
    storage = str(limits.scratch_bytes + _LOG_ROOM)
    return {
        "requests": {"cpu": needs.cpu or _CPU_ASKED, "memory": memory, "ephemeral-storage": storage},
        "limits": {"cpu": needs.cpu or _CPU, "memory": memory, "ephemeral-storage": storage},
    }
