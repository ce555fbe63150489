"""Overrides, exceptions and yanks."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from tests.fakes.packages import harmless, privileged

from atomctl.access.model import Role
from atomctl.approvals import service as approvals
from atomctl.approvals.model import Choice, State, SubjectKind
from atomctl.policy.assessment import assess
from atomctl.policy.decision import OVERRIDE_VOTES, Category, Reason
from atomctl.registry import codes
from atomctl.registry import service as registry
from atomctl.registry.lifting import VALIDITY
from atomctl.registry.model import Coordinates, Mark, PackageState
from atomctl.runs import gate

RefusalOf = Callable[[Callable[[], object]], str]
REASON = "needs host access, reviewed by the platform team"
DEBUG, HELLO = Coordinates("debug", "1.0.0"), Coordinates("hello", "1.0.0")


def override(shop: Any, coordinates: Coordinates = DEBUG, *, by: Any = None, reason: str = REASON) -> Any:
    with shop.sessions.tenant(shop.tenant_id) as conn:
        return registry.request_override(conn, by or shop.anna, coordinates, reason)


def show(shop: Any, coordinates: Coordinates) -> Any:
    with shop.sessions.tenant(shop.tenant_id) as conn:
        return registry.show(conn, shop.tenant_id, coordinates)


def standing(shop: Any, record: Any, now: datetime, kind: SubjectKind = SubjectKind.OVERRIDE) -> Any:
    with shop.sessions.tenant(shop.tenant_id) as conn:
        return registry.standing(conn, record, kind, now)


def test_an_override_takes_an_admin_and_a_security_vote_and_lasts_a_day(shop: Any) -> None:
    record = shop.push(privileged()).package
    approval = override(shop)
    assert approval.bound == {"package": record.digest, "decision": record.decision_digest}
    assert shop.vote(shop.adam, approval).state is State.PENDING
    assert standing(shop, record, datetime.now(UTC)) is None
    decided = shop.vote(shop.person("sven", Role.SECURITY), approval)
    assert decided.state is State.APPROVED
    assert standing(shop, record, decided.decided_at).id == approval.id
    assert standing(shop, record, decided.decided_at + VALIDITY - timedelta(seconds=1)) is not None
    assert standing(shop, record, decided.decided_at + VALIDITY) is None
    marked = show(shop, DEBUG)
    assert (marked.marks, marked.state) == ({Mark.OVERRIDDEN}, PackageState.BLOCKED)
    assert shop.entries("package.mark")[-1]["detail"]["mark"] == "overridden"


def test_an_override_does_not_lift_a_block_that_was_decided_for_other_reasons_since(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = shop.push(privileged()).package
    approval = override(shop)
    for voter in (shop.adam, shop.person("sven", Role.SECURITY)):
        shop.vote(voter, approval)

    def demanded() -> gate.Demand:
        with shop.sessions.tenant(shop.tenant_id) as conn:
            return gate.demand_of(conn, *registry.load_package(conn, shop.objects, shop.tenant_id, record.id))

    assert not demanded().blocked
    frozen = Reason("policy", Category.BLOCKED, "nothing changes during the freeze")
    monkeypatch.setattr(gate, "assess", functools.partial(assess, tightenings=[frozen]))
    assert demanded().blocked


def test_an_overridden_version_counts_as_newest_from_then_on(shop: Any) -> None:
    shop.push(privileged())
    approval = override(shop)
    shop.vote(shop.adam, approval)
    shop.vote(shop.person("sven", Role.SECURITY), approval)
    with shop.sessions.tenant(shop.tenant_id) as conn:
        assert registry.newest(conn, shop.tenant_id, "debug").version == "1.0.0"


def test_an_author_of_the_package_cannot_vote_for_its_override(shop: Any, refusal: RefusalOf) -> None:
    anna = shop.person("anna", Role.AUTHOR, Role.SECURITY)
    shop.push(privileged())
    approval = override(shop, by=shop.person("olaf", Role.OPERATOR))
    assert anna.principal_id in approval.excluded
    assert refusal(lambda: shop.vote(anna, approval)) == "APR502"


def test_the_database_itself_keeps_authors_from_voting(shop: Any) -> None:
    anna = shop.person("anna", Role.AUTHOR, Role.SECURITY)
    record = shop.push(privileged()).package
    with shop.sessions.tenant(shop.tenant_id) as conn:
        # Code that forgot to exclude anybody.
        approval = approvals.request(
            conn,
            shop.person("olaf", Role.OPERATOR),
            subject_kind=SubjectKind.OVERRIDE,
            subject_digest=record.digest,
            subject_ref=record.id,
            bound={"package": record.digest},
            requirement=OVERRIDE_VOTES,
            excluded=[],
            reason=REASON,
            lifetime=VALIDITY,
        )
    with (
        shop.sessions.tenant(shop.tenant_id) as conn,
        pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="second person"),
    ):
        approvals.vote(conn, anna, approval.id, Choice.APPROVE)


def test_an_override_needs_a_block_a_reason_and_somebody_who_may_ask(shop: Any, refusal: RefusalOf) -> None:
    shop.push(privileged())
    shop.push(harmless())
    assert refusal(lambda: override(shop, HELLO)) == codes.NOT_BLOCKED.id
    assert refusal(lambda: override(shop, reason="  pls ")) == codes.NO_REASON.id
    assert refusal(lambda: override(shop, by=shop.adam)) == "AUT020"
    assert refusal(lambda: override(shop, Coordinates("debug", "2.0.0"))) == codes.UNKNOWN_PACKAGE.id


def test_a_yank_is_for_ever_and_ends_every_use(shop: Any, refusal: RefusalOf) -> None:
    record = shop.push(harmless()).package
    with shop.sessions.tenant(shop.tenant_id) as conn:
        yanked = registry.yank(conn, shop.adam, HELLO, REASON)
        assert registry.yank(conn, shop.anna, HELLO, "another reason") == yanked
        assert refusal(lambda: registry.newest(conn, shop.tenant_id, "hello")) == codes.UNKNOWN_PACKAGE.id
        assert registry.load_package(conn, shop.objects, shop.tenant_id, record.id)[1].digest == record.digest
    assert (yanked.state, yanked.yank_reason, yanked.yanked_by) == ("yanked", REASON, shop.adam.principal_id)
    assert refusal(lambda: shop.verdict("hello", "1.0.0")) == codes.YANKED.id
    assert len(shop.entries("package.yank")) == 1


def test_the_database_itself_keeps_what_was_published(shop: Any) -> None:
    shop.push(privileged())
    approval = override(shop)
    shop.vote(shop.adam, approval)
    shop.vote(shop.person("sven", Role.SECURITY), approval)
    with shop.sessions.tenant(shop.tenant_id) as conn:
        registry.yank(conn, shop.adam, DEBUG, REASON)
    for change in (
        "yanked_at = NULL, yanked_by = NULL, yank_reason = NULL",
        "yank_reason = 'for fun'",
        "digest = 'sha256:' || repeat('0', 64)",
        "version = '6.6.6'",
        "outcome = 'allow'",
        "marks = '{}'",
    ):
        with shop.sessions.tenant(shop.tenant_id) as conn, pytest.raises(psycopg.errors.IntegrityConstraintViolation):
            conn.execute(f"UPDATE atom.packages SET {change}".encode())


def test_an_older_version_needs_an_exception_to_be_used_again(shop: Any) -> None:
    old = shop.push(harmless(version="1.0.0")).package
    assert shop.verdict("hello", "1.0.0").accepted
    shop.push(harmless(version="1.1.0"))
    assert shop.verdict("hello", "1.0.0").code.id.startswith("TRU23")
    assert shop.verdict("hello", "1.1.0").accepted
    with shop.sessions.tenant(shop.tenant_id) as conn:
        approval = registry.request_exception(conn, shop.anna, HELLO, "1.1.0 breaks the night job")
    shop.vote(shop.person("sven", Role.SECURITY), approval)
    assert shop.verdict("hello", "1.0.0").accepted
    assert show(shop, HELLO).marks == {Mark.EXCEPTION}
    tomorrow = datetime.now(UTC) + VALIDITY
    with shop.sessions.tenant(shop.tenant_id) as conn:
        assert not registry.verify_now(conn, shop.tenant_id, old, now=tomorrow).accepted
