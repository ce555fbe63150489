"""How a stage says that a run becomes no row."""

from __future__ import annotations

from atomctl.dataset.model import Reason


class RejectedError(Exception):
    """The run is counted under `reason` and left out; the export goes on."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason
