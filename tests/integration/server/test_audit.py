"""The audit log over HTTP: what was done is in it, and it verifies without the server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.fakes.packages import harmless

from atomctl.access.model import Role
from atomctl.audit.verify import verify_bundle


@pytest.fixture
def auditor(api: Any, tenant: Any) -> Any:
    return api.person(tenant, "otto", Role.AUDITOR)


def test_everything_that_was_done_is_in_the_log_and_verifies(
    owner: Any, key: Any, auditor: Any, sequence: Any, tmp_path: Path
) -> None:
    owner.push(harmless(), key)
    owner.post("packages", {"archive": "AAAA", "bundles": []}, 422)
    assert auditor.get("auth/whoami")["roles"] == ["auditor"]
    sequence()
    page = auditor.get("audit/entries", limit=200)
    actions = [(entry["action"], entry["result"]) for entry in page["items"]]
    assert (page["waiting"], actions[-1]) == (0, ("principal.create", "ok"))
    for expected in ("trust_rules.activate", "key.register", "package.publish", "principal.login"):
        assert (expected, "ok") in actions
    assert ("package.publish", "refused") in actions
    assert page["items"][-1]["personal"] == {"subject": "olga"}
    assert auditor.get("audit/verify")["outcome"] == "verified"
    exported = auditor.ask("GET", "audit/export")
    file = tmp_path / "log.atomaudit"
    file.write_bytes(exported.content)
    assert verify_bundle(file, trusted=owner.api.services.audit_keys).outcome == "verified"
    assert b"olga" not in exported.content


def test_an_entry_is_proved_to_be_under_the_checkpoint(owner: Any, key: Any, auditor: Any, sequence: Any) -> None:
    sequence()
    entry = auditor.get("audit/entries", limit=1)["items"][0]
    proof = auditor.get(f"audit/entries/{entry['id']}/proof")
    assert (proof["index"], proof["schema"]) == (entry["index"], "atom.audit-proof/v1")
    note = auditor.ask("GET", "audit/checkpoint")
    assert note.text == proof["checkpoint"]


def test_pages_of_the_log_go_backwards(owner: Any, key: Any, auditor: Any, sequence: Any) -> None:
    sequence()
    first = auditor.get("audit/entries", limit=2)
    second = auditor.get("audit/entries", limit=2, after=first["next"])
    indexes = [entry["index"] for entry in first["items"] + second["items"]]
    assert indexes == list(range(indexes[0], indexes[0] - 4, -1))


def test_only_some_roles_read_the_log_and_the_try_is_recorded(owner: Any, api: Any, tenant: Any, sequence: Any) -> None:
    viewer = api.person(tenant, "vera", Role.VIEWER, Role.OPERATOR)
    for path in ("audit/entries", "audit/verify", "audit/export"):
        assert viewer.ask("GET", path).json()["code"] == "AUT020"
    admin = api.person(tenant, "adam", Role.ADMIN)
    assert admin.ask("GET", "audit/export").json()["code"] == "AUT020"
    sequence()
    refused = [entry for entry in admin.get("audit/entries")["items"] if entry["result"] == "refused"]
    assert [entry["subject"] for entry in refused] == [
        f"path//api/v1/audit/{name}" for name in ("export", "export", "verify", "entries")
    ]
