"""Beginning and end of an export as OpenLineage events: in the file beside it, and at a receiver that may be bad."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.fakes.past_runs import Past
from tests.servers.hostile_http import HostileServer

from atomctl.access.model import Actor
from atomctl.dataset.lineage_log import LineageLog, Receiver, beside
from atomctl.dataset.model import Order
from atomctl.dataset.service import Delivery, Means, export_dataset
from atomctl.errors import AtomError

Told = Callable[..., Delivery]
NOON = datetime(2026, 7, 3, 12, tzinfo=UTC)


@pytest.fixture
def receiver() -> Iterator[HostileServer]:
    with HostileServer() as server:
        yield server


@pytest.fixture
def told(add: Callable[..., list[UUID]], means: Means, auditor: Actor) -> Told:
    """Exports a day with one run, and tells a receiver of the test's choice."""
    add(Past(ended_at=NOON))

    def run(folder: Path, at: Receiver | None = None, **given: Any) -> Delivery:
        order = Order(**{"tenant_id": auditor.tenant_id, "since": date(2026, 7, 3), "until": date(2026, 7, 4), **given})
        return export_dataset(means, auditor, order, folder, lineage=LineageLog(beside(folder), at))

    return run


def events(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in beside(folder).read_text().splitlines()]


def facets(value: Any) -> Iterator[dict[str, Any]]:
    """Whatever says which schema it follows."""
    if isinstance(value, dict):
        if "_schemaURL" in value:
            yield value
        for item in value.values():
            yield from facets(item)
    elif isinstance(value, list):
        for item in value:
            yield from facets(item)


def test_an_export_that_ends_well_is_told_twice_under_one_id(told: Told, tmp_path: Path) -> None:
    delivery = told(tmp_path / "out")
    start, complete = events(tmp_path / "out")
    assert (start["eventType"], complete["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == complete["run"]["runId"] == str(UUID(start["run"]["runId"]))
    assert start["eventTime"] < complete["eventTime"]
    for event in (start, complete):
        assert event.keys() == {
            *("eventType", "eventTime", "producer", "schemaURL", "run", "job", "inputs", "outputs"),
        }
        assert event["schemaURL"] == "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
        assert event["job"]["name"] == "dataset-export"
        assert event["inputs"] == [{"namespace": "postgres://localhost:5432", "name": "atom.atom.workflow_runs"}]
        nominal = event["run"]["facets"]["nominalTime"]
        assert nominal["nominalStartTime"] == "2026-07-03T00:00:00.000000Z"
        assert nominal["nominalEndTime"] == "2026-07-04T00:00:00.000000Z"
        assert all(facet["_producer"].startswith("https://atomctl.dev/atomctl/") for facet in facets(event))
        assert all(facet["_schemaURL"].startswith("https://openlineage.io/spec/facets/") for facet in facets(event))
    (output,) = complete["outputs"]
    assert (output["namespace"], output["name"]) == ("file", str(tmp_path / "out"))
    assert output["facets"]["version"]["datasetVersion"] == delivery.exported.digest
    assert {"name": "workflow", "type": "string"} in output["facets"]["schema"]["fields"]
    statistics = output["outputFacets"]["outputStatistics"]
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file() and path.name != "manifest.dsse.json"]
    assert (statistics["rowCount"], statistics["size"]) == (1, sum(path.stat().st_size for path in files))
    assert beside(tmp_path / "out").stat().st_mode & 0o777 == 0o600


def test_a_refusal_is_told_with_its_code(told: Told, tmp_path: Path) -> None:
    with pytest.raises(AtomError):
        told(tmp_path / "out", watermark=10**6)
    start, fail = events(tmp_path / "out")
    assert (start["eventType"], fail["eventType"]) == ("START", "FAIL")
    error = fail["run"]["facets"]["errorMessage"]
    assert (error["message"], error["programmingLanguage"]) == (
        "DAT808: the audit log has not come that far",
        "python",
    )


def test_a_line_that_was_half_written_spoils_no_other(told: Told, tmp_path: Path) -> None:
    beside(tmp_path / "out").write_text('{"eventType":"STA')
    told(tmp_path / "out")
    broken, *whole = beside(tmp_path / "out").read_text().splitlines()
    assert broken == '{"eventType":"STA'
    assert [json.loads(line)["eventType"] for line in whole] == ["START", "COMPLETE"]


def test_the_receiver_gets_what_the_file_has(told: Told, receiver: HostileServer, tmp_path: Path) -> None:
    delivery = told(tmp_path / "out", Receiver.at(receiver.url("ok"), "k3y"))
    assert delivery.untold == ()
    heads, bodies = zip(*(request.split(b"\r\n\r\n", 1) for request in receiver.requests), strict=True)
    assert [json.loads(body) for body in bodies] == events(tmp_path / "out")
    assert all(head.startswith(b"POST /ok/api/v1/lineage HTTP/1.1\r\n") for head in heads)
    assert all(b"authorization: bearer k3y" in head.lower() for head in heads)


@pytest.mark.parametrize("behaviour", ["silent", "drip", "dying", "garbage", "teapot"])
def test_a_bad_receiver_costs_seconds_and_not_the_export(
    told: Told, receiver: HostileServer, tmp_path: Path, behaviour: str
) -> None:
    begun = time.monotonic()
    delivery = told(tmp_path / "out", Receiver.at(receiver.url(behaviour), None))
    assert time.monotonic() - begun < 14, "five seconds for each event"
    assert delivery.exported.manifest.rows == 1
    took_it = behaviour == "dying"  # after its status, which is all that is asked for
    assert [each[:6] for each in delivery.untold] == ([] if took_it else ["DAT818", "DAT818"])
    assert [event["eventType"] for event in events(tmp_path / "out")] == ["START", "COMPLETE"]


def test_where_the_file_cannot_be_written_that_is_told(told: Told, tmp_path: Path) -> None:
    beside(tmp_path / "out").mkdir()
    delivery = told(tmp_path / "out")
    assert [each[:6] for each in delivery.untold] == ["DAT818", "DAT818"]
    assert "Is a directory" in delivery.untold[0]


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("lineage.example", None),
        ("ftp://lineage.example", None),
        ("https://user:word@lineage.example", None),
        ("https://lineage.example?x=1", None),
        ("http://lineage.example", "k3y"),
        ("https://lineage.example", "two\nlines"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_beforehand(url: str, key: str | None) -> None:
    with pytest.raises(AtomError) as caught:
        Receiver.at(url, key)
    assert caught.value.code.id == "DAT819"
    assert "word" not in caught.value.why
    assert "k3y" not in caught.value.why
