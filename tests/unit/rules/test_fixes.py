"""A fix turns one switch back and touches nothing else."""

import pytest

from atomctl.rules.fixes import FIXES, fix_file
from atomctl.rules.model import Confidence, Finding, Severity


def finding(rule: str, line: int, column: int) -> Finding:
    return Finding(rule, Severity.HIGH, Confidence.HIGH, "seen", "wpk.yaml", line, column, "package x", "mend it", True)


@pytest.mark.parametrize(
    ("rule", "line", "column", "before", "after"),
    [
        (
            "privileged-container",
            2,
            5,
            "a:\n    privileged: true  # why\nb: true\n",
            "a:\n    privileged: false  # why\nb: true\n",
        ),
        (
            "dry-run-off",
            1,
            10,
            "safety: {dry_run_required: false, x: false}",
            "safety: {dry_run_required: true, x: false}",
        ),
        ("auto-without-rollback", 1, 1, 'mode: "auto"\n', 'mode: "manual"\n'),
        ("approval-off", 1, 20, "approval_required: false\r\n", "approval_required: true\r\n"),
    ],
)
def test_the_switch_at_the_finding_is_turned_back(rule: str, line: int, column: int, before: str, after: str) -> None:
    mended, fixed = fix_file(before, [finding(rule, line, column)])
    assert mended == after
    assert [f.rule for f in fixed] == [rule]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("privileged-container", "privileged: truest\n"),
        ("privileged-container", "securityContext:\n"),
        ("latest-image", "image: debian:latest\n"),
        ("dry-run-off", ""),
    ],
)
def test_what_is_not_exactly_that_switch_is_left_alone(rule: str, text: str) -> None:
    assert fix_file(text, [finding(rule, 1, 1)]) == (text, ())


def test_every_fix_belongs_to_a_rule() -> None:
    from atomctl.rules import CATALOG

    assert set(FIXES) <= set(CATALOG)
