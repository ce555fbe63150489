"""The report as plain text: one `file:line:column` per finding, which editors and terminals turn into links."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_SEVERITIES = ("critical", "high", "medium", "low", "info")


def render(document: Mapping[str, Any]) -> str:
    """The report for a person: findings with their fix, what was set aside, the score with its terms, the decision."""
    return "\n".join(_lines(document))


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    for finding in document["findings"]:
        yield from _finding(finding)
    for finding in document["suppressed"]:
        suppression = finding["suppression"]
        yield f"{_place(finding)}: suppressed {finding['rule']}: {_what(finding)}"
        yield f"    reason: {suppression['reason']} (until {suppression['until']})"
    for file in document["not_understood"]:
        yield f"{file}: not understood"
    if document["findings"] or document["suppressed"]:
        yield ""
    yield _package(document)
    yield from _risk(document["risk"])
    yield from _decision(document["decision"])


def _place(finding: Mapping[str, Any]) -> str:
    return f"{finding['file']}:{finding['line']}:{finding['column']}"


def _what(finding: Mapping[str, Any]) -> str:
    return f"{finding['object']} {finding['message']}"


def _finding(finding: Mapping[str, Any]) -> Iterator[str]:
    yield f"{_place(finding)}: {finding['severity']} {finding['rule']}: {_what(finding)}"
    yield f"    fix: {finding['remediation']}"


def _package(document: Mapping[str, Any]) -> str:
    package, summary = document["package"], document["summary"]
    counts = ", ".join(f"{summary[name]} {name}" for name in _SEVERITIES if summary[name])
    return f"{package['name']} {package['version']}: {counts or 'no findings'}"


def _risk(risk: Mapping[str, Any]) -> Iterator[str]:
    yield f"risk: {risk['score']} of 100"
    for term in risk["terms"]:
        points = term["units"] / risk["units_per_point"]
        if points:
            factors = f" ({', '.join(term['factors'])})" if term["factors"] else ""
            yield f"  {points:6.2f}  {term['rule']} on {term['object']}{factors}"


def _decision(decision: Mapping[str, Any]) -> Iterator[str]:
    yield f"decision: {decision['outcome'].replace('_', ' ')}"
    for reason in decision["reasons"]:
        yield f"  {reason['why']}"
