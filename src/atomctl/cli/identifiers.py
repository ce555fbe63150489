"""Short ids: the last eight characters of an id, enough to paste and to be found again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from atomctl.cli import codes
from atomctl.client import Client
from atomctl.errors import AtomError

_SHORT = 8
_LOOK_BACK = 1000


def short(identifier: str) -> str:
    """The part of an id that people see; its random end, since ids begin with the time."""
    return identifier[-_SHORT:]


def run_id(client: Client, text: str) -> str:
    """The id of the run that `text` names: a whole id, or the end of one of the newest 1,000.

    Raises:
        AtomError: CLI009 none or several match.
    """
    return _whole(text) or _match("run", text, (run["id"] for run in client.pages("runs", limit=_LOOK_BACK)))


def one_run(text: str, known: Iterable[str]) -> UUID:
    """The run that `text` names: by its whole id, or by the end of one of the known ones.

    Raises:
        AtomError: CLI009 none or several match.
    """
    return UUID(_whole(text) or _match("run", text, known))


def signal_id(client: Client, text: str) -> str:
    """The id of the signal that `text` names: a whole id, or the end of one of the newest 1,000.

    Raises:
        AtomError: CLI009 none or several match.
    """
    found = client.pages("signals", limit=_LOOK_BACK)
    return _whole(text) or _match("signal", text, (signal["id"] for signal in found))


def pending_approval(client: Client, text: str) -> dict[str, Any]:
    """The approval that `text` names: by the end of its own id, or of the run or package it is about.

    Raises:
        AtomError: CLI009 none or several match.
    """
    whole = _whole(text)
    found = {
        approval["id"]: approval
        for approval in client.pages("approvals", state="pending", limit=_LOOK_BACK)
        if any(ref == whole or (not whole and ref.endswith(text)) for ref in (approval["id"], approval["subject_ref"]))
    }
    return found[_match("pending approval", text, found, already=True)]


def _whole(text: str) -> str | None:
    try:
        return str(UUID(text)) if len(text) == 36 else None
    except ValueError:
        return None


def _match(noun: str, text: str, candidates: Iterable[str], *, already: bool = False) -> str:
    found = [candidate for candidate in candidates if already or candidate.endswith(text.lower())]
    if len(found) == 1 and len(text) >= 4:
        return found[0]
    if len(text) < 4:
        raise AtomError(codes.NO_MATCH, f"{text!r} is too short to name a {noun}", hint="give at least 4 characters")
    if found:
        names = ", ".join(short(candidate) for candidate in found[:5])
        raise AtomError(
            codes.NO_MATCH, f"{text!r} names several: {names}", hint="give more of its end, or the whole id"
        )
    raise AtomError(codes.NO_MATCH, f"no {noun} ends with {text!r}")
