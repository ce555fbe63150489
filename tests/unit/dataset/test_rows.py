"""Rows: their schema, the stages they go through, their files in both formats."""

import dataclasses
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jsonschema_rs
import pyarrow.parquet
import pytest

from atomctl.canonical import Json
from atomctl.dataset.excerpt import no_log
from atomctl.dataset.model import ErrorType, Format, Performance, Reason, Row
from atomctl.dataset.parquet import arrow_schema, read_rows
from atomctl.dataset.record import Record, assemble, decision_from, risk_from
from atomctl.dataset.rejection import RejectedError
from atomctl.dataset.schema import row_validator
from atomctl.dataset.scrub.policy import ScrubPolicy
from atomctl.dataset.scrub.scrubber import Scrubber
from atomctl.dataset.stages import Finished, Sources, Tally, content_digest, finished_rows, line_digest, scrubbed_rows
from atomctl.dataset.trailing import Trailing
from atomctl.dataset.writers import open_writer
from atomctl.policy.decision import Automation, Category, Outcome
from atomctl.runs.model import Phase, StepState
from atomctl.runs.states import ENDED
from atomctl.wpk.model import HandlerType

DECISION: dict[str, Any] = {
    "outcome": "require_approval",
    "category": "review",
    "automation": "approved",
    "complexity": "simple",
    "approval": {"subject": "run", "votes": [{"role": None, "count": 1}]},
    "reasons": [{"source": "score", "category": "review", "why": "the risk score is 30", "votes": []}],
}
STEP: dict[str, Json] = {
    "phase": "FORWARD",
    "name": "work",
    "type": "shell",
    "state": "SUCCEEDED",
    "attempts": 1,
    "offset_ms": 3,
    "duration_ms": 900,
    "exit_code": 0,
    "code": None,
    "error": None,
}


def record(**given: Any) -> Record:
    known: dict[str, Any] = {
        "run_id": uuid4(),
        "package_id": UUID(int=1),
        "workflow": "web",
        "version": "1.0.0",
        "environment": "test",
        "state": "SUCCEEDED",
        "parameters": {"service": "web", "ratio": 0.25, "mode": None, "target": {"a": [1, "ü", True]}},
        "decision": decision_from(json.dumps(DECISION)),
        "steps": [STEP],
        "chunks": (),
        "log_size": 0,
        "began_at": datetime(2026, 7, 1, 12, tzinfo=UTC),
        "duration_ms": 1_000,
        "last_entry": 17,
    }
    return Record(**{**known, **given})


SCHEMA = Path("src/atomctl/dataset/schema/dataset-run-v1.schema.json")
RISK: dict[str, Json] = {"score": 30, "rules": ["a-rule"]}


def run(
    *records: Record, logs: Callable[[Record], dict[str, Json]] = lambda _: no_log()
) -> tuple[list[Finished], Tally]:
    tally = Tally()
    sources = Sources(logs, lambda _: RISK)
    rows = scrubbed_rows(records, sources, Trailing({}), Scrubber(ScrubPolicy(bytes(32))), tally)
    return list(finished_rows(rows, None, tally)), tally


def test_what_comes_out_fits_the_published_schema() -> None:
    rows, tally = run(record(), record(state="BLOCKED", duration_ms=None, steps=[]))
    for finished in rows:
        row_validator().validate(finished.row)
        assert json.loads(finished.line) == finished.row
    assert (tally.rows, tally.dropped) == (2, {})
    assert tally.content == content_digest(line_digest(finished.line) for finished in rows)


def test_nothing_a_person_wrote_about_the_decision_is_exported() -> None:
    row = assemble(record(), no_log(), RISK)
    assert row["decision"] == {
        "outcome": "require_approval",
        "category": "review",
        "automation": "approved",
        "complexity": "simple",
        "votes": 1,
        "reasons": [{"source": "score", "category": "review"}],
    }


@pytest.mark.parametrize(
    "given",
    [
        {"state": "RUNNING"},
        {"duration_ms": -1},
        {"decision": {}},
        {"parameters": ["not", "an", "object"]},
        {"steps": [{**STEP, "state": "ODD"}]},
        {"steps": [{**STEP, "more": 1}]},
        {"parameters": {"count": 2**60}},
    ],
    ids=str,
)
def test_what_does_not_fit_is_counted_and_the_rest_goes_on(given: dict[str, Any]) -> None:
    rows, tally = run(record(), record(**given), record(workflow="other"))
    assert len(rows) == 2
    assert tally.dropped == {Reason.INVALID: 1}


def test_a_copy_under_another_id_is_counted_once() -> None:
    rows, tally = run(record(), record(last_entry=18), record(duration_ms=1_001))
    assert len(rows) == 2
    assert tally.dropped == {Reason.DUPLICATE: 1}


def test_copies_are_told_by_everything_but_their_own_ids() -> None:
    first, second = record(last_entry=1), record(last_entry=2)
    named: Json = {"target": {"run_id": str(first.run_id)}}
    rows, _ = run(first, dataclasses.replace(second, parameters=named), record(parameters=named, last_entry=3))
    assert len(rows) == 2, "the last two say the same"
    texts = [{"service": '"run_id":"x"'}, {"service": '"run_id":"y"'}]
    assert len(run(*(record(parameters=text) for text in texts))[0]) == 2


def test_a_damaged_log_is_counted() -> None:
    def damaged(_: Record) -> dict[str, Json]:
        raise RejectedError(Reason.LOG_DAMAGED)

    assert run(record(), logs=damaged)[1].dropped == {Reason.LOG_DAMAGED: 1}


def written(rows: list[Finished], format_: Format) -> bytes:
    stream = io.BytesIO()
    writer = open_writer(format_, stream)
    writer.write(rows)
    writer.close()
    return stream.getvalue()


def test_both_formats_hold_the_same_rows_and_the_same_bytes_twice() -> None:
    failed = record(state="FAILED", steps=[{**STEP, "state": "FAILED", "error": "no"}, {**STEP, "offset_ms": None}])
    rows, _ = run(record(), failed, record(state="REJECTED", steps=[], duration_ms=None))
    lines, table = written(rows, Format.JSONL), written(rows, Format.PARQUET)
    plain: list[Row] = [json.loads(line) for line in lines.splitlines()]
    assert plain == list(read_rows(io.BytesIO(table))) == [finished.row for finished in rows]
    assert (written(rows, Format.JSONL), written(rows, Format.PARQUET)) == (lines, table)
    assert pyarrow.parquet.read_table(io.BytesIO(table)).schema == arrow_schema(pyarrow)


def test_no_rows_are_a_file_all_the_same() -> None:
    assert written([], Format.JSONL) == b""
    assert list(read_rows(io.BytesIO(written([], Format.PARQUET)))) == []


@pytest.mark.parametrize("data", [b"", b"PAR1 and no more", b"{}"])
def test_what_is_no_parquet_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        list(read_rows(io.BytesIO(data)))


def test_the_schemas_closed_sets_are_the_codes_own() -> None:
    properties = json.loads(SCHEMA.read_text())["properties"]
    step, labels = properties["steps"]["items"]["properties"], properties["labels"]["properties"]
    decision = properties["decision"]["properties"]
    assert set(properties["status"]["enum"]) == {state.value for state in ENDED}
    assert set(step["state"]["enum"]) == {state.value for state in StepState}
    assert set(step["type"]["enum"]) == {type_.value for type_ in HandlerType}
    assert set(step["phase"]["enum"]) == {phase.value for phase in Phase}
    assert set(labels["error_type"]["enum"]) == {*(error.value for error in ErrorType), None}
    assert set(labels["performance_class"]["enum"]) == {*(each.value for each in Performance), None}
    for name, closed in (("outcome", Outcome), ("category", Category), ("automation", Automation)):
        assert set(decision[name]["enum"]) == {member.value for member in closed}


def test_the_schema_is_one_and_the_risk_of_an_unknown_package_is_none() -> None:
    document = json.loads(SCHEMA.read_text())
    jsonschema_rs.meta.validate(document)
    assert risk_from(None) == {"score": None, "rules": []}
    terms = [{"rule": "b"}, {"rule": "a"}, {"rule": "b"}]
    assert risk_from({"score": 7, "terms": terms}) == {"score": 7, "rules": ["b", "a"]}
