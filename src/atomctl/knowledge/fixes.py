"""What ended a failure: what a person said, a rerun, or the next success of the workflow and how it differed."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from atomctl.canonical import Json
from atomctl.db import queries
from atomctl.db.session import Connection
from atomctl.knowledge.cleaning import clean
from atomctl.runs.model import Run, RunState
from atomctl.runs.read import run_of

_MOST = 8
_LONGEST = 80

_sql: Any = queries.load(__file__)


class Fix(enum.StrEnum):
    """How a failure ended."""

    RESOLVED = "resolved"
    """A person said what had become of a step, and the run went on."""
    RETRIED = "retried"
    """A later try of the step succeeded within the run."""
    RERUN = "rerun"
    """A rerun of the run succeeded."""
    LATER_SUCCESS = "later-success"
    """A later run of the workflow succeeded."""
    NONE = "none"
    """Nothing has succeeded since."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What ended a failure, by which run, and how that run differed from the failed one."""

    fix: Fix
    run_id: UUID | None
    said: str | None
    """What a person said about it."""
    differences: tuple[str, ...]


def ending_of(conn: Connection, run: Run) -> Ending:
    """What ended the failure of a run that has ended."""
    key = {"tenant_id": run.tenant_id, "run_id": run.id}
    answered = _sql.answered(conn, **key)
    said = clean(answered["said"] or "")[:300] if answered else None
    if run.state is RunState.SUCCEEDED:
        return Ending(Fix.RESOLVED if said else Fix.RETRIED, run.id, said, ())
    for fix, row in (
        (Fix.RERUN, _sql.rerun_that_succeeded(conn, **key)),
        (Fix.LATER_SUCCESS, _sql.next_success(conn, **key, workflow=run.workflow, ended_at=run.ended_at)),
    ):
        if row is not None:
            after = run_of(conn, run.tenant_id, row["id"])
            return Ending(fix, after.id, said, tuple(differences(run, after))[:_MOST])
    return Ending(Fix.NONE, None, said, ())


def differences(before: Run, after: Run) -> Iterator[str]:
    """In which package version, content, parameters and environment the two runs differ; pure."""
    if before.version != after.version:
        yield f"version {before.version} -> {after.version}"
    elif before.package_digest != after.package_digest:
        yield "the content of the package"
    for name in sorted(before.parameters.keys() | after.parameters.keys()):
        if _shown(before.parameters, name) != _shown(after.parameters, name):
            yield f"parameter {name}: {_shown(before.parameters, name)} -> {_shown(after.parameters, name)}"
    if before.environment != after.environment:
        yield f"environment {before.environment} -> {after.environment}"


def _shown(parameters: Mapping[str, Json], name: str) -> str:
    if name not in parameters:
        return "not given"
    text = clean(json.dumps(parameters[name], ensure_ascii=False, sort_keys=True))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
