"""How a run and its steps look as text."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from atomctl.cli.identifiers import short
from atomctl.cli.printing import colour, table

ENDED = frozenset(
    {
        "SUCCEEDED",
        "FAILED",
        "TIMED_OUT",
        "CANCELLED",
        "ROLLED_BACK",
        "ROLLBACK_INCOMPLETE",
        "REJECTED",
        "EXPIRED",
        "BLOCKED",
    }
)
WAITS_FOR_A_PERSON = frozenset({"AWAITING_APPROVAL", "NEEDS_DECISION"})
RAISES_QUESTIONS = frozenset({"FAILED", "TIMED_OUT", "ROLLED_BACK", "ROLLBACK_INCOMPLETE", "NEEDS_DECISION"})
"""Where somebody will ask what happened."""

_SIGNS = {
    "SUCCEEDED": ("ok", "green"),
    "COMPENSATED": ("ok", "green"),
    "FAILED": ("!!", "red"),
    "TIMED_OUT": ("!!", "red"),
    "COMPENSATION_FAILED": ("!!", "red"),
    "UNKNOWN": ("??", "yellow"),
    "SKIPPED": ("--", "bright_black"),
    "CANCELLED": ("--", "yellow"),
    "RUNNING": (">>", "blue"),
    "STARTING": (">>", "blue"),
}


_CERTAINTIES = {
    "changes": "changes",
    "nothing": "changes nothing",
    "decided_later": "is decided later",
    "problem": "would be refused",
}


def line(run: dict[str, Any]) -> str:
    """One run on one line, for lists."""
    return f"{short(run['id'])}  {run['state']:<19} {run['workflow']}@{run['version']}  {run['requested_at']}"


def page(run: dict[str, Any]) -> str:
    """One run with its steps, what it waits for and what it left behind."""
    out = [
        f"run {short(run['id'])}  {run['workflow']}@{run['version']}  {run['state']}",
        f"  package     {run['package_digest']}",
        f"  requested   {run['requested_at']}" + (f"  because: {run['reason']}" if run.get("reason") else ""),
    ]
    if run.get("ended_at"):
        out.append(f"  ended       {run['ended_at']}  after {_took(run.get('started_at'), run['ended_at'])}")
    if run.get("error"):
        out.append(f"  error       {run['error']['code']}: {run['error']['why']}")
    if run.get("steps"):
        out += ["", steps(run["steps"])]
    if run.get("left_behind"):
        out += ["", "left behind by the rollback:", *(f"  {name}" for name in run["left_behind"])]
    return "\n".join(out)


def steps(items: list[dict[str, Any]]) -> str:
    """The steps as a table: sign, name, kind, state, attempts, time taken, isolation, error."""
    return table(
        (_step_row(step) for step in items), ("", "step", "kind", "state", "tries", "took", "isolation", "error")
    )


def _step_row(step: dict[str, Any]) -> list[str]:
    sign, tone = _SIGNS.get(step["state"], ("..", "bright_black"))
    last = step["attempts"][-1] if step.get("attempts") else {}
    error = last.get("error")
    return [
        colour(sign, fg=tone),
        step["name"],
        step["kind"],
        step["state"],
        str(len(step.get("attempts", ()))),
        _took(last.get("started_at"), last.get("ended_at")),
        last.get("isolation") or "-",
        (error if isinstance(error, str) else f"{error['code']}: {error['why']}") if error else "",
    ]


def _took(start: str | None, end: str | None) -> str:
    """The time between two RFC 3339 times, for people."""
    if not start or not end:
        return "-"
    seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def plan(document: dict[str, Any]) -> str:
    """What would happen: the steps in order, the decision and the votes it demands."""
    steps_ = document["plan"]["steps"]
    decision = document["decision"]
    rows = [
        (index, step["name"], step["type"], ", ".join(step.get("needs", ())) or "-", step.get("when") or "-")
        for index, step in enumerate(steps_, 1)
    ]
    votes = ", ".join(f"{v['count']} x {v.get('role') or 'approver'}" for v in document["approvals_needed"]) or "none"
    return "\n".join(
        [
            table(rows, ("", "step", "type", "after", "when")),
            "",
            f"decision    {decision['outcome']}",
            f"votes       {votes}",
            f"plan        {document['digest']}",
            *([f"preview     {document['preview_digest']}"] if document.get("preview_digest") else []),
            *preview(document.get("preview")),
            *_missing(document["plan"]),
        ]
    )


def preview(document: dict[str, Any] | None) -> list[str]:
    """What the cluster's dry run says would change, object by object; nothing where no step changes an object."""
    if document is None:
        return []
    out = ["", "in the cluster:"]
    for entry in document["steps"]:
        why = f": {entry['why']}" if entry["why"] else ""
        out.append(f"  {entry['step']} ({entry['action']})  {_CERTAINTIES[entry['certainty']]}{why}")
        for item in entry["objects"] or ():
            out.append(f"    {item['object']}")
            out += [_difference(each) for each in item["differences"]]
    return out


def _difference(each: dict[str, str]) -> str:
    where = f"{each['path']}: " if each["path"] else ""
    return f"      {where}{each['before']} -> {each['after']}" if each["before"] else f"      {where}{each['after']}"


def _missing(plan_: dict[str, Any]) -> list[str]:
    """What keeps the plan from being run here, each reason once; nothing where it can be run."""
    reasons = {what: None for step in (*plan_["steps"], *plan_["rollback"]) for what in step["missing"]}
    return ["", "cannot be run here:", *(f"  {reason}" for reason in reasons)] if reasons else []
