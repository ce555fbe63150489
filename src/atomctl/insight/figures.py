"""The stored metrics: figures of the whole deployment, read with one transaction that belongs to no tenant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from atomctl.db import queries
from atomctl.db.session import Sessions
from atomctl.telemetry import catalog
from atomctl.telemetry.catalog import Metric
from atomctl.telemetry.readings import Reading

_sql: Any = queries.load(__file__)


class DatabaseFigures:
    """Reads what the database knows; a source for `telemetry.readings`.

    Args:
        sessions: connections of the worker's role.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def __call__(self) -> list[Reading]:
        """All figures as of now.

        Raises:
            AtomError: DBA001 the database does not answer.
        """
        now = datetime.now(UTC)
        with self._sessions.deployment() as conn:
            runs, approvals = list(_sql.open_runs(conn)), list(_sql.pending_approvals(conn))
            workers, signals = list(_sql.worker_counts(conn)), list(_sql.signal_counts(conn))
            backlog, single = _sql.audit_backlog(conn), _sql.single_figures(conn)
        return [
            *_by_label(catalog.RUNS_OPEN, "state", ((row["state"].lower(), row["runs"]) for row in runs)),
            *_by_label(catalog.RUN_QUIET_SECONDS, "state", ((r["state"].lower(), r["quiet_seconds"]) for r in runs)),
            *_by_label(catalog.APPROVALS_PENDING, "kind", ((row["kind"], row["approvals"]) for row in approvals)),
            *_by_label(catalog.APPROVAL_AGE, "kind", ((row["kind"], row["oldest_seconds"]) for row in approvals)),
            *worker_figures(workers, now),
            Reading(catalog.AUDIT_WAITING, backlog["waiting"]),
            Reading(catalog.AUDIT_OLDEST, max(0.0, backlog["oldest_seconds"])),
            *_single_figures(single),
            *signal_figures(signals),
        ]


def worker_figures(rows: Sequence[Mapping[str, Any]], now: datetime) -> Iterator[Reading]:
    """Workers by state, and the age of the newest heartbeat if there ever was one. Pure."""
    yield from _by_label(catalog.WORKERS, "state", ((row["state"].lower(), row["workers"]) for row in rows))
    if rows:
        newest = max(row["beat_at"] for row in rows)
        yield Reading(catalog.WORKER_HEARTBEAT, max(0.0, (now - newest).total_seconds()))


def signal_figures(rows: Sequence[Mapping[str, Any]]) -> Iterator[Reading]:
    """Signals by kind, severity and state, and the precision of each kind that has feedback. Pure."""
    counts: dict[tuple[str, ...], int] = dict.fromkeys(catalog.SIGNALS.series(), 0)
    labelled: dict[str, dict[str, int]] = defaultdict(lambda: {"useful": 0, "noise": 0})
    for row in rows:
        counts[row["kind"], row["severity"], row["state"]] += row["signals"]
        if row["label"] is not None:
            labelled[row["kind"]][row["label"]] += row["signals"]
    for values, count in counts.items():
        yield Reading(catalog.SIGNALS, count, dict(zip(catalog.SIGNALS.labels, values, strict=True)))
    for kind, said in labelled.items():
        yield Reading(catalog.SIGNAL_PRECISION, said["useful"] / (said["useful"] + said["noise"]), {"kind": kind})


def _single_figures(row: Mapping[str, Any]) -> Iterator[Reading]:
    yield Reading(catalog.CROSS_TENANT_ATTEMPTS, row["cross_tenant_attempts"])
    if row["audit_verified_at"] is not None:
        yield Reading(catalog.AUDIT_VERIFIED, row["audit_verified_at"].timestamp())
    if row["next_key_end"] is not None:
        yield Reading(catalog.SIGNING_KEY_END, row["next_key_end"].timestamp())


def _by_label(metric: Metric, label: str, found: Iterable[tuple[str, float]]) -> Iterator[Reading]:
    """A reading for each value the label may have; 0 for those that were not found."""
    figures = dict(found)
    for value in metric.labels[label]:
        yield Reading(metric, max(0.0, figures.get(value, 0.0)), {label: value})
