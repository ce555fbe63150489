"""The bytes of an entry."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from atomctl.audit.model import MAX_ENTRY, Entry, Result, entry_bytes
from atomctl.canonical import Digest, canonical_json, digest

ID = UUID("01900000-0000-7000-8000-00000000000a")
TENANT = UUID("01900000-0000-7000-8000-000000000001")
RUN = UUID("01900000-0000-7000-8000-0000000000ff")


def _bytes(entry: Entry, **commitments: Digest) -> bytes:
    return entry_bytes(entry, entry_id=ID, tenant_id=TENANT, commitments=commitments)


def _read(entry: Entry) -> Any:
    return json.loads(_bytes(entry))


def test_an_entry_is_canonical_json_without_empty_fields() -> None:
    data = _bytes(Entry(action="package.publish", subject="package/hello@1.0.0"))
    assert data == (
        b'{"action":"package.publish","id":"01900000-0000-7000-8000-00000000000a","result":"ok",'
        b'"subject":"package/hello@1.0.0","tenant":"01900000-0000-7000-8000-000000000001","v":1}'
    )


def test_an_entry_says_who_what_on_what_why_and_how_it_ended() -> None:
    entry = Entry(
        action="run.request",
        subject=f"run/{RUN}",
        result=Result.REFUSED,
        actor=ID,
        digests={"package": digest(b"x")},
        code="POL401",
        why="blocked for risk",
        detail={"score": 88},
    )
    document = _read(entry)
    assert document["run"] == str(RUN)
    assert document["actor"] == str(ID)
    assert document["digests"] == {"package": digest(b"x")}
    assert (document["result"], document["code"], document["why"]) == ("refused", "POL401", "blocked for risk")
    assert document["detail"] == {"score": 88}


def test_an_entry_about_something_else_can_belong_to_a_run() -> None:
    assert Entry(action="approval.vote", subject="approval/1", run_id=RUN).run == RUN
    assert Entry(action="approval.vote", subject="approval/1").run is None
    assert Entry(action="run.request", subject="run/not-an-id").run is None


def test_a_personal_value_never_stands_in_the_entry() -> None:
    entry = Entry(action="auth.login", subject="principal/1", personal={"address": "192.0.2.7"})
    data = _bytes(entry, address=digest(b"salted"))
    assert b"192.0.2.7" not in data
    assert json.loads(data)["personal"] == {"address": digest(b"salted")}


def test_detail_too_large_for_a_leaf_is_replaced_by_its_digest() -> None:
    detail = {"output": "x" * 70_000}
    data = _bytes(Entry(action="run.step", subject=f"run/{RUN}", detail=detail))
    assert len(data) <= MAX_ENTRY
    size, its_digest = len(canonical_json(detail)), digest(canonical_json(detail))
    assert json.loads(data)["detail"] == {"omitted": {"bytes": size, "digest": its_digest}}


def test_text_no_database_can_hold_is_replaced_visibly() -> None:
    entry = Entry(action="auth.login", subject="principal/a\x00b", why="bad \ud800 half", detail={"k\x00": ["\x00"]})
    document = _read(entry)
    assert document["subject"] == "principal/a\ufffdb"
    assert document["why"] == "bad \ufffd half"
    assert document["detail"] == {"k\ufffd": ["\ufffd"]}


@pytest.mark.parametrize("action", ["publish", "Package.publish", "package.", "package publish", ""])
def test_an_action_is_noun_and_verb(action: str) -> None:
    with pytest.raises(ValueError, match=r"noun\.verb"):
        Entry(action=action, subject="package/1")


@pytest.mark.parametrize("subject", ["", "run", "run/", "/1"])
def test_a_subject_is_kind_and_id(subject: str) -> None:
    with pytest.raises(ValueError, match="kind/id"):
        Entry(action="run.request", subject=subject)
