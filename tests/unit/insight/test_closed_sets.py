"""The closed sets of signals and runs are the same in the code, the metrics, the database and the published schema."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

import pytest

from atomctl.approvals.model import SubjectKind
from atomctl.cli import schemas
from atomctl.insight.model import Kind, Label, Severity, State
from atomctl.insight.probing import Comparison
from atomctl.runs.model import RunState
from atomctl.runs.states import ENDED
from atomctl.telemetry import catalog

MIGRATIONS = Path("src/atomctl/db/migrations/sql")
SQL = "".join((MIGRATIONS / file).read_text() for file in ("0004/10-insight.sql", "0002/10-signals.sql"))
"""The newest first: what it says of a column is in force."""


def values(closed: type[StrEnum]) -> set[str]:
    return {member.value for member in closed}


@pytest.mark.parametrize(
    ("column", "closed"), [("kind", Kind), ("severity", Severity), ("state", State), ("label", Label)]
)
def test_the_table_allows_what_the_code_has(column: str, closed: type[StrEnum]) -> None:
    found = re.search(rf"CHECK \({column} IN \(([^)]*)\)\)", SQL)
    assert found is not None
    assert set(re.findall(r"'(\w+)'", found[1])) == values(closed)


@pytest.mark.parametrize(("field", "closed"), [("kind", Kind), ("severity", Severity), ("state", State)])
def test_the_metrics_and_the_schema_name_what_the_code_has(field: str, closed: type[StrEnum]) -> None:
    assert set(catalog.SIGNALS.labels[field]) == values(closed)
    assert set(schemas.document("signal")["properties"][field]["enum"]) == values(closed)


def test_what_is_asked_and_said_is_published() -> None:
    assert set(schemas.document("probe")["properties"]["op"]["enum"]) == values(Comparison)
    assert set(schemas.document("signal")["properties"]["label"]["enum"]) == values(Label) | {None}


def test_the_metrics_of_runs_name_every_state() -> None:
    assert set(catalog.RUN_STATES.labels["state"]) == {state.value.lower() for state in RunState}
    assert set(catalog.RUNS_OPEN.labels["state"]) == {state.value.lower() for state in set(RunState) - ENDED}
    assert set(catalog.APPROVAL_AGE.labels["kind"]) == values(SubjectKind)
