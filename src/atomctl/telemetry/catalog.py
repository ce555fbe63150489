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
    "approvals", "audit", "auth", "health", "metrics", "packages", "runs", "signals", "tenants", "trust", "validate",
    "workflows", OTHER,
)  # fmt: skip
_RUN_STATES = (
    "received", "planning", "blocked", "awaiting_approval", "rejected", "expired", "queued", "running", "paused",
    "cancelling", "cancelled", "rolling_back", "rolled_back", "rollback_incomplete", "needs_decision", "succeeded",
    "failed", "timed_out",
)  # fmt: skip
_HANDLERS = ("shell", "api", "k8s", "package", OTHER)

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
        "kind": ("run", "override", "trust_rules", "exception", OTHER),
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
    AUDIT_ENTRIES,
    AUDIT_LAG,
    AUDIT_LEADING,
    AUDIT_HEADS_REFUSED,
    AUDIT_ANCHOR_AGE,
)
