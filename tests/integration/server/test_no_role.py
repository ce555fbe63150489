"""A token without any role proves who somebody is, and that is all it does."""

from __future__ import annotations

from typing import Any

from atomctl.access.model import Role
from atomctl.db.ids import new_id
from atomctl.server.app import API, build_app

PARTS = {
    "name": "hello",
    "version": "1.0.0",
    "key_id": "sha256:" + "0" * 64,
    **{f"{noun}_id": str(new_id()) for noun in ("run", "approval", "entry", "principal", "signal", "backup")},
}
QUERIES = {"audit/consistency": {"old": 1, "new": 2}}


def reads() -> list[str]:
    """Every path of the API that is read with a token, filled in with ids of nothing."""
    found = [
        path.removeprefix(f"{API}/").format(**PARTS)
        for path, methods in build_app().openapi()["paths"].items()
        if "get" in methods and path.startswith(API)
    ]
    return [path for path in found if path != "auth/whoami"]


def test_whoever_has_no_role_reads_nothing_but_who_they_are(api: Any, tenant: Any) -> None:
    nobody = api.person(tenant, "nora")
    assert nobody.get("auth/whoami")["roles"] == []
    answers = {path: nobody.ask("GET", path, params=QUERIES.get(path)) for path in reads()}
    assert len(answers) > 15
    assert {path: answer.json()["code"] for path, answer in answers.items()} == dict.fromkeys(answers, "AUT020")


def test_one_role_is_enough_to_read_what_everybody_reads(api: Any, tenant: Any) -> None:
    viewer = api.person(tenant, "vera", Role.VIEWER)
    for path in ("packages", "workflows", "runs", "approvals", "trust/keys", "tenants/current"):
        assert viewer.ask("GET", path).status_code == 200, path
