"""The policy matrix: one row for each control, six categories summed up; drawn from a check's document alone."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from atomctl.controls.document import wrong
from atomctl.controls.model import Category, Verdict

COLUMNS = ("number", "policy", "category", "implemented", "enforced", "verdict", "evidence", "notes")
_ENFORCED = {Verdict.PASS: "yes", Verdict.FAIL: "no", Verdict.BLOCKED: "not shown"}
Document = Mapping[str, Any]


def rows(document: Document) -> list[dict[str, str]]:
    """The rows, by control; every value is text."""
    return [_row(control) for control in document["controls"]]


def _row(control: Document) -> dict[str, str]:
    verdict = Verdict(control["verdict"])
    return {
        "number": str(control["number"]),
        "policy": control["title"],
        "category": control["category"],
        "implemented": "yes",
        "enforced": _ENFORCED[verdict],
        "verdict": verdict.value,
        "evidence": area_file(control),
        "notes": "; ".join(notes(control)),
    }


def area_file(control: Document) -> str:
    """The name of the control's own report."""
    return f"audit-{control['name']}.md"


def notes(control: Document) -> Iterator[str]:
    """What has to be said about a verdict: what is missing and how it is added, what was seen instead, what is left."""
    if control["verdict"] == Verdict.FAIL:
        yield from wrong(control["probes"]) or ["not every probe that was declared ran"]
    for missing in control["missing"]:
        yield f"{missing['server']}: {missing['why']}; add it with: {missing['command']}"
    for text in control["left_out"]:
        yield f"left out: {text}"


def categories(document: Document) -> list[dict[str, str]]:
    """The six categories, those that were checked, with the controls that pass of those checked."""
    summed = []
    for category in Category:
        verdicts = [control["verdict"] for control in document["controls"] if control["category"] == category]
        if verdicts:
            worst = next(v for v in (Verdict.FAIL, Verdict.BLOCKED, Verdict.PASS) if v in verdicts)
            passing = f"{verdicts.count(Verdict.PASS)} of {len(verdicts)}"
            summed.append({"category": category.value, "pass": passing, "verdict": worst.value})
    return summed


def as_json(document: Document) -> str:
    """The matrix as JSON, schema `atom.policy-matrix/v1`."""
    matrix = {
        "schema": "atom.policy-matrix/v1",
        "name": document["name"],
        "ended": document["ended"],
        "verdicts": document["verdicts"],
        "rows": rows(document),
        "categories": categories(document),
    }
    return json.dumps(matrix, indent=2, ensure_ascii=False) + "\n"


def as_csv(document: Document) -> str:
    """The rows as CSV (RFC 4180), the header first."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _inert(value) for name, value in row.items()} for row in rows(document))
    return out.getvalue()


def _inert(text: str) -> str:
    """The text, which no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def as_markdown(document: Document) -> str:
    """The matrix as Markdown."""
    parts = [
        f"# Policy matrix\n\nChecked {document['ended']} by atomctl {document['version']}: {tally(document)}.",
        _table(COLUMNS, [[_linked(name, row[name]) for name in COLUMNS] for row in rows(document)]),
        "## By category",
        _table(("category", "pass", "verdict"), [list(row.values()) for row in categories(document)]),
    ]
    return "\n\n".join(parts) + "\n"


def _linked(column: str, text: str) -> str:
    return f"[{text}]({text})" if column == "evidence" else text


def as_text(document: Document) -> str:
    """The matrix for a terminal: verdicts first, then what has to be said about them."""
    controls: Sequence[Document] = document["controls"]
    width = max(len(control["title"]) for control in controls)
    lines = [f"{c['number']:>2}  {c['verdict']:<7}  {c['title']:<{width}}  {_seconds(c)}" for c in controls]
    lines += ["", *(f"    {row['verdict']:<7}  {row['pass']}  {row['category']}" for row in categories(document)), ""]
    for control in controls:
        lines += [f"{control['number']:>2}  {note}" for note in notes(control)]
    return "\n".join([*lines, tally(document)])


def _seconds(control: Document) -> str:
    from datetime import datetime

    taken = datetime.fromisoformat(control["ended"]) - datetime.fromisoformat(control["started"])
    return f"{len(control['probes'])} probes, {taken.total_seconds():.1f} s"


def tally(document: Document) -> str:
    """The verdicts, counted: `9 PASS, 0 FAIL, 3 BLOCKED`."""
    return ", ".join(f"{document['verdicts'][verdict]} {verdict}" for verdict in Verdict)


def area(control: Document) -> str:
    """One control's report as Markdown: its promise, its mapping, every probe with its evidence."""
    head = [
        f"# Control {control['number']}: {control['title']}",
        f"**{control['verdict']}** ({control['started']} to {control['ended']})",
        str(control["promise"]),
        f"Mapped by us: {_mapping(control['mapped_by_us'])}.",
        *(f"- {cell(note)}" for note in notes(control)),
    ]
    return "\n\n".join([*head, *(_probe(probe) for probe in control["probes"])]) + "\n"


def _mapping(mapped: Document) -> str:
    names = {"soc2": "SOC 2", "iso27001": "ISO 27001:2022", "nist80053": "NIST 800-53r5"}
    return "; ".join(f"{name} {', '.join(mapped[key])}" for key, name in names.items())


def _probe(probe: Document) -> str:
    audit = ", ".join(probe["audit"]) or "none"
    lines = [
        f"## {probe['side']}: {probe['name']}",
        f"expected `{cell(probe['expected'])}`, seen `{cell(str(probe['seen']))}`"
        + (f", error: {cell(probe['error'])}" if probe["error"] else ""),
        f"from {probe['started']} to {probe['ended']}; audit entries: {audit}",
        _table(
            ("server", "version", "at", "request", "answer"),
            [[each[name] for name in ("server", "version", "at", "request", "answer")] for each in probe["exchanges"]],
        ),
    ]
    return "\n\n".join(lines)


def _table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    body = [f"| {' | '.join(map(cell, line))} |" for line in lines]
    return "\n".join([f"| {' | '.join(header)} |", f"|{'---|' * len(header)}", *body])


def cell(text: str) -> str:
    """`text` where a line break or a bar would end a cell, and an angle bracket would begin a tag."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("`", "'")
