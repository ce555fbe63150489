"""What is kept: the audit log, backups and their drills, and what insight made of the history."""

from __future__ import annotations

from tools.dashboards.model import Dashboard, Kind, Panel, Query, Row, Unit, age_limit, shown
from tools.dashboards.promql import in_range, largest, per_minute, since, total_per_minute

from atomctl.telemetry import catalog

_AUDIT = Row(
    "Audit log",
    (
        Panel(
            title="Recorded and not in the log",
            queries=(largest(catalog.AUDIT_WAITING),),
            kind=Kind.FIGURE,
            width=8,
        ),
        Panel(
            title="Oldest that waits",
            queries=(largest(catalog.AUDIT_OLDEST),),
            unit=Unit.SECONDS,
            kind=Kind.FIGURE,
            alert="AtomAuditLag",
            above=age_limit("AtomAuditLag"),
            width=8,
        ),
        Panel(
            title="Processes that write the log",
            queries=(Query(f"sum({shown(catalog.AUDIT_LEADING)})"),),
            kind=Kind.FIGURE,
            alert="AtomSequencerMissing",
            below=1,
            width=8,
        ),
        Panel(
            title="Entries put into the log",
            queries=(total_per_minute(catalog.AUDIT_ENTRIES, "entries"),),
            unit=Unit.PER_MINUTE,
        ),
        Panel(
            title="Lag of the sequencer",
            queries=(
                Query(f"max({shown(catalog.AUDIT_LAG)})", "of the last batch"),
                Query(f"max({shown(catalog.AUDIT_OLDEST)})", "of what waits"),
            ),
            unit=Unit.SECONDS,
            alert="AtomAuditLag",
            above=age_limit("AtomAuditLag"),
        ),
    ),
)

_BACKUPS = Row(
    "Backups",
    (
        Panel(
            title="Age of the newest backup",
            queries=(since(catalog.BACKUP_TAKEN),),
            unit=Unit.SECONDS,
            kind=Kind.FIGURE,
            alert="AtomBackupOld",
            above=age_limit("AtomBackupOld"),
            width=6,
        ),
        Panel(
            title="Since a restore drill passed",
            queries=(since(catalog.DRILL_PASSED),),
            unit=Unit.SECONDS,
            kind=Kind.FIGURE,
            alert="AtomDrillOld",
            above=age_limit("AtomDrillOld"),
            width=6,
        ),
        Panel(
            title="Work the last drill would have lost",
            queries=(largest(catalog.DRILL_RPO),),
            unit=Unit.SECONDS,
            kind=Kind.FIGURE,
            width=6,
        ),
        Panel(
            title="Time the last drill took to restore",
            queries=(largest(catalog.DRILL_RTO),),
            unit=Unit.SECONDS,
            kind=Kind.FIGURE,
            width=6,
        ),
        Panel(title="Backups by outcome", queries=(per_minute(catalog.BACKUPS, "outcome"),), unit=Unit.PER_MINUTE),
        Panel(title="Drills by outcome", queries=(per_minute(catalog.DRILLS, "outcome"),), unit=Unit.PER_MINUTE),
    ),
)

_INSIGHT = Row(
    "Insight",
    (
        Panel(
            title="Occurrences of signals within an hour",
            queries=(Query(f"sum(increase({shown(catalog.SIGNAL_OCCURRENCES)}[1h]))"),),
            kind=Kind.FIGURE,
            alert="AtomSignalRate",
            above=50,
            width=8,
        ),
        Panel(
            title="Questions to Prometheus in this time",
            queries=(in_range(catalog.PROMETHEUS_PROBES),),
            kind=Kind.FIGURE,
            width=8,
        ),
        Panel(
            title="Questions to Prometheus that failed",
            queries=(in_range(catalog.PROMETHEUS_PROBES, 'outcome="failed"'),),
            kind=Kind.FIGURE,
            above=1,
            width=8,
        ),
        Panel(
            title="Signals raised and repeated",
            queries=(per_minute(catalog.SIGNAL_OCCURRENCES, "kind"),),
            unit=Unit.PER_MINUTE,
            width=8,
        ),
        Panel(
            title="Signals by state",
            queries=(
                Query(f"sum by (state) (max by (kind, severity, state) ({shown(catalog.SIGNALS)}))", "{{state}}"),
            ),
            width=8,
        ),
        Panel(
            title="Precision by kind, from feedback",
            queries=(largest(catalog.SIGNAL_PRECISION, "kind"),),
            unit=Unit.SHARE,
            below=0.5,
            width=8,
        ),
    ),
)

DASHBOARD = Dashboard(
    name="data",
    title="ATOM data",
    description="The audit log, backups and restore drills, signals and their precision.",
    rows=(_AUDIT, _BACKUPS, _INSIGHT),
)
