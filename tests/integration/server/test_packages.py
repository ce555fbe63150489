"""Packages over HTTP."""

from __future__ import annotations

import base64
from typing import Any

from tests.fakes.packages import harmless, new_key, privileged, signed

from atomctl.access.model import Role
from atomctl.canonical import digest


def test_a_push_is_answered_with_the_package_and_read_back(owner: Any, key: Any) -> None:
    packed = harmless()
    pushed = owner.push(packed, key)
    assert pushed["schema"] == "atom.package/v1"
    assert (pushed["created"], pushed["state"], pushed["digest"]) == (True, "accepted", packed.digest)
    assert pushed["decision"]["outcome"] == "require_approval"
    assert pushed["pushed_at"].endswith("Z")
    shown = owner.get("packages/hello/1.0.0")
    assert shown == {**pushed, "created": None}
    assert shown["manifest"]["metadata"]["name"] == "hello"


def test_the_same_push_again_is_200(owner: Any, key: Any) -> None:
    owner.push(harmless(), key)
    assert owner.push(harmless(), key, 200)["created"] is False


def test_archive_report_and_bundles_are_the_very_bytes(owner: Any, key: Any) -> None:
    packed = harmless()
    owner.push(packed, key)
    archive = owner.ask("GET", "packages/hello/1.0.0/archive")
    assert (archive.content, archive.headers["etag"]) == (packed.data, f'"{packed.digest}"')
    report = owner.ask("GET", "packages/hello/1.0.0/report")
    assert report.json()["package"]["digest"] == packed.digest
    offline = owner.ask("POST", "validate", {"archive": base64.b64encode(packed.data).decode()})
    assert offline.json()["findings"] == report.json()["findings"]
    bundles = owner.get("packages/hello/1.0.0/bundles")["items"]
    assert [bundle["digest"] for bundle in bundles] == [digest(bundle["bundle"].encode()) for bundle in bundles]


def test_refusals_are_problems_with_code_exit_hint_and_verdict(owner: Any, key: Any) -> None:
    packed = harmless()
    unsigned = owner.ask("POST", "packages", {"archive": base64.b64encode(packed.data).decode(), "bundles": []})
    assert unsigned.headers["content-type"] == "application/problem+json"
    body = unsigned.json()
    assert (body["code"], body["exit"], body["status"]) == ("TRU201", 10, unsigned.status_code)
    assert body["verdict"]["accepted"] is False
    assert body["hint"]
    assert body["docs"]
    stranger = owner.ask(
        "POST",
        "packages",
        {
            "archive": base64.b64encode(packed.data).decode(),
            "bundles": [signed(new_key(), packed).decode()],
        },
    ).json()
    assert stranger["exit"] == 11
    tampered = packed.data.replace(b"echo", b"ohce")
    changed = owner.ask(
        "POST",
        "packages",
        {"archive": base64.b64encode(tampered).decode(), "bundles": [signed(key, packed).decode()]},
    ).json()
    assert changed["exit"] == 12


def test_a_conflict_is_409(owner: Any, key: Any) -> None:
    owner.push(harmless(), key)
    conflict = owner.push(harmless(description="other"), key, 409)
    assert (conflict["code"], conflict["exit"]) == ("REG409", 5)


def test_a_block_is_stored_overridden_by_two_others_and_marked(api: Any, tenant: Any, owner: Any, key: Any) -> None:
    pushed = owner.push(privileged(), key)
    assert (pushed["state"], pushed["decision"]["outcome"]) == ("blocked", "block")
    approval = owner.post("packages/debug/1.0.0/override", {"reason": "host access is the point"}, 201)
    assert (approval["kind"], approval["may_vote"], approval["state"]) == ("override", False, "pending")
    assert approval["missing"] == [{"role": "admin", "count": 1}, {"role": "security", "count": 1}]
    votes = f"approvals/{approval['id']}/votes"
    assert owner.post(votes, {"choice": "approve"}, 403)["code"] == "APR502"
    for person, state in (
        (api.person(tenant, "adam", Role.ADMIN), "pending"),
        (api.person(tenant, "sven", Role.SECURITY), "approved"),
    ):
        assert person.get(f"approvals/{approval['id']}")["may_vote"] is True
        assert person.post(votes, {"choice": "approve", "comment": "seen"})["state"] == state
    assert owner.get("packages/debug/1.0.0")["marks"] == ["overridden"]


def test_a_yank_needs_a_reason_and_stays(owner: Any, key: Any) -> None:
    owner.push(harmless(), key)
    assert owner.post("packages/hello/1.0.0/yank", {"reason": "no"}, 422)["code"] == "REG415"
    yanked = owner.post("packages/hello/1.0.0/yank", {"reason": "says hello to the wrong people"})
    assert (yanked["state"], yanked["yanked"]["reason"]) == ("yanked", "says hello to the wrong people")


def test_lists_go_on_behind_the_last_item_seen(owner: Any, key: Any) -> None:
    for minor in range(5):
        owner.push(harmless(version=f"1.{minor}.0"), key)
    seen, after = [], None
    while True:
        page = owner.get("packages", limit=2, **({"after": after} if after else {}))
        seen += [item["version"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == ["1.4.0", "1.3.0", "1.2.0", "1.1.0", "1.0.0"]
    workflow = owner.get("workflows/hello")
    assert (workflow["versions"], workflow["latest"], len(workflow["packages"])) == (5, "1.4.0", 5)
    assert owner.get("workflows")["items"][0]["name"] == "hello"


def test_an_archive_that_is_not_base64_is_refused(owner: Any) -> None:
    for archive in ("not base64!", "a", "é"):
        assert owner.post("packages", {"archive": archive}, 422)["code"] == "API012"
