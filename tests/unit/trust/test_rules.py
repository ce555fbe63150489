from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from tests.fakes.signing import Author, document, rule

from atomctl.canonical import digest
from atomctl.errors import AtomError
from atomctl.trust import codes, rules
from atomctl.trust.rules import TrustRules, narrow
from atomctl.trust.versions import Version

ALICE, BOB = Author("alice"), Author("bob")
KEY = ALICE.key_id


def chosen(trust: TrustRules, name: str, environment: str = "production") -> str | None:
    found = trust.most_specific(name, environment)
    return found.id if found else None


def test_the_most_specific_name_wins_wherever_it_is_written() -> None:
    trust = document(
        rule(ALICE, names=["*"], id="all"),
        rule(ALICE, names=["restart-web"], id="exact"),
        rule(ALICE, names=["restart-*"], id="restarts"),
        rule(ALICE, names=["restart-w*"], id="restarts-w"),
    )
    assert chosen(trust, "restart-web") == "exact"
    assert chosen(trust, "restart-wiki") == "restarts-w"
    assert chosen(trust, "restart-db") == "restarts"
    assert chosen(trust, "backup-db") == "all"


def test_a_rule_for_the_environment_beats_one_for_all_of_the_same_name() -> None:
    trust = document(
        rule(ALICE, names=["restart-*"], id="anywhere"),
        rule(ALICE, names=["restart-*"], id="production", environments=["production"]),
    )
    assert chosen(trust, "restart-web", "production") == "production"
    assert chosen(trust, "restart-web", "staging") == "anywhere"


def test_a_more_specific_name_beats_an_environment() -> None:
    trust = document(
        rule(ALICE, names=["*"], id="production", environments=["production"]),
        rule(ALICE, names=["restart-*"], id="restarts"),
    )
    assert chosen(trust, "restart-web", "production") == "restarts"


def test_of_equals_the_first_written_wins() -> None:
    trust = document(rule(ALICE, names=["a*"], id="first"), rule(ALICE, names=["*b"], id="second"))
    assert chosen(trust, "ab") == "first"


def test_a_rule_of_another_environment_does_not_apply() -> None:
    trust = document(rule(ALICE, environments=["staging"]))
    assert chosen(trust, "restart-web", "production") is None


def test_a_glob_matches_the_whole_name() -> None:
    trust = document(rule(ALICE, names=["web"]))
    assert chosen(trust, "web") is not None
    for name in ("web-2", "my-web", "WEB", "web\n"):
        assert chosen(trust, name) is None


def test_a_silent_side_leaves_the_decision_to_the_other() -> None:
    own = document(rule(ALICE))
    assert [layer.layer for layer in narrow(TrustRules(), own).layers()] == ["tenant"]
    assert [layer.layer for layer in narrow(own, TrustRules()).layers()] == ["platform"]
    assert [layer.layer for layer in narrow(own, own).layers()] == ["platform", "tenant"]
    assert list(narrow(TrustRules(), TrustRules()).layers()) == []


def test_a_document_is_read_back_as_it_was_written() -> None:
    trust = document(
        rule(ALICE, BOB, threshold=2, id="restarts", environments=["staging", "production"], log="forbidden"),
        rule(BOB, names=["a", "b-*"], min_version="1.2.0-rc.1", max_age="90d", timestamp="required"),
    )
    written = rules.to_json(trust)
    assert rules.parse(written) == trust
    assert rules.read(json.dumps(written).encode()) == trust
    assert trust.rules[1].max_age == datetime.timedelta(days=90)
    assert trust.rules[1].min_version == Version(1, 2, 0, ("rc", "1"))


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("5m", 300), ("12h", 43200), ("30d", 2592000)])
def test_ages_have_units(text: str, seconds: int) -> None:
    trust = document(rule(ALICE, max_age=text))
    assert trust.rules[0].max_age == datetime.timedelta(seconds=seconds)


GOOD: dict[str, Any] = {"names": ["*"], "require": {"any_of": [{"signers": [{"key": KEY}]}]}}


def changed(**fields: Any) -> dict[str, Any]:
    return {"schema": rules.SCHEMA, "rules": [{**GOOD, **fields}]}


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"schema": "atom.trust-rules/v2", "rules": []},
        {"schema": rules.SCHEMA, "rules": {}},
        {"schema": rules.SCHEMA, "rules": [], "more": 1},
        {"schema": rules.SCHEMA, "rules": [{**GOOD, "id": "x"}, {**GOOD, "id": "x"}]},
        changed(names=[]),
        changed(names=["Upper"]),
        changed(names=["[a-z]"]),
        changed(names="*"),
        changed(id="no good"),
        changed(environments=["no good"]),
        changed(environment=["production"]),
        changed(require={}),
        changed(require={"any_of": []}),
        changed(require={"any_of": [{"signers": []}]}),
        changed(require={"none_of": [{"signers": [{"key": KEY}]}]}),
        changed(require={"any_of": [{"signers": [{"key": KEY}]}], "all_of": [{"signers": [{"key": KEY}]}]}),
        changed(require={"any_of": [{"threshold": 0, "signers": [{"key": KEY}]}]}),
        changed(require={"any_of": [{"threshold": 2, "signers": [{"key": KEY}]}]}),
        changed(require={"any_of": [{"threshold": 2, "signers": [{"key": KEY}, {"key": KEY}]}]}),
        changed(require={"any_of": [{"threshold": True, "signers": [{"key": KEY}]}]}),
        changed(require={"any_of": [{"signers": [{"key": "sha256:abc"}]}]}),
        changed(require={"any_of": [{"signers": [{"issuer": "https://issuer", "san": "a@b"}]}]}),
        changed(log="maybe"),
        changed(timestamp=True),
        changed(min_version="1.2"),
        changed(min_version=1),
        changed(max_age="soon"),
        changed(max_age="0d"),
        changed(max_ages="90d"),
    ],
)
def test_a_document_that_is_not_exactly_understood_is_refused(value: Any) -> None:
    with pytest.raises(AtomError) as caught:
        rules.parse(value)
    assert caught.value.code is codes.RULES_MALFORMED


def test_rules_with_duplicate_keys_or_beyond_the_limits_are_refused() -> None:
    text = json.dumps(changed())
    doubled = text.replace('"names"', '"names": ["restart-*"], "names"')
    many = json.dumps({"schema": rules.SCHEMA, "rules": [GOOD] * 501})
    for data in (doubled.encode(), many.encode(), b" " * 300_000, b"\xef\xbb\xbf" + text.encode()):
        with pytest.raises(AtomError) as caught:
            rules.read(data)
        assert caught.value.code is codes.RULES_MALFORMED


def test_two_documents_that_mean_the_same_are_written_the_same() -> None:
    one, two = (
        rules.parse(changed(require={"any_of": [{"signers": [{"key": key} for key in keys]}]}))
        for keys in ([KEY, BOB.key_id], [BOB.key_id, KEY])
    )
    assert rules.to_json(one) == rules.to_json(two)
    assert digest(json.dumps(rules.to_json(one)).encode()) == digest(json.dumps(rules.to_json(two)).encode())
