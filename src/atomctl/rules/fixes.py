"""Mending findings that have one right answer: a switch that was turned the unsafe way is turned back.

A fix replaces one scalar at the finding's own position and touches no other byte, so comments, order and layout stay.
Whatever needs a choice (which user, which limit, which host) is left to the author.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from atomctl.rules.model import Finding

FIXES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "approval-off": ("false", "true"),
        "auto-without-rollback": ("auto", "manual"),
        "dry-run-off": ("false", "true"),
        "host-namespace": ("true", "false"),
        "privilege-escalation": ("true", "false"),
        "privileged-container": ("true", "false"),
    }
)
"""Rule -> the unsafe word and the safe one."""


def fix_file(text: str, findings: Iterable[Finding]) -> tuple[str, tuple[Finding, ...]]:
    """The text with what can be mended mended, and the findings that were.

    Args:
        text: one file of a package.
        findings: those of that very file and text; of rules without a fix, too.
    """
    lines = text.splitlines(keepends=True)
    mended = []
    for finding in findings:
        if finding.rule not in FIXES or finding.line > len(lines):
            continue
        line = lines[finding.line - 1]
        head, tail = line[: finding.column - 1], line[finding.column - 1 :]
        unsafe, safe = FIXES[finding.rule]
        # The finding stands on the key; a flow mapping may go on behind the value.
        found = re.match(rf"""((?:[\w"']+ *: *)?["']?){unsafe}(?=["'\s,}}]|$)""", tail)
        if found is None:
            continue
        lines[finding.line - 1] = f"{head}{found.group(1)}{safe}{tail[found.end() :]}"
        mended.append(finding)
    return "".join(lines), tuple(mended)
