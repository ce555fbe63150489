"""How an explanation looks as text: short, aligned, a blank line between its parts."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from atomctl.cli.answer_page import ended_by
from atomctl.cli.identifiers import short
from atomctl.cli.printing import colour, table
from atomctl.cli.stats import span

_WIDEST = 110
_DIGEST = 19
"""Characters of a digest that tell it from another: `sha256:` and twelve digits."""

Found = Mapping[str, Any]

_STATES = {"COMPENSATED": "failed, undone since", "COMPENSATION_FAILED": "failed, not undone"}
"""What became of a failed step afterwards, in words."""


def page(found: Found) -> str:
    """The whole explanation."""
    parts = (
        _head(found),
        *(_step(step, found) for step in found["failing"]),
        _at_work(found),
        _since(found),
        _signals(found),
        _similar(found),
        _runbook(found),
    )
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part)))


def next_lines(found: Found) -> str:
    """The commands to type, with what each is for."""
    rows = [(_short_ids(one["command"], found), one["why"]) for one in found["next"]]
    widest = max((len(command) for command, _ in rows), default=0)
    lines = [f"{command:<{widest}}    {why}" for command, why in rows]
    return "\n".join(f"{'Next:' if not number else '':<6}{line}" for number, line in enumerate(lines))


def _head(found: Found) -> Iterator[str]:
    dry = "  (dry run)" if found["dry_run"] else ""
    yield f"run {short(found['run_id'])}  {found['workflow']}@{found['version']}  {found['state']}{dry}"
    yield f"  {found['story']}"
    if found["waits_for"]:
        yield from _labelled("waits for", _wait(found["waits_for"]))
    if found["problem"] and not _is_told_by_a_step(found):
        yield from _problem(found["problem"], found)
    yield from _labelled("requested", found["requested_at"][:19].replace("T", " ") + " UTC")
    if took := _between(found["started_at"], found["ended_at"]):
        yield from _labelled("took", took)
    if found["left_behind"]:
        yield from _labelled("left behind", ", ".join(found["left_behind"]))


def _is_told_by_a_step(found: Found) -> bool:
    """Whether the run's reason is that of a failing step, which is shown below: `step work: exit code 1`."""
    reasons = [step["problem"]["why"] for step in found["failing"] if step["problem"]]
    return any(found["problem"]["why"].endswith(why) for why in reasons)


def _wait(wait: Found) -> str:
    since = f", since {wait['since'][:19].replace('T', ' ')} UTC" if wait["since"] else ""
    until = f", until {wait['until'][:19].replace('T', ' ')} UTC" if wait["until"] else ""
    return f"{wait['text']}{since}{until}"


def _step(step: Found, found: Found) -> Iterator[str]:
    words = [step["type"], _STATES.get(step["state"], step["state"])]
    if step["exit_code"] is not None:
        words.append(f"exit code {step['exit_code']}")
    if step["tries"] > 1:
        words.append(f"{step['tries']} tries")
    if took := _between(step["started_at"], step["ended_at"]):
        words.append(f"took {took}")
    if step["isolation"]:
        words.append(f"isolation {step['isolation']}")
    kind = "step" if step["kind"] == "step" else "rollback step"
    yield f"{colour(kind, bold=True)} {step['name']}  {', '.join(words)}"
    if step["problem"]:
        yield from _problem(step["problem"], found)
    yield from _log(step["log"])


def _problem(problem: Found, found: Found) -> Iterator[str]:
    yield from _labelled("why", problem["why"])
    if problem["code"]:
        title = f": {problem['title']}" if problem["title"] and problem["title"] != problem["why"] else ""
        yield from _labelled("code", problem["code"] + title)
    if problem["meaning"]:
        yield from _labelled("meaning", problem["meaning"])
    if problem["hint"] and problem["hint"].partition("  #")[0].rstrip() not in {
        one["command"] for one in found["next"]
    }:
        yield from _labelled("hint", _short_ids(problem["hint"], found))


def _log(log: Found) -> Iterator[str]:
    if log["unreadable"]:
        yield from _labelled("log", f"cannot be read: {log['unreadable']}")
    elif log["lines"]:
        yield "  the end of its log:" if log["more"] else "  its log:"
        yield from (f"  | {line}".rstrip() for line in log["lines"])


def _at_work(found: Found) -> Iterator[str]:
    return _step(found["at_work"], found) if found["at_work"] else iter(())


def _since(found: Found) -> Iterator[str]:
    since = found["since_success"]
    if since is None:
        if found["failing"]:
            yield f"no success of {found['workflow']} before it to compare with"
        return
    before = _between(since["ended_at"], found["requested_at"])
    ago = f", {before} before it" if before else ""
    comparison = since["comparison"]
    changes = comparison["changes"]
    yield f"{'changed' if changes else 'nothing changed'} since the last success (run {short(since['run_id'])}{ago})"
    if changes:
        rows = [(f"  {_what(one):<12}", _value(one["before"]), "->", _value(one["after"])) for one in changes]
        yield from table(rows, ("", "", "", "")).splitlines()[1:]
    if comparison["more"]:
        yield f"  and {comparison['more']} more"
    yield from _labelled("the same", ", ".join(comparison["same"]))
    if comparison["unrecorded"]:
        yield from _labelled("not recorded", ", ".join(comparison["unrecorded"]))


def _what(change: Found) -> str:
    singular = {"parameters": "parameter", "images": "image"}
    return f"{singular[change['aspect']]} {change['name']}" if change["name"] else change["aspect"]


def _value(value: str | None) -> str:
    """Digests short, as two of them can be told apart; nothing where there is no such thing."""
    if value is None:
        return "(none)"
    return " ".join(word[:_DIGEST] if word.startswith("sha256:") else word for word in value.split(" "))


def _signals(found: Found) -> Iterator[str]:
    if not found["signals"]:
        return
    yield "signals"
    rows = (
        (f"  {short(one['id'])}", one["severity"], one["state"], one["summary"] + _named(one))
        for one in found["signals"]
    )
    yield from table(rows, ("", "", "", "")).splitlines()[1:]


def _named(signal: Found) -> str:
    return "" if signal["names_run"] else "  (about the same time)"


def _similar(found: Found) -> Iterator[str]:
    similar = found["similar"]
    if similar is None:
        return
    if not similar["synced"]:
        yield "similar failures: past runs are not in the index; atomctl knowledge sync --runs"
        return
    yield "similar failures" + ("" if similar["runs"] else ": no past run failed like this one")
    for run in similar["runs"]:
        when = (run["ended_at"] or "")[:16].replace("T", " ")
        alike = f"cosine {run['cosine']:.2f}" if run["cosine"] is not None else f"{run['coverage']:.0%} of the words"
        yield f"  {short(run['run_id'])}  {run['workflow']}@{run['version']}  step {run['step']}  {when}  ({alike})"
        said = f"; somebody said: {run['said']}" if run["said"] else ""
        yield f"            {ended_by(run)}{said}"
        yield from (f"            differs: {each}" for each in run["differences"])
    if similar["words_alone"]:
        yield from _labelled("words alone", similar["words_alone"])


def _runbook(found: Found) -> Iterator[str]:
    passage = found["runbook"]
    if passage:
        yield f"runbook  {passage['source']}, {passage['title']}"
        yield from (f"  {line}".rstrip() for line in passage["text"].splitlines())


def _labelled(label: str, text: str) -> Sequence[str]:
    """`label  text` below the others of its part, wrapped under itself."""
    indent = " " * 16
    return textwrap.wrap(
        text, _WIDEST, initial_indent=f"  {label:<14}", subsequent_indent=indent, break_on_hyphens=False
    )


def _between(start: str | None, end: str | None) -> str | None:
    if not start or not end:
        return None
    seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    return span(seconds) if seconds >= 0 else None


def _short_ids(command: str, found: Found) -> str:
    return command.replace(found["run_id"], short(found["run_id"]))
