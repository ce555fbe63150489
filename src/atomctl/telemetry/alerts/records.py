"""Alerts about the audit log, signals and backups."""

from __future__ import annotations

from datetime import timedelta

from atomctl.telemetry.alerts.model import Alert, Severity

ALERTS: tuple[Alert, ...] = (
    Alert(
        name="AtomAuditLag",
        expr="max(atom_audit_oldest_waiting_seconds) > $age",
        severity=Severity.CRITICAL,
        summary="A recorded entry has waited for {{ $value | humanizeDuration }} to come into the audit log.",
        means="Nothing is lost: entries are recorded with the change they describe. But until the sequencer has taken "
        "them they are not chained and not signed, and could be changed by somebody who owns the database.",
        clear=(
            "A worker must be alive (`atomctl doctor`): each of them stands by as sequencer.",
            "`sum(atom_audit_leading)` must be 1; the leader's log says `sequencer.interrupted` and why.",
            "A full disk and a lost database are the usual causes.",
        ),
        wait=timedelta(minutes=1),
        age=timedelta(minutes=1),
    ),
    Alert(
        name="AtomAuditBroken",
        expr='max by (kind) (atom_signals{kind="audit_gap",state!="closed"}) > 0'
        " or sum(increase(atom_audit_heads_refused_total[10m])) > 0",
        severity=Severity.CRITICAL,
        summary="The audit log does not verify.",
        means="An entry was changed, removed or added in the database itself, or a head does not extend the last one "
        "that was signed. No role of ATOM can do that: somebody with the database administrator's rights did, or the "
        "database was restored to an older state without a new epoch.",
        clear=(
            "Do not restart anything that signs. `atomctl audit verify` says what is wrong, and at which entry.",
            "Compare with a checkpoint kept elsewhere: `atomctl audit verify --help`.",
            "Keep a copy of the database for the investigation, then restore: a restore opens a new epoch.",
            "When it is explained: `atomctl signals ack ID --close`.",
        ),
    ),
    Alert(
        name="AtomAuditUnverified",
        expr="time() - min(atom_audit_verified_timestamp_seconds) > $age",
        severity=Severity.WARNING,
        summary="A tenant's audit log was verified {{ $value | humanizeDuration }} ago.",
        means="The patrol verifies every log once an hour. It has not, so a manipulation would stay unseen.",
        clear=(
            "The workers' logs have lines `insight.failed` or `database.away`.",
            "`atomctl audit verify` does it by hand.",
        ),
        wait=timedelta(minutes=5),
        age=timedelta(hours=6),
    ),
    Alert(
        name="AtomSignalCritical",
        expr='sum by (kind) (max by (kind, severity) (atom_signals{state="open",severity="critical",'
        'kind!="audit_gap"})) > 0',
        severity=Severity.WARNING,
        summary="{{ $value }} critical signals of kind {{ $labels.kind }} are open.",
        means="Insight noticed something that is very unlikely to be chance, and nobody has taken it yet.",
        clear=(
            "`atomctl signals list` shows them; `atomctl signals show ID` the figures and the runs.",
            "`atomctl signals ack ID` takes one; `atomctl signals label ID useful|noise` teaches what is worth it.",
        ),
        wait=timedelta(minutes=5),
    ),
    Alert(
        name="AtomSignalRate",
        expr="sum(increase(atom_signal_occurrences_total[1h])) > 50",
        severity=Severity.WARNING,
        summary="{{ $value | humanize }} signals within an hour.",
        means="Either much goes wrong at once, or a detector is too sensitive for what this deployment does.",
        clear=(
            "`atomctl signals list --limit 200` shows whether they have one cause.",
            "Label them: a kind whose `atom_signal_precision` falls below a half is a detector to tune.",
        ),
    ),
    Alert(
        name="AtomBackupOld",
        expr="time() - max(atom_backup_timestamp_seconds) > $age",
        severity=Severity.CRITICAL,
        summary="The newest backup is {{ $value | humanizeDuration }} old.",
        means="What happened since then would be lost with the database. Workers take one each day, and one was "
        "missed. A deployment that never had one shows an age of decades.",
        clear=(
            "`atomctl backup list` shows what there is; `atomctl backup create` takes one now and says why it cannot.",
            "A full bucket, a lost bucket and an expired credential are the usual causes.",
        ),
        wait=timedelta(minutes=5),
        age=timedelta(hours=26),
    ),
    Alert(
        name="AtomDrillOld",
        expr="time() - max(atom_drill_timestamp_seconds) > $age",
        severity=Severity.WARNING,
        summary="The last restore drill that passed was {{ $value | humanizeDuration }} ago.",
        means="A backup that nobody has restored is a hope. The drill restores one to a scratch cluster and compares.",
        clear=("`atomctl backup drill` runs one now and says what differs.",),
        wait=timedelta(minutes=5),
        age=timedelta(days=8),
    ),
    Alert(
        name="AtomRecordsUnread",
        expr="absent(atom_backup_timestamp_seconds) or absent(atom_audit_oldest_waiting_seconds)"
        " or absent(atom_audit_verified_timestamp_seconds)",
        severity=Severity.CRITICAL,
        summary="No worker reports the state of backups and the audit log, so no alert about them can fire.",
        means="These figures are read from the database by each worker. None does: no worker is scraped, the "
        "database is away, or (soon after the installation) no log was verified yet.",
        clear=(
            "Look at Prometheus' page `/targets`: the job that scrapes workers must be there and up.",
            "`atom_stored_read` is 0 where a worker is scraped and cannot read; its log says why (`metrics.unread`).",
        ),
        wait=timedelta(minutes=10),
    ),
)
