"""Each guard of verification is removed in turn, and the test that is named after its threat must then fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from tests.fakes.signing import Author, document, rule
from tests.unit.trust import test_threats as threats

from atomctl.trust import admission, candidate, verify
from atomctl.trust.formats import bundle, strict_json
from atomctl.trust.formats.public_key import PublicKey
from atomctl.trust.key_record import KeyRecord
from atomctl.trust.rules import TrustRules, narrow
from atomctl.trust.verdict import Threshold


def nothing(*_: Any, **__: Any) -> None:
    """A guard that looks away."""


def always(*_: Any, **__: Any) -> bool:
    return True


def every_signature_counts(groups: Any, signatures: Any) -> Threshold:
    return Threshold(sum(group.threshold for group in groups), len(signatures))


def people_may_sit_twice(groups: Any, signatures: Any) -> Threshold:
    have = sum(min(g.threshold, len({s.principal for s in signatures if s.key_id in g.keys})) for g in groups)
    return Threshold(sum(group.threshold for group in groups), have)


def own_layer_only(rules: TrustRules) -> Any:
    return iter((rules,))


ALICE, MALLORY = Author("alice"), Author("mallory")
TRUST = document(rule(ALICE))


@dataclass(frozen=True, slots=True)
class Sabotage:
    """A guard, what takes its place, and the threat that then gets through."""

    owner: Any
    guard: str
    instead: Any
    threat: Callable[[], None]


SABOTAGES = [
    Sabotage(
        PublicKey, "_holds", always, lambda: threats.test_a_flipped_byte_anywhere_in_the_payload_is_seen(ALICE, TRUST)
    ),
    Sabotage(
        PublicKey,
        "_holds",
        always,
        lambda: threats.test_a_trusted_hint_does_not_lend_trust_to_another_keys_signature(ALICE, MALLORY, TRUST),
    ),
    Sabotage(
        candidate,
        "_require_coordinates",
        nothing,
        lambda: threats.test_the_version_inside_must_be_the_one_asked_for(ALICE, TRUST),
    ),
    Sabotage(
        candidate,
        "_require_coordinates",
        nothing,
        lambda: threats.test_a_release_for_one_tenant_is_refused_in_another_that_trusts_the_same_key(ALICE, TRUST),
    ),
    Sabotage(
        candidate,
        "_require_log_binding",
        nothing,
        lambda: threats.test_the_log_entry_of_another_artifact_signature_or_key_is_refused(ALICE, MALLORY, TRUST),
    ),
    Sabotage(
        KeyRecord,
        "require_holding",
        nothing,
        lambda: threats.test_a_revoked_key_cannot_backdate_its_signature(ALICE, TRUST),
    ),
    Sabotage(
        admission,
        "_filled",
        every_signature_counts,
        lambda: threats.test_two_bundles_of_one_person_do_not_make_two_people(ALICE),
    ),
    Sabotage(
        admission, "_filled", every_signature_counts, lambda: threats.test_one_person_with_two_keys_counts_once(ALICE)
    ),
    Sabotage(
        admission, "_filled", people_may_sit_twice, lambda: threats.test_one_person_cannot_stand_in_two_groups(ALICE)
    ),
    Sabotage(
        admission,
        "_require_log",
        nothing,
        lambda: threats.test_a_stripped_log_entry_or_timestamp_is_missed_where_the_rule_demands_it(ALICE),
    ),
    Sabotage(
        admission,
        "_require_timestamp",
        nothing,
        lambda: threats.test_a_timestamp_nobody_vouches_for_is_no_evidence(ALICE),
    ),
    Sabotage(
        verify,
        "_require_version",
        nothing,
        lambda: threats.test_an_old_vulnerable_version_cannot_be_replayed(ALICE, TRUST),
    ),
    Sabotage(
        TrustRules,
        "layers",
        own_layer_only,
        lambda: threats.test_a_tenant_cannot_widen_what_the_platform_sets(ALICE, MALLORY),
    ),
    Sabotage(
        strict_json,
        "_unique",
        dict,
        lambda: threats.test_duplicate_keys_in_a_signed_statement_are_refused(ALICE, TRUST),
    ),
    Sabotage(bundle, "MAX_BYTES", 2**30, lambda: threats.test_json_bombs_in_bundles_are_refused_unread(ALICE, TRUST)),
]


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda sabotage: f"{sabotage.guard}-{SABOTAGES.index(sabotage)}")
def test_a_missing_guard_is_noticed(sabotage: Sabotage, monkeypatch: pytest.MonkeyPatch) -> None:
    sabotage.threat()
    monkeypatch.setattr(sabotage.owner, sabotage.guard, sabotage.instead)
    with pytest.raises(AssertionError):
        sabotage.threat()


def test_the_layers_that_are_sabotaged_are_the_ones_in_use() -> None:
    assert [layer.layer for layer in narrow(TRUST, TRUST).layers()] == ["platform", "tenant"]
