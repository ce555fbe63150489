"""Idempotency keys: the same request twice is done once."""

from __future__ import annotations

import threading
from typing import Any

from tests.fakes.packages import new_key

from atomctl.access.model import Role


def register(person: Any, key: Any, name: str | None, pem: str | None = None) -> Any:
    headers = {"Idempotency-Key": name} if name is not None else {}
    body = {"public_key": pem or key.public_key.to_pem().decode()}
    return person.ask("POST", "trust/keys", body, headers=headers)


def test_the_same_key_and_request_get_the_first_answer_and_change_nothing(owner: Any, sequence: Any) -> None:
    key = new_key()
    first = register(owner, key, "k-1")
    again = register(owner, key, "k-1")
    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, first.content)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    sequence()
    actions = [entry["action"] for entry in owner.get("audit/entries")["items"]]
    assert actions.count("key.register") == 1


def test_the_same_key_for_another_request_is_a_conflict(owner: Any) -> None:
    assert register(owner, new_key(), "k-1").status_code == 201
    conflict = register(owner, new_key(), "k-1")
    assert (conflict.status_code, conflict.json()["code"]) == (409, "API015")


def test_a_key_belongs_to_one_person_and_one_route(owner: Any, api: Any, tenant: Any) -> None:
    key = new_key()
    assert register(owner, key, "k-1").status_code == 201
    other = api.person(tenant, "sven", Role.SECURITY)
    assert register(other, new_key(), "k-1").status_code == 201
    retire = f"trust/keys/{key.public_key.key_id}/retire"
    assert owner.ask("POST", retire, {"reason": "replaced"}, headers={"Idempotency-Key": "k-1"}).status_code == 200


def test_a_refused_request_keeps_nothing_and_may_be_tried_again(owner: Any) -> None:
    key = new_key()
    assert register(owner, key, "k-1", pem="not a key").status_code == 400
    assert register(owner, key, "k-1").status_code == 201


def test_of_many_at_once_one_is_done_and_all_get_its_answer(owner: Any) -> None:
    key, answers = new_key(), []
    start = threading.Barrier(5)

    def send() -> None:
        start.wait()
        answers.append(register(owner, key, "k-1"))

    threads = [threading.Thread(target=send) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.content for answer in answers}) == 1
    assert sorted("idempotency-replayed" in answer.headers for answer in answers) == [False, True, True, True, True]


def test_a_key_that_is_no_key_is_refused(owner: Any) -> None:
    for name in ("", "a b", "x" * 256):
        answer = register(owner, new_key(), name)
        assert (answer.status_code, answer.json()["code"]) == (422, "API016")


def test_a_day_later_the_key_is_free_again(owner: Any, tenant: Any) -> None:
    assert register(owner, new_key(), "k-1").status_code == 201
    with owner.api.services.sessions.tenant(tenant) as conn:
        conn.execute("UPDATE atom.idempotency_keys SET created_at = now() - interval '25 hours'")
    assert register(owner, new_key(), "k-1").status_code == 201
