"""Publishing on a real database and object store: what is accepted, what is refused, and what each leaves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.packages import harmless, new_key, privileged, signed

from atomctl.access.model import Role
from atomctl.canonical import digest
from atomctl.errors import AtomError
from atomctl.registry import codes
from atomctl.registry import service as registry
from atomctl.registry.model import Coordinates, PackageState
from atomctl.registry.storing import object_key

RefusalOf = Callable[[Callable[[], object]], str]


def test_a_signed_package_is_stored_with_its_report_decision_and_authors(shop: Any) -> None:
    packed = harmless()
    published = shop.push(packed)
    record = published.package
    assert published.created
    assert (str(record.coordinates), record.digest, record.state) == ("hello@1.0.0", packed.digest, "accepted")
    assert record.outcome == "require_approval"
    assert record.manifest["metadata"]["name"] == "hello"
    assert record.verdict["signers"][0]["key_id"] == shop.key.public_key.key_id
    with shop.sessions.tenant(shop.tenant_id) as conn:
        assert registry.authors_of(conn, record) == {shop.anna.principal_id}
        assert digest(registry.report(conn, record)) == published.assessment.digest
        loaded, package = registry.load_package(conn, shop.objects, shop.tenant_id, record.id)
    assert (loaded, package.digest) == (record, packed.digest)
    entry = shop.entries("package.publish")[-1]
    assert (entry["result"], entry["digests"]["package"]) == ("ok", packed.digest)
    assert "anna" not in str(entry)


def test_the_owner_of_the_key_is_an_author_beside_whoever_pushed(shop: Any) -> None:
    paul = shop.person("paul", Role.AUTHOR)
    record = shop.push(harmless(), actor=paul).package
    with shop.sessions.tenant(shop.tenant_id) as conn:
        assert registry.authors_of(conn, record) == {paul.principal_id, shop.anna.principal_id}


def test_the_same_bytes_again_are_a_success_that_creates_nothing(shop: Any) -> None:
    first = shop.push(harmless())
    again = shop.push(harmless())
    assert (again.created, again.package) == (False, first.package)
    assert shop.count("packages") == shop.count("package_bundles") == shop.count("decisions") == 1


def test_the_same_version_with_other_bytes_is_a_conflict(shop: Any, refusal: RefusalOf) -> None:
    first = shop.push(harmless())
    assert refusal(lambda: shop.push(harmless(description="changed"))) == codes.CONFLICT.id
    with shop.sessions.tenant(shop.tenant_id) as conn:
        assert registry.show(conn, shop.tenant_id, first.package.coordinates) == first.package
    assert shop.entries("package.publish")[-1]["code"] == codes.CONFLICT.id


def test_an_unsigned_package_is_refused_and_leaves_an_entry_and_nothing_else(shop: Any, refusal: RefusalOf) -> None:
    assert refusal(lambda: shop.push(harmless(), bundles=[])) == "TRU201"
    assert shop.count("packages") == shop.count("workflows") == 0
    entry = shop.entries("package.publish")[-1]
    assert (entry["result"], entry["code"], entry["subject"]) == ("refused", "TRU201", "package/hello@1.0.0")
    assert entry["detail"]["verdict"]["accepted"] is False


def test_a_package_changed_after_signing_is_refused_before_it_is_parsed(shop: Any) -> None:
    packed = harmless()
    for position in (3, 600, len(packed.data) - 1):
        changed = bytearray(packed.data)
        changed[position] ^= 1
        with pytest.raises(AtomError) as caught:
            shop.push(bytes(changed), bundles=[signed(shop.key, packed)])
        assert caught.value.code.exit.name == "TAMPERED"
    assert shop.count("packages") == 0


def test_a_key_that_no_rule_names_is_refused(shop: Any) -> None:
    packed = harmless()
    with pytest.raises(AtomError) as caught:
        shop.push(packed, bundles=[signed(new_key(), packed)])
    assert caught.value.code.exit.name == "UNTRUSTED"


def test_a_tenant_without_rules_trusts_nothing(shop: Any, make_tenant: Any, tmp_path: Path, refusal: RefusalOf) -> None:
    from tests.fakes.people import log_in

    stranger = log_in(shop.sessions, make_tenant("new"), "nora", Role.AUTHOR)
    assert refusal(lambda: shop.push(harmless(), actor=stranger)).startswith("TRU23")


def test_a_release_for_another_tenant_is_refused(shop: Any) -> None:
    packed = harmless()
    with pytest.raises(AtomError) as caught:
        shop.push(packed, bundles=[signed(shop.key, packed, "another-tenant")])
    assert caught.value.verdict.accepted is False  # type: ignore[attr-defined]  # of a refused push


def test_who_is_no_author_may_not_push_and_the_try_is_recorded(shop: Any, refusal: RefusalOf) -> None:
    viewer = shop.person("vera", Role.VIEWER, Role.OPERATOR)
    assert refusal(lambda: shop.push(harmless(), actor=viewer)) == "AUT020"
    assert shop.entries("package.publish")[-1]["actor"] == str(viewer.principal_id)


def test_a_package_pushed_under_other_coordinates_is_refused(shop: Any) -> None:
    for wanted in (Coordinates("hello", "2.0.0"), Coordinates("goodbye", "1.0.0")):
        with pytest.raises(AtomError):
            shop.push(harmless(), coordinates=wanted)
    assert shop.count("packages") == 0


def test_a_blob_signature_cannot_lend_a_package_another_name(shop: Any, refusal: RefusalOf) -> None:
    from atomctl.trust.signers.release import sign_blob

    packed = harmless()
    blob = [sign_blob(shop.key, packed.digest)]
    wanted = Coordinates("goodbye", "1.0.0")
    assert refusal(lambda: shop.push(packed, bundles=blob, coordinates=wanted)) == codes.COORDINATES.id
    assert shop.push(packed, bundles=blob).created


@pytest.mark.parametrize("data", [b"", b"not a tar at all", b"\0" * 1024])
def test_bytes_that_are_no_package_and_come_with_no_release_are_refused(
    shop: Any, refusal: RefusalOf, data: bytes
) -> None:
    assert refusal(lambda: shop.push(data, bundles=[b"{}"])) == codes.NO_COORDINATES.id


def test_a_blocked_package_is_stored_and_does_not_count_as_newest(shop: Any) -> None:
    blocked = shop.push(privileged(version="1.5.0")).package
    assert (blocked.outcome, blocked.state) == ("block", PackageState.BLOCKED)
    assert shop.push(privileged(version="1.4.0")).created
    assert shop.count("accepted_versions") == 0


def test_an_older_version_of_the_same_major_line_is_refused_and_of_another_is_not(
    shop: Any, refusal: RefusalOf
) -> None:
    shop.push(harmless(version="1.2.0"))
    shop.push(harmless(version="2.0.0"))
    assert refusal(lambda: shop.push(harmless(version="1.1.9"))).startswith("TRU23")
    assert shop.push(harmless(version="1.3.0")).created
    assert not shop.push(harmless(version="1.2.0")).created


def test_when_the_object_store_is_full_nothing_is_stored(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from atomctl.objects import codes as object_codes

    def full(key: str, data: bytes) -> None:
        raise AtomError(object_codes.FULL, "no room")

    monkeypatch.setattr(shop.objects, "put", full)
    with pytest.raises(AtomError, match="no room"):
        shop.push(harmless())
    assert shop.count("packages") == shop.count("workflows") == 0


def test_swapped_bytes_in_the_object_store_are_noticed(shop: Any, refusal: RefusalOf, tmp_path: Path) -> None:
    record = shop.push(harmless()).package
    file = tmp_path / "objects" / object_key(record.digest)
    file.chmod(0o600)
    file.write_bytes(harmless(version="6.6.6").data)
    with shop.sessions.tenant(shop.tenant_id) as conn:
        code = refusal(lambda: registry.load_package(conn, shop.objects, shop.tenant_id, record.id))
    assert code == codes.SWAPPED.id


def test_of_two_pushes_of_one_version_with_different_bytes_exactly_one_wins(shop: Any) -> None:
    rivals = [harmless(description=f"rival {n}") for n in range(4)]
    start, outcomes = threading.Barrier(len(rivals)), []

    def rival(packed: Any) -> None:
        start.wait()
        try:
            outcomes.append(str(shop.push(packed).created))
        except AtomError as error:
            outcomes.append(error.code.id)

    threads = [threading.Thread(target=rival, args=(packed,)) for packed in rivals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == sorted(["True", *[codes.CONFLICT.id] * 3])
    assert shop.count("packages") == 1


def test_of_many_pushes_of_the_same_bytes_one_creates_and_all_succeed(shop: Any) -> None:
    packed, outcomes = harmless(), []
    threads = [threading.Thread(target=lambda: outcomes.append(shop.push(packed).created)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, False, False, True]


def test_another_tenants_packages_are_neither_listed_nor_found(shop: Any, make_tenant: Any, refusal: RefusalOf) -> None:
    record = shop.push(harmless()).package
    other = make_tenant("other")
    with shop.sessions.tenant(other) as conn:
        assert registry.list_packages(conn, other) == []
        assert refusal(lambda: registry.find_package(conn, other, record.id)) == codes.UNKNOWN_PACKAGE.id
        assert refusal(lambda: registry.show(conn, other, record.coordinates)) == codes.UNKNOWN_PACKAGE.id


def test_packages_and_workflows_are_listed_in_pages(shop: Any) -> None:
    for version in ("1.0.0", "1.1.0", "1.10.0"):
        shop.push(harmless(version=version))
    shop.push(harmless("other"))
    with shop.sessions.tenant(shop.tenant_id) as conn:
        first = registry.list_packages(conn, shop.tenant_id, limit=3)
        rest = registry.list_packages(conn, shop.tenant_id, after=first[-1].id, limit=3)
        one = registry.list_packages(conn, shop.tenant_id, name="other")
        workflows = registry.list_workflows(conn, shop.tenant_id)
    assert [str(p.coordinates) for p in first + rest] == ["other@1.0.0", "hello@1.10.0", "hello@1.1.0", "hello@1.0.0"]
    assert [p.name for p in one] == ["other"]
    assert [(w.name, w.versions, w.latest) for w in workflows] == [("hello", 3, "1.10.0"), ("other", 1, "1.0.0")]
