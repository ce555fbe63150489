"""Comments set findings aside only with a rule, a reason and a date that has not come, and never in secret."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest

from atomctl.rules.model import RuleConfig, Validation

if TYPE_CHECKING:
    from tests.unit.rules.conftest import Validate


DAY = RuleConfig(today=datetime.date(2026, 6, 1))
REASON = 'reason="the node is ours alone" until=2026-06-01'


def script(comment: str, line: str = "sudo ls") -> dict[str, str]:
    return {"scripts/a.sh": f"#!/bin/sh\n{comment}\n{line}\n"}


def rules(validation: Validation) -> list[str]:
    return [finding.rule for finding in validation.findings]


def test_a_comment_above_speaks_for_the_next_line(validate: Validate) -> None:
    found = validate(script(f"# atom:ignore sudo {REASON}"), DAY)
    assert rules(found) == []
    (suppressed,) = found.suppressed
    assert (suppressed.finding.rule, suppressed.line, suppressed.finding.line) == ("sudo", 2, 3)
    assert suppressed.reason == "the node is ours alone"
    assert suppressed.to_json()["suppression"]["until"] == "2026-06-01"


def test_a_comment_behind_speaks_for_its_own_line(validate: Validate) -> None:
    found = validate(script("true", f"sudo ls # atom:ignore sudo {REASON}"), DAY)
    assert rules(found) == []
    assert len(found.suppressed) == 1


def test_one_comment_may_name_several_rules(validate: Validate) -> None:
    found = validate(script(f"# atom:ignore sudo,rm-variable {REASON}", 'sudo rm -rf "$X"'), DAY)
    assert [each.finding.rule for each in found.suppressed] == ["sudo", "rm-variable"]


def test_blank_lines_and_comments_lie_between_without_harm(validate: Validate) -> None:
    found = validate(script(f"# atom:ignore sudo {REASON}\n\n# more"), DAY)
    assert rules(found) == []


def test_it_reaches_no_other_line(validate: Validate) -> None:
    found = validate(script(f"# atom:ignore sudo {REASON}", "ls\nsudo ls"), DAY)
    assert rules(found) == ["suppression-void", "sudo"]


def test_it_works_in_yaml(validate: Validate) -> None:
    text = f"kind: Pod\nspec:\n  hostPID: true # atom:ignore host-namespace {REASON}\n  containers: []\n"
    assert "host-namespace" not in rules(validate({"manifests/a.yaml": text}, DAY))


@pytest.mark.parametrize(
    ("comment", "why"),
    [
        ("# atom:ignore sudo", "no reason"),
        ('# atom:ignore sudo reason="short" until=2026-12-31', "no reason of at least"),
        ('# atom:ignore sudo reason="the node is ours alone"', "no until date"),
        ('# atom:ignore sudo reason="the node is ours alone" until=soon', "until is not a date"),
        ('# atom:ignore sudo reason="the node is ours until=2026-12-31', "no closing quote"),
        ('# atom:ignore reason="the node is ours alone" until=2026-12-31', "names no rule"),
        ('# atom:ignore fork-bomb reason="the node is ours alone" until=2026-12-31', "nothing it names is found"),
    ],
)
def test_a_comment_that_is_not_whole_suppresses_nothing_and_is_found(
    validate: Validate, comment: str, why: str
) -> None:
    found = validate(script(comment), DAY)
    assert sorted(rules(found)) == ["sudo", "suppression-void"]
    void = next(finding for finding in found.findings if finding.rule == "suppression-void")
    assert why in void.message
    assert (void.line, void.column) == (2, 1)


def test_an_expired_comment_suppresses_nothing_and_is_found(validate: Validate) -> None:
    found = validate(script('# atom:ignore sudo reason="the node is ours alone" until=2026-05-31'), DAY)
    assert sorted(rules(found)) == ["sudo", "suppression-expired"]
    assert found.suppressed == ()


def test_without_a_day_nothing_is_suppressed(validate: Validate) -> None:
    found = validate(script('# atom:ignore sudo reason="the node is ours alone" until=2999-12-31'))
    assert sorted(rules(found)) == ["sudo", "suppression-void"]


def test_what_cannot_be_suppressed_is_not(validate: Validate) -> None:
    text = f"# atom:ignore download-to-shell,script-reaches-internet {REASON}"
    found = validate(script(text, "curl https://get.example.com | sh"), DAY)
    assert "download-to-shell" in rules(found)
    assert "script-reaches-internet" not in rules(found)


def test_a_suppression_cannot_be_suppressed(validate: Validate) -> None:
    found = validate(script(f"# atom:ignore suppression-void {REASON}", "# atom:ignore sudo\nls"), DAY)
    assert rules(found) == ["suppression-void", "suppression-void"]


def test_a_comment_in_a_string_is_text(validate: Validate) -> None:
    found = validate(script(f"echo 'atom:ignore sudo {REASON}'"), DAY)
    assert rules(found) == ["sudo"]
