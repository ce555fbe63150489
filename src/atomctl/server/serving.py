"""The API server that ends politely: whoever waits for a change is answered before connections are given up."""

from __future__ import annotations

from types import FrameType

import uvicorn

from atomctl.server.waiting import end_waiting


class ApiServer(uvicorn.Server):
    """uvicorn's server; a signal to end also ends the long polls, which its grace would break off with a 500."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """As uvicorn's; afterwards nobody waits."""
        end_waiting()
        super().handle_exit(sig, frame)
