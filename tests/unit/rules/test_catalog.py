"""Every rule is told apart by its own two examples, and says all there is to say about itself."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest

from atomctl.rules import CATALOG
from atomctl.rules.catalog import rules_digest
from atomctl.rules.model import AnyRule, Example, Rule, RuleConfig

if TYPE_CHECKING:
    from tests.unit.rules.conftest import Validate

EVERY = [pytest.param(rule, id=rule.id) for rule in CATALOG.values()]


def found_in(validate: Validate, rule: AnyRule, example: Example) -> list[str]:
    config = rule.example_config or RuleConfig(today=datetime.date(2026, 1, 1))
    validation = validate({example.file: example.text, **dict(example.beside)}, config)
    return [finding.rule for finding in validation.findings]


@pytest.mark.parametrize("rule", EVERY)
def test_the_bad_example_is_found(rule: AnyRule, validate: Validate) -> None:
    assert rule.id in found_in(validate, rule, rule.bad)


@pytest.mark.parametrize("rule", EVERY)
def test_the_good_example_is_not(rule: AnyRule, validate: Validate) -> None:
    assert rule.id not in found_in(validate, rule, rule.good)


@pytest.mark.parametrize("rule", EVERY)
def test_a_rule_says_what_to_do_and_why(rule: AnyRule) -> None:
    assert rule.id == rule.id.lower().replace("_", "-").replace(" ", "-")
    assert rule.remediation.endswith((".", "..."))
    assert not rule.title.endswith(".")
    assert rule.references
    assert rule.kinds
    assert rule.controls.soc2
    assert rule.controls.iso27001
    assert rule.controls.nist80053
    assert set(rule.yields_to) <= set(CATALOG) - {rule.id}


@pytest.mark.parametrize("missing", ["good", "bad"])
def test_a_rule_without_an_example_does_not_load(missing: str) -> None:
    rule = CATALOG["privileged-container"]
    fields = {name: getattr(rule, name) for name in rule.__dataclass_fields__}
    with pytest.raises(ValueError, match="privileged-container has no good or no bad example"):
        Rule(**{**fields, missing: Example("\n")})


def test_the_digest_of_the_rules_covers_what_they_say_of_themselves() -> None:
    assert rules_digest().startswith("sha256:")
    assert {"severity", "bypassable", "compound"} <= set(CATALOG["sudo"].to_json())
