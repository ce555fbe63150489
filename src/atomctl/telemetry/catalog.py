"""Every metric there is: name, type, labels with the values they may have, unit, help.

A metric that is not here cannot be counted, and a label value that is not here is counted as `other` or refused: the
number of series is known before the program starts. Tenants, workflow names and ids are never labels.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

OTHER = "other"
"""The label value of everything that a closed set does not name."""

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LONG_SECONDS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)

Labels: TypeAlias = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What all metrics have; `unit` is a Prometheus base unit, or None for a plain number of things."""

    name: str
    help: str
    unit: str | None = None
    labels: Labels = field(default_factory=dict)
    stored: bool = False
    """Not counted by a process: read from the database by the workers, each of which shows the same figure."""

    def series(self) -> list[tuple[str, ...]]:
        """Every combination of label values, in the order of `labels`."""
        return list(itertools.product(*self.labels.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter(Metric):
    """Only ever goes up; its name ends in `_total` where Prometheus shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge(Metric):
    """Goes up and down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram(Metric):
    """Counts observations in buckets; `buckets` are their upper bounds in `unit`."""

    buckets: tuple[float, ...]


_NOUNS = (
    "approvals", "audit", "auth", "health", "metrics", "packages", "runs", "signals", "stats", "tenants", "trust",
    "validate", "workflows", OTHER,
)  # fmt: skip
_RUN_STATES = (
    "received", "planning", "blocked", "awaiting_approval", "rejected", "expired", "queued", "running", "paused",
    "cancelling", "cancelled", "rolling_back", "rolled_back", "rollback_incomplete", "needs_decision", "succeeded",
    "failed", "timed_out",
)  # fmt: skip
_OPEN_STATES = (
    "received", "planning", "awaiting_approval", "queued", "running", "paused", "cancelling", "rolling_back",
    "needs_decision",
)  # fmt: skip
_HANDLERS = ("shell", "api", "k8s", "package", OTHER)
_SUBJECTS = ("run", "override", "trust_rules", "exception")
_SIGNALS = (
    "policy_violation", "unsigned_upload", "approval_age", "audit_gap", "failure_rate", "duration", "run_rate",
    "metric", "series",
)  # fmt: skip
_SEVERITIES = ("info", "warning", "critical")

HTTP_REQUESTS = Counter(
    name="atom_http_requests",
    help="Requests answered, by the first noun of the path and the class of the status.",
    labels={
        "method": ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", OTHER),
        "noun": _NOUNS,
        "status": ("1xx", "2xx", "3xx", "4xx", "5xx"),
    },
)
HTTP_SECONDS = Histogram(
    name="atom_http_request_seconds",
    help="Time from the request's headers to the end of the answer.",
    unit="seconds",
    labels={"noun": _NOUNS},
    buckets=_SECONDS,
)
RUN_STATES = Counter(
    name="atom_run_states", help="Runs that entered a state, once for each time.", labels={"state": _RUN_STATES}
)
STEP_ATTEMPTS = Counter(
    name="atom_step_attempts",
    help="Step attempts that ended.",
    labels={
        "handler": _HANDLERS,
        "outcome": ("succeeded", "failed", "timed_out", "cancelled", "refused", "unknown"),
    },
)
STEP_SECONDS = Histogram(
    name="atom_step_attempt_seconds",
    help="Time from the start of a step attempt to its end.",
    unit="seconds",
    labels={"handler": _HANDLERS},
    buckets=_LONG_SECONDS,
)
PUBLISH_VERDICTS = Counter(
    name="atom_publish_verdicts",
    help="Uploads of packages by what verification said.",
    labels={"verdict": ("accepted", "unsigned", "untrusted", "revoked", "tampered", "rollback", OTHER)},
)
DECISIONS = Counter(
    name="atom_decisions",
    help="Policy decisions.",
    labels={"outcome": ("allow", "require_approval", "block")},
)
APPROVALS = Counter(
    name="atom_approvals",
    help="Approvals that were decided or ran out.",
    labels={
        "kind": (*_SUBJECTS, OTHER),
        "outcome": ("approved", "rejected", "expired", "voided"),
    },
)
LOGIN_REFUSALS = Counter(
    name="atom_login_refusals",
    help="Tokens and logins that were refused.",
    labels={"reason": ("missing", "malformed", "signature", "expired", "claims", "tenant", OTHER)},
)
AUDIT_ENTRIES = Counter(name="atom_audit_entries", help="Entries the sequencer put into the log.")
AUDIT_LAG = Gauge(
    name="atom_audit_lag_seconds",
    help="Age of the oldest entry of the last batch when the sequencer took it; 0 while nothing waits.",
    unit="seconds",
)
AUDIT_LEADING = Gauge(name="atom_audit_leading", help="1 while this process is the sequencer that writes, else 0.")
AUDIT_HEADS_REFUSED = Counter(
    name="atom_audit_heads_refused",
    help="Heads that were not signed because they do not extend the last signed one: the database was changed.",
)

PERMISSION_REFUSALS = Counter(
    name="atom_permission_refusals", help="Requests by people who are logged in that were refused for lack of a right."
)
SIGNAL_OCCURRENCES = Counter(
    name="atom_signal_occurrences",
    help="Signals raised, and repeats of those that were there.",
    labels={"kind": _SIGNALS, "severity": _SEVERITIES},
)
AUDIT_VERIFICATIONS = Counter(
    name="atom_audit_verifications",
    help="Verifications of a whole log in the database, by what they found.",
    labels={"outcome": ("intact", "broken", "unfinished")},
)
PROMETHEUS_PROBES = Counter(
    name="atom_prometheus_probes",
    help="Questions put to Prometheus, by POST /signals/probe and for watched series.",
    labels={"outcome": ("exceeded", "quiet", "failed")},
)
STORED_READ = Gauge(
    name="atom_stored_read",
    help="1 if the figures that are read could be read just now, else 0, and then none of them is shown.",
    stored=True,
)
RUNS_OPEN = Gauge(
    name="atom_runs_open", help="Runs that have not ended, by state.", labels={"state": _OPEN_STATES}, stored=True
)
RUN_QUIET_SECONDS = Gauge(
    name="atom_run_quiet_seconds",
    help="For how long the quietest open run of a state has shown nothing: no step attempt, no line of log.",
    unit="seconds",
    labels={"state": _OPEN_STATES},
    stored=True,
)
APPROVALS_PENDING = Gauge(
    name="atom_approvals_pending", help="Approvals that wait for votes.", labels={"kind": _SUBJECTS}, stored=True
)
APPROVAL_AGE = Gauge(
    name="atom_approval_oldest_seconds",
    help="For how long the oldest approval of a kind has waited; 0 while none waits.",
    unit="seconds",
    labels={"kind": _SUBJECTS},
    stored=True,
)
WORKERS = Gauge(
    name="atom_workers",
    help="Workers by what the others know of them; dead ones were declared so and stay counted.",
    labels={"state": ("alive", "left", "dead")},
    stored=True,
)
WORKER_HEARTBEAT = Gauge(
    name="atom_worker_heartbeat_age_seconds",
    help="Time since the newest heartbeat of any worker.",
    unit="seconds",
    stored=True,
)
AUDIT_WAITING = Gauge(
    name="atom_audit_waiting",
    help="Recorded entries that are not in the log yet, counted up to 100,000.",
    stored=True,
)
AUDIT_OLDEST = Gauge(
    name="atom_audit_oldest_waiting_seconds",
    help="Age of the oldest recorded entry that is not in the log yet; 0 while none waits.",
    unit="seconds",
    stored=True,
)
AUDIT_VERIFIED = Gauge(
    name="atom_audit_verified_timestamp_seconds",
    help="When the log that was verified longest ago was verified; not shown before the first verification.",
    unit="seconds",
    stored=True,
)
SIGNALS = Gauge(
    name="atom_signals",
    help="Signals by kind and by what people have done about them.",
    labels={"kind": _SIGNALS, "severity": _SEVERITIES, "state": ("open", "acknowledged", "closed")},
    stored=True,
)
SIGNAL_PRECISION = Gauge(
    name="atom_signal_precision",
    help="Share of the labelled signals of a kind that somebody called useful; not shown before the first label.",
    labels={"kind": _SIGNALS},
    stored=True,
)
CROSS_TENANT_ATTEMPTS = Counter(
    name="atom_cross_tenant_attempts",
    help="Requests that named an id of another tenant. They were answered as if it did not exist.",
    stored=True,
)
SIGNING_KEY_END = Gauge(
    name="atom_signing_key_end_timestamp_seconds",
    help="When the next active signing key ends; not shown if none has an end.",
    unit="seconds",
    stored=True,
)
BACKUP_TAKEN = Gauge(
    name="atom_backup_timestamp_seconds",
    help="When the newest backup that can be restored was taken; 0 if there is none.",
    unit="seconds",
    stored=True,
)
DRILL_PASSED = Gauge(
    name="atom_drill_timestamp_seconds",
    help="When a restore drill passed last; 0 if none has.",
    unit="seconds",
    stored=True,
)
DRILL_RPO = Gauge(
    name="atom_drill_rpo_seconds",
    help="How old the newest backup was when the last drill began, if that drill passed: work that would be lost.",
    unit="seconds",
    stored=True,
)
DRILL_RTO = Gauge(
    name="atom_drill_rto_seconds",
    help="From the start of the last drill until the restored database took writes, if that drill passed.",
    unit="seconds",
    stored=True,
)
BACKUPS = Counter(
    name="atom_backups", help="Backups that were taken, or were to be.", labels={"outcome": ("taken", "failed")}
)
DRILLS = Counter(name="atom_drills", help="Restore drills.", labels={"outcome": ("passed", "failed")})
VAULT_STATE = Gauge(
    name="atom_vault_state",
    help="1 for the state the configured Vault is in, 0 for the others; not shown where none is configured.",
    labels={"state": ("ready", "sealed", "unreachable")},
    stored=True,
)
AUDIT_ANCHOR_AGE = Gauge(
    name="atom_audit_anchor_age_seconds",
    help="Time since the oldest checkpoint that is not in the locked bucket was signed; 0 while all are.",
    unit="seconds",
)

CATALOG: tuple[Counter | Gauge | Histogram, ...] = (
    HTTP_REQUESTS,
    HTTP_SECONDS,
    RUN_STATES,
    STEP_ATTEMPTS,
    STEP_SECONDS,
    PUBLISH_VERDICTS,
    DECISIONS,
    APPROVALS,
    LOGIN_REFUSALS,
    PERMISSION_REFUSALS,
    AUDIT_ENTRIES,
    AUDIT_LAG,
    AUDIT_LEADING,
    AUDIT_HEADS_REFUSED,
    AUDIT_ANCHOR_AGE,
    AUDIT_VERIFICATIONS,
    SIGNAL_OCCURRENCES,
    PROMETHEUS_PROBES,
    STORED_READ,
    RUNS_OPEN,
    RUN_QUIET_SECONDS,
    APPROVALS_PENDING,
    APPROVAL_AGE,
    WORKERS,
    WORKER_HEARTBEAT,
    AUDIT_WAITING,
    AUDIT_OLDEST,
    AUDIT_VERIFIED,
    SIGNALS,
    SIGNAL_PRECISION,
    CROSS_TENANT_ATTEMPTS,
    SIGNING_KEY_END,
    BACKUP_TAKEN,
    DRILL_PASSED,
    DRILL_RPO,
    DRILL_RTO,
    BACKUPS,
    DRILLS,
    VAULT_STATE,
)
