"""Writes the reference page of the rules from the rules themselves: one section per family, one entry per rule."""

from __future__ import annotations

from collections.abc import Iterator

from atomctl.rules.catalog import CATALOG
from atomctl.rules.model import AnyRule, Example, Family

_INTRO = """\
# Rules

What `atomctl validate` looks for. `atomctl explain RULE` prints one entry. Each rule's two examples are run as tests:
the bad one is found, the good one is not.

A finding names file, line and column, a severity and what to do. Severities weigh 25 (critical), 15 (high),
10 (medium), 5 (low) and 0 (info) in the risk score.

To set a finding aside, write a comment on its line, or on the line above it:

```yaml
# atom:ignore no-cpu-limit reason="batch node, nothing else runs there" until=2026-12-31
```

Reason and date are required; an expired comment is itself a finding. Rules marked *cannot be suppressed* ignore
comments. What is set aside is still listed, and the risk score does not change.

The control ids say for which controls a rule's result is evidence; they claim no compliance.
"""
_FENCES = {".yaml": "yaml", ".sh": "sh", ".py": "python"}


def render() -> str:
    """The page as Markdown."""
    return "\n".join([_INTRO, *_index(), *(line for family in Family for line in _section(family))])


def _in_family(family: Family) -> list[AnyRule]:
    return [rule for rule in CATALOG.values() if rule.family is family]


def _index() -> Iterator[str]:
    yield "| rule | severity | what it finds |"
    yield "|---|---|---|"
    for rule in CATALOG.values():
        yield f"| [{rule.id}](#{rule.id}) | {rule.severity.value} | {rule.title} |"
    yield ""


def _section(family: Family) -> Iterator[str]:
    yield f"## {family.value}\n"
    for rule in _in_family(family):
        yield from _entry(rule)


def _entry(rule: AnyRule) -> Iterator[str]:
    yield f"### {rule.id}\n"
    yield f"**{rule.title}.**\n"
    yield f"{_facts(rule)}\n"
    yield f"What to do: {rule.remediation}\n"
    yield from _example("Bad", rule.bad)
    yield from _example("Good", rule.good)
    yield f"References: {', '.join(_reference(rule))}.\n"


def _facts(rule: AnyRule) -> str:
    words = [f"Severity {rule.severity.value}, confidence {rule.confidence.value}; looks at {', '.join(rule.kinds)}."]
    if not rule.bypassable:
        words.append("It *cannot be suppressed*.")
    if rule.compound:
        words.append(f"Part of the compound threat {', '.join(sorted(rule.compound))}.")
    return " ".join(words)


def _example(title: str, example: Example) -> Iterator[str]:
    fence = next((name for end, name in _FENCES.items() if example.file.endswith(end)), "")
    for name, text in ((example.file, example.text), *example.beside):
        yield f"{title}, `{name}`:\n"
        yield f"```{fence if name == example.file else 'sh'}\n{text.rstrip()}\n```\n"


def _reference(rule: AnyRule) -> Iterator[str]:
    for link in rule.references:
        yield f"<{link}>" if link.startswith("https://") else f"[{link}]({link.rpartition('/')[2]})"
    yield from (f"CWE-{number}" for number in rule.cwe)
    if rule.controls.soc2:
        yield f"SOC 2 {' '.join(rule.controls.soc2)}"
    if rule.controls.iso27001:
        yield f"ISO 27001 {' '.join(rule.controls.iso27001)}"
    if rule.controls.nist80053:
        yield f"NIST 800-53 {' '.join(rule.controls.nist80053)}"
