"""A row as it is exported."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from atomctl.dataset.excerpt import no_log
from atomctl.dataset.labels import label
from atomctl.dataset.model import Row
from atomctl.dataset.record import Record, assemble, decision_from


@pytest.fixture
def ended() -> Record:
    """A run that succeeded without steps."""
    return Record(
        run_id=UUID(int=7),
        package_id=UUID(int=1),
        workflow="web",
        version="1.0.0",
        environment="test",
        state="SUCCEEDED",
        parameters={"service": "web"},
        decision=decision_from(
            '{"outcome": "allow", "category": "routine", "automation": "automatic", "complexity": "simple"}'
        ),
        steps=[],
        chunks=(),
        log_size=0,
        began_at=datetime(2026, 7, 1, 12, tzinfo=UTC),
        duration_ms=1_000,
        last_entry=17,
    )


@pytest.fixture
def row(ended: Record) -> Row:
    """The run as it is exported."""
    return label(assemble(ended, no_log(), {"score": 30, "rules": ["a-rule"]}), None)
