"""Rows of `insight_signals` as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atomctl.insight.model import Detector, Kind, Label, Severity, Signal, State


def signal_from(row: Mapping[str, Any]) -> Signal:
    """A row of `insight_signals`."""
    return Signal(
        tenant_id=row["tenant_id"],
        id=row["id"],
        kind=Kind(row["kind"]),
        subject=row["subject"],
        detector=Detector(row["detector"], row["detector_version"]),
        window=(row["window_start"], row["window_end"]),
        observed=row["observed"],
        baseline=row["baseline"],
        score=row["score"],
        severity=Severity(row["severity"]),
        summary=row["summary"],
        evidence=tuple(row["evidence"]),
        occurrences=row["occurrences"],
        state=State(row["state"]),
        label=None if row["label"] is None else Label(row["label"]),
        labelled_by=row["labelled_by"],
        handled_by=row["handled_by"],
        comment=row["comment"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
    )
