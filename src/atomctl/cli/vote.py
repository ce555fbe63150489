"""What `approve` and `reject` share: find what waits, vote, say what follows."""

from __future__ import annotations

from typing import Any

from atomctl.cli import run_page
from atomctl.cli.connection import open_client
from atomctl.cli.identifiers import pending_approval, short
from atomctl.cli.invocation import Format
from atomctl.cli.printing import emit, say
from atomctl.client import Client


def vote(text: str, choice: str, comment: str, dry_run: bool, output: Format) -> None:
    """Votes on the pending approval that `text` names, and prints how it stands afterwards."""
    with open_client() as client:
        approval = pending_approval(client, text)
        if dry_run:
            page = _page(approval) + _plan(client, approval)
            emit("approval", {"name": approval["id"], **approval}, output, text=lambda _: page)
            say("Nothing was changed." + ("" if approval["may_vote"] else " You may not vote on it."))
            return
        after = client.post(f"approvals/{approval['id']}/votes", {"choice": choice, "comment": comment})
    emit("approval", {"name": after["id"], **after}, output, text=line)
    say(_next(after))


def _plan(client: Client, approval: dict[str, Any]) -> str:
    """What the run would do, for whoever is about to vote on it; nothing where it is no run."""
    if approval["kind"] != "run":
        return ""
    return "\n\n" + run_page.plan(client.get(f"runs/{approval['subject_ref']}/plan"))


def _page(approval: dict[str, Any]) -> str:
    """What a vote would be about: the reason, and the digests it is bound to."""
    bound = (f"  {name:<12}{digest}" for name, digest in sorted(approval["bound"].items()))
    return "\n".join([line(approval), f"  because     {approval['reason']}", *bound])


def line(approval: dict[str, Any]) -> str:
    """One approval on one line."""
    missing = ", ".join(f"{need['count']} x {need['role'] or 'any approver'}" for need in approval["missing"])
    waits = f"  still needs {missing}" if approval["state"] == "pending" and missing else ""
    return (
        f"{short(approval['id'])}  {approval['state']:<9} {approval['kind']} {short(approval['subject_ref'])}"
        f"  {len(approval['votes'])} vote(s){waits}"
    )


def _next(approval: dict[str, Any]) -> str:
    reference = short(approval["subject_ref"])
    match approval["state"], approval["kind"]:
        case "approved", "run":
            return f"Approved; the run goes on.\nNext: atomctl status {reference} --wait"
        case "approved", _:
            return "Approved and in force."
        case "rejected", _:
            return "Rejected; nothing is run."
        case _:
            return "The vote is recorded; others are still needed."
