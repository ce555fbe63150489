"""The file of watches: what it may say, and every way it can be wrong."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from atomctl.errors import AtomError
from atomctl.insight import watches
from atomctl.insight.watches import Method, Watch

TENANT = "018f0000-0000-7000-8000-000000000001"
GOOD = {"name": "load", "tenant": TENANT, "promql": "max(node_load1)"}


def listed(*entries: object) -> bytes:
    return json.dumps({"watches": entries}).encode()


def test_a_watch_needs_a_name_a_tenant_and_an_expression() -> None:
    assert watches.parse(listed(GOOD), "w") == (
        Watch(name="load", tenant_id=UUID(TENANT), promql="max(node_load1)", every=timedelta(minutes=1)),
    )


def test_what_else_may_be_said_is_read(tmp_path: Path) -> None:
    file = tmp_path / "watches.yaml"
    file.write_text(
        f"watches:\n- {{name: errors, tenant: {TENANT}, promql: 'increase(errors[1m])', detector: count, every: 30,"
        " workflow: restart-web}\n"
    )
    [watch] = watches.load(file)
    assert (watch.method, watch.every, watch.workflow) == (Method.COUNT, timedelta(seconds=30), "restart-web")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "one document"),
        (b"[]", "one document"),
        (b"watches: {}", "one document"),
        (b"watches: []\nmore: 1", "one document"),
        (listed(*[GOOD] * 51), "at most 50"),
        (listed("load"), "watch 1: no mapping"),
        (listed(GOOD, {**GOOD, "treshold": 3}), "watch 2: unknown treshold"),
        (listed({"name": "x", "tenant": TENANT}), "promql is missing"),
        (listed({**GOOD, "name": "Bad Name"}), "the name is"),
        (listed({**GOOD, "name": 3}), "name is missing or no text"),
        (listed({**GOOD, "tenant": "acme"}), "badly formed"),
        (listed({**GOOD, "promql": "up\x1b[2J"}), "promql"),
        (listed({**GOOD, "promql": " "}), "promql: it is empty"),
        (listed({**GOOD, "detector": "magic"}), "magic"),
        (listed({**GOOD, "every": 1}), "seconds from 5"),
        (listed({**GOOD, "every": True}), "seconds from 5"),
        (listed({**GOOD, "every": "1m"}), "seconds from 5"),
        (listed(GOOD, {**GOOD, "promql": "up"}), "the same name"),
    ],
)
def test_what_cannot_be_watched_is_refused_with_its_place(data: bytes, says: str) -> None:
    with pytest.raises(AtomError) as refusal:
        watches.parse(data, "w.yaml")
    assert refusal.value.code.id == "INS830"
    assert "w.yaml" in refusal.value.why
    assert says in refusal.value.why


def test_a_file_that_is_not_there_or_too_large_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(b" " * 300_000)
    for file in (tmp_path / "absent", tmp_path, large):
        with pytest.raises(AtomError, match="INS830"):
            watches.load(file)


def test_a_changed_expression_has_another_past_and_a_changed_workflow_has_not() -> None:
    [first, second, third] = (
        watches.parse(listed({**GOOD, **change}), "w")[0].definition
        for change in ({}, {"promql": "up"}, {"workflow": "x"})
    )
    assert first != second
    assert first == third
