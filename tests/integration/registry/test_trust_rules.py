"""Trust rules and signing keys: who may change them, alone or with somebody, and what that does to packages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from tests.fakes.packages import harmless, new_key, rules_for, signed

from atomctl.access.model import Role
from atomctl.approvals.model import Choice, State
from atomctl.approvals.rows import read_approval
from atomctl.canonical import Digest
from atomctl.registry import codes
from atomctl.registry import service as registry
from atomctl.registry.model import RulesState

RefusalOf = Callable[[Callable[[], object]], str]
REASON = "because the test says so"


def approval_of(shop: Any, rules: Any) -> Any:
    with shop.sessions.tenant(shop.tenant_id) as conn:
        return read_approval(conn, shop.tenant_id, rules.approval_id)


def active(shop: Any) -> Any:
    with shop.sessions.tenant(shop.tenant_id) as conn:
        return registry.active_rules(conn, shop.tenant_id)


def test_the_only_decider_changes_rules_alone_and_it_is_said_so(shop: Any) -> None:
    rules = active(shop)
    assert (rules.version, rules.state, rules.bootstrap, rules.approval_id) == (1, RulesState.ACTIVE, True, None)
    entry = shop.entries("trust_rules.activate")[-1]
    assert entry["detail"]["bootstrap"] is True


def test_with_a_second_decider_a_change_waits_for_that_person(shop: Any) -> None:
    sven = shop.person("sven", Role.SECURITY)
    proposed = shop.set_rules(rules_for(shop.key, names="pay-*"))
    assert (proposed.state, proposed.bootstrap) == (RulesState.PROPOSED, False)
    assert active(shop).version == 1
    shop.vote(sven, approval_of(shop, proposed))
    now = active(shop)
    assert (now.id, now.version, now.bootstrap) == (proposed.id, 2, False)
    assert [entry["action"] for entry in shop.entries("trust_rules.activate")] == ["trust_rules.activate"] * 2


def test_once_there_were_two_nobody_decides_alone_again(shop: Any) -> None:
    shop.person("sven", Role.SECURITY)
    shop.person("sven", Role.VIEWER)
    assert shop.set_rules(rules_for(shop.key, names="pay-*")).state is RulesState.PROPOSED


def test_the_proposer_cannot_approve_their_own_rules(shop: Any, refusal: RefusalOf) -> None:
    shop.person("sven", Role.SECURITY)
    proposed = shop.set_rules(rules_for(shop.key, names="pay-*"))
    assert refusal(lambda: shop.vote(shop.adam, approval_of(shop, proposed))) == "APR502"


def test_rejected_rules_never_take_force(shop: Any) -> None:
    sven = shop.person("sven", Role.SECURITY)
    proposed = shop.set_rules(rules_for(shop.key, names="pay-*"))
    shop.vote(sven, approval_of(shop, proposed), Choice.REJECT)
    with shop.sessions.tenant(shop.tenant_id) as conn:
        assert registry.show_rules(conn, shop.tenant_id, proposed.id).state is RulesState.REJECTED
    assert active(shop).version == 1


def test_a_proposal_that_was_overtaken_is_void(shop: Any, refusal: RefusalOf) -> None:
    sven = shop.person("sven", Role.SECURITY)
    first = shop.set_rules(rules_for(shop.key, names="a-*"))
    second = shop.set_rules(rules_for(shop.key, names="b-*"))
    shop.vote(sven, approval_of(shop, second))
    assert approval_of(shop, first).state is State.VOID
    assert refusal(lambda: shop.vote(sven, approval_of(shop, first))) == "APR505"
    with shop.sessions.tenant(shop.tenant_id) as conn:
        states = [rules.state for rules in registry.list_rules(conn, shop.tenant_id)]
    assert states == [RulesState.ACTIVE, RulesState.REJECTED, RulesState.SUPERSEDED]


def test_what_is_in_force_already_is_no_change(shop: Any) -> None:
    assert shop.set_rules(rules_for(shop.key)).version == 1


def test_rules_that_name_an_unknown_key_or_cannot_be_read_are_refused(shop: Any, refusal: RefusalOf) -> None:
    assert refusal(lambda: shop.set_rules(rules_for(new_key()))) == codes.UNKNOWN_SIGNER.id
    assert refusal(lambda: shop.set_rules({"schema": "atom.trust-rules/v1", "rules": [{}]})) == "TRU111"


def test_only_admin_and_security_propose(shop: Any, refusal: RefusalOf) -> None:
    assert refusal(lambda: shop.set_rules(rules_for(shop.key), by=shop.anna)) == "AUT020"


def sql(shop: Any, statement: str, *values: object) -> None:
    with shop.sessions.tenant(shop.tenant_id) as conn:
        conn.execute(statement.encode(), values)


def test_the_database_itself_refuses_rules_without_a_second_person(shop: Any) -> None:
    shop.person("sven", Role.SECURITY)
    proposed = shop.set_rules(rules_for(shop.key, names="pay-*"))
    for flag in ("true", "false"):
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="second person"):
            sql(shop, f"UPDATE atom.trust_rules SET state = 'active', bootstrap = {flag} WHERE id = %s", proposed.id)


SECOND_ACTIVE = """
INSERT INTO atom.trust_rules (tenant_id, id, version, document, digest, state, reason, proposed_by)
SELECT tenant_id, gen_random_uuid(), 99, document, digest, 'active', reason, proposed_by
FROM atom.trust_rules WHERE state = 'superseded'
"""


def test_the_database_itself_keeps_what_was_decided(shop: Any) -> None:
    sven = shop.person("sven", Role.SECURITY)
    shop.vote(sven, approval_of(shop, shop.set_rules(rules_for(shop.key, names="pay-*"))))
    for statement in (
        "UPDATE atom.tenants SET two_deciders_since = NULL",
        "UPDATE atom.trust_rules SET document = '{}'",
        "UPDATE atom.trust_rules SET state = 'proposed' WHERE state = 'superseded'",
        "UPDATE atom.signing_keys SET spki = 'x'",
        "UPDATE atom.signing_keys SET owner_id = registered_by",
        "UPDATE atom.principals SET subject = 'root' WHERE subject = 'anna'",
        SECOND_ACTIVE,
    ):
        with pytest.raises((psycopg.errors.IntegrityConstraintViolation, psycopg.errors.CheckViolation)):
            sql(shop, statement)


def test_a_retired_key_signs_nothing_new_and_what_was_accepted_holds(shop: Any, refusal: RefusalOf) -> None:
    shop.push(harmless())
    with shop.sessions.tenant(shop.tenant_id) as conn:
        retired = registry.retire_key(conn, shop.adam, shop.key.public_key.key_id, reason=REASON, now=datetime.now(UTC))
    assert retired.record.state == "retired"
    assert shop.verdict("hello", "1.0.0").accepted
    assert refusal(lambda: shop.push(harmless(version="1.1.0"))) == "TRU213"


def test_a_revoked_key_takes_back_what_was_accepted_since(shop: Any) -> None:
    shop.push(harmless())
    earlier = datetime.now(UTC) - timedelta(hours=1)
    with shop.sessions.tenant(shop.tenant_id) as conn:
        key_id = shop.key.public_key.key_id
        registry.revoke_key(conn, shop.adam, key_id, reason=REASON, revoked_from=earlier)
        again = registry.revoke_key(conn, shop.adam, key_id, reason="another reason", revoked_from=None)
    assert (again.record.revoked_from, again.record.reason) == (earlier, REASON)
    assert shop.verdict("hello", "1.0.0").code.id == "TRU214"
    assert len(shop.entries("key.revoke")) == 1


def test_a_key_revoked_from_later_on_leaves_what_was_accepted_before(shop: Any, refusal: RefusalOf) -> None:
    shop.push(harmless())
    with shop.sessions.tenant(shop.tenant_id) as conn:
        registry.revoke_key(conn, shop.adam, shop.key.public_key.key_id, reason=REASON, revoked_from=datetime.now(UTC))
    assert shop.verdict("hello", "1.0.0").accepted
    assert refusal(lambda: shop.push(harmless(version="1.1.0"))) == "TRU214"


def test_a_key_has_one_owner_and_does_not_come_back(shop: Any, refusal: RefusalOf) -> None:
    paul = shop.person("paul", Role.AUTHOR)
    assert shop.register(shop.key, owner=shop.anna).record.state == "active"
    assert refusal(lambda: shop.register(shop.key, owner=paul)) == codes.KEY_EXISTS.id
    key_id = shop.key.public_key.key_id
    with shop.sessions.tenant(shop.tenant_id) as conn:
        registry.revoke_key(conn, shop.adam, key_id, reason=REASON, revoked_from=None)
        assert (
            refusal(lambda: registry.retire_key(conn, shop.adam, key_id, reason=REASON, now=datetime.now(UTC)))
            == codes.KEY_ENDED.id
        )
    assert refusal(lambda: shop.register(shop.key, owner=shop.anna)) == codes.KEY_EXISTS.id


def test_an_unknown_key_cannot_be_ended(shop: Any, refusal: RefusalOf) -> None:
    with shop.sessions.tenant(shop.tenant_id) as conn:
        nobody = Digest("sha256:" + "0" * 64)
        revoked = refusal(lambda: registry.revoke_key(conn, shop.adam, nobody, reason=REASON, revoked_from=None))
        retired = refusal(lambda: registry.retire_key(conn, shop.adam, nobody, reason=REASON, now=datetime.now(UTC)))
    assert revoked == retired == codes.UNKNOWN_KEY.id


def test_two_keys_of_one_person_are_one_person_for_a_threshold(shop: Any, refusal: RefusalOf) -> None:
    second, other = new_key(), new_key()
    shop.register(second, owner=shop.anna)
    shop.register(other, owner=shop.person("paul", Role.AUTHOR))
    shop.set_rules(rules_for(shop.key, second, other, threshold=2))
    packed = harmless()
    mine = [signed(shop.key, packed), signed(second, packed)]
    assert refusal(lambda: shop.push(packed, bundles=mine)).startswith("TRU23")
    assert shop.push(packed, bundles=[mine[0], signed(other, packed)]).created


def test_the_platforms_rules_cannot_be_widened(shop: Any, postgres: Any, refusal: RefusalOf) -> None:
    from psycopg.types.json import Jsonb

    from atomctl.db.connections import connect
    from atomctl.db.roles import DatabaseRole

    other = new_key()
    shop.register(other, owner=shop.anna)
    document = rules_for(other)
    with connect(shop.address.dsn(DatabaseRole.MIGRATOR)) as conn:
        conn.execute(
            "INSERT INTO atom.platform_trust_rules (version, document, digest) VALUES (1, %s, %s)",
            (Jsonb(document), "sha256:" + "0" * 64),
        )
    assert refusal(lambda: shop.push(harmless())).startswith("TRU2")
    packed = harmless()
    assert shop.push(packed, bundles=[signed(shop.key, packed), signed(other, packed)]).created
