"""Answers and similar runs as a person reads them. What they quote is marked as quoted on every line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atomctl.cli.identifiers import short

_LINES = 14
_FIXES = {
    "resolved": "a person said what had become of the step",
    "retried": "a later try of the step succeeded",
    "rerun": "fixed by the rerun {run}",
    "later-success": "the workflow next succeeded in {run}",
    "none": "nothing has succeeded since",
}


def answer(found: dict[str, Any]) -> str:
    """The passages with their sources, or that nothing answers."""
    if found["known"]:
        return "\n\n".join(map(_passage, found["passages"]))
    near = [f"  {each['citation']}   {each['heading']}" for each in found["passages"]]
    head = f"I do not know: {found['why']}."
    return "\n".join([head, *(["The nearest passages, which may be about something else:", *near] if near else [])])


def _passage(passage: dict[str, Any]) -> str:
    measured = [f"{passage['coverage']:.0%} of the words"]
    if passage["cosine"] is not None:
        measured.insert(0, f"cosine {passage['cosine']:.2f}")
    head = f"{passage['citation']}   ({', '.join(measured)})\n  {passage['heading']}"
    return f"{head}\n{_quoted(passage['text'])}"


def _quoted(text: str) -> str:
    lines = text.splitlines()
    shown = [*lines[:_LINES], "..."] if len(lines) > _LINES else lines
    return "\n".join(f"  > {line}".rstrip() for line in shown)


def similar(found: dict[str, Any]) -> str:
    """The past runs, each with what went wrong and what ended that."""
    return "\n\n".join(map(_run, found["items"])) or "No past run failed like this one."


def _run(run: dict[str, Any]) -> str:
    alike = f"cosine {run['cosine']:.2f}" if run["cosine"] is not None else f"{run['coverage']:.0%} of the words"
    package = f"{run['workflow']}@{run['version']}"
    lines = [
        f"{short(run['run_id'])}  {package}  {run['state']}  {run['ended_at'] or ''}  ({alike})",
        f"  step {run['step']}",
        _quoted("\n".join(run["text"].splitlines()[-5:])),
        f"  {ended_by(run)}",
    ]
    if run["said"]:
        lines.append(f"  said: {run['said']}")
    return "\n".join([*lines, *(f"  differs: {each}" for each in run["differences"])])


def ended_by(run: Mapping[str, Any]) -> str:
    """What ended the failure of a similar run, in words."""
    return _FIXES[run["fix"]].format(run=short(run["fixed_by"]) if run["fixed_by"] else "")


def lacking(found: dict[str, Any]) -> str:
    """Why only words were searched for; empty if vectors were compared, too."""
    lack = found["words_alone"]
    return f"Only words were searched for: {lack['why']} ({lack['code']})\nhint: {lack['hint']}" if lack else ""


def status(found: dict[str, Any]) -> str:
    """The collections in a table, and the model."""
    from atomctl.cli.printing import table

    rows = [(each["name"], each["documents"], each["chunks"], each["vectors"]) for each in found["collections"]]
    model = f"model  {found['model'] or 'none'}"
    return "\n".join([table(rows, ("COLLECTION", "DOCUMENTS", "PASSAGES", "VECTORS")), model] if rows else [model])


def synced(found: dict[str, Any]) -> str:
    """What a sync came to, in a line, and a line for each page that was not taken."""
    head = (
        f"{found['collection']}: {found['pages']} pages, {found['changed']} changed, {found['removed']} removed, "
        f"{len(found['rejected'])} not taken"
    )
    return "\n".join([head, *(f"  {each['path']}: {each['code']}: {each['why']}" for each in found["rejected"])])
