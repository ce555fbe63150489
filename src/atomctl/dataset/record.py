"""A run as it is read from the database, and as the row it becomes. Pure."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from atomctl.canonical import Json
from atomctl.dataset.excerpt import Chunk, chunks_from
from atomctl.dataset.model import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One ended run; durations in milliseconds, rounded down. `last_entry` is its place in the audit log."""

    run_id: UUID
    package_id: UUID
    workflow: str
    version: str
    environment: str
    state: str
    parameters: Json
    decision: dict[str, Json]
    steps: list[Json]
    chunks: tuple[Chunk, ...]
    log_size: int
    began_at: datetime.datetime
    duration_ms: int | None
    last_entry: int


def record_from(found: Mapping[str, Any]) -> Record:
    """A row of `runs_of_day`."""
    return Record(
        run_id=found["id"],
        package_id=found["package_id"],
        workflow=found["workflow"],
        version=found["version"],
        environment=found["environment"],
        state=found["state"],
        parameters=found["parameters"],
        decision=decision_from(found["decision"]),
        steps=found["steps"] or [],
        chunks=chunks_from(found["chunks"]),
        log_size=found["log_size"] or 0,
        began_at=found["began_at"],
        duration_ms=found["duration_ms"],
        last_entry=found["last_entry"],
    )


def assemble(record: Record, logs: dict[str, Json], risk: Json) -> Row:
    """The row of a run before scrubbing and labelling."""
    return {
        "schema": "atom.dataset-run/v1",
        "run_id": str(record.run_id),
        "workflow": record.workflow,
        "version": record.version,
        "environment": record.environment,
        "execution_time": record.began_at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "duration_ms": record.duration_ms,
        "status": record.state,
        "parameters": record.parameters,
        "parameters_withheld": 0,
        "logs": logs,
        "steps": record.steps,
        "risk": risk,
        "decision": record.decision,
        "audit_entry": record.last_entry,
        "embedding": None,
    }


@lru_cache(maxsize=256)
def decision_from(text: str) -> dict[str, Json]:
    """What was decided and who had a say, without anybody's sentences; most runs of a package share it."""
    document = json.loads(text)
    approval = document.get("approval") or {}
    return {
        "outcome": document.get("outcome"),
        "category": document.get("category"),
        "automation": document.get("automation"),
        "complexity": document.get("complexity"),
        "votes": sum(place.get("count", 0) for place in approval.get("votes", [])),
        "reasons": [
            {"source": reason.get("source"), "category": reason.get("category")}
            for reason in document.get("reasons", [])
        ],
    }


def risk_from(document: Mapping[str, Any] | None) -> dict[str, Json]:
    """The score of a package's report and the rules it is made of, the heaviest first, each once."""
    if not document:
        return {"score": None, "rules": []}
    rules = dict.fromkeys(str(term["rule"]) for term in document.get("terms", []))
    return {"score": document.get("score"), "rules": list[Json](rules)}
