"""What a test needs from the machine: there, visibly skipped, or (with `ATOM_REQUIRE_TOOLS=1`) a failure."""

from __future__ import annotations

import os

import pytest


def require(tool_present: bool, what: str, how: str) -> None:
    """Goes on if the tool is there; else skips with the reason and the command that adds it.

    Args:
        tool_present: whether it was found.
        what: its name and why it is needed, for the skip line.
        how: a command to paste.

    Raises:
        Failed: it is missing and `ATOM_REQUIRE_TOOLS=1` says that nothing may be missing here.
    """
    if tool_present:
        return
    reason = f"{what} is missing; add it with: {how}"
    if os.environ.get("ATOM_REQUIRE_TOOLS") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
