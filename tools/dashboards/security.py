"""Who tries what: refused uploads, logins and rights, and whether the record of it is whole."""

from __future__ import annotations

from tools.dashboards.model import Dashboard, Kind, Panel, Row, Unit, age_limit
from tools.dashboards.promql import in_range, largest, per_minute, since, total_per_minute

from atomctl.telemetry import catalog

_ATTEMPTS = Row(
    "Attempts",
    (
        Panel(
            title="Uploads refused as unsigned, untrusted or changed",
            queries=(in_range(catalog.PUBLISH_VERDICTS, 'verdict=~"unsigned|untrusted|revoked|tampered|rollback"'),),
            kind=Kind.FIGURE,
            alert="AtomUntrustedUpload",
            above=1,
            width=6,
        ),
        Panel(
            title="Forged tokens",
            queries=(in_range(catalog.LOGIN_REFUSALS, 'reason=~"signature|malformed|tenant"'),),
            kind=Kind.FIGURE,
            alert="AtomForgedToken",
            above=1,
            width=6,
        ),
        Panel(
            title="Ids of another tenant",
            queries=(in_range(catalog.CROSS_TENANT_ATTEMPTS),),
            kind=Kind.FIGURE,
            alert="AtomCrossTenantAttempt",
            above=1,
            width=6,
        ),
        Panel(
            title="Decisions that blocked",
            queries=(in_range(catalog.DECISIONS, 'outcome="block"'),),
            kind=Kind.FIGURE,
            width=6,
        ),
        Panel(
            title="Refused uploads by verdict",
            queries=(per_minute(catalog.PUBLISH_VERDICTS, "verdict", 'verdict!="accepted"'),),
            unit=Unit.PER_MINUTE,
            alert="AtomUntrustedUpload",
            width=8,
        ),
        Panel(
            title="Refused logins by reason",
            queries=(per_minute(catalog.LOGIN_REFUSALS, "reason"),),
            unit=Unit.PER_MINUTE,
            alert="AtomLoginsRefused",
            width=8,
        ),
        Panel(
            title="Requests that lacked a right",
            queries=(total_per_minute(catalog.PERMISSION_REFUSALS, "refused"),),
            unit=Unit.PER_MINUTE,
            alert="AtomPermissionsRefused",
            width=8,
        ),
    ),
)

_RECORD = Row(
    "Is the record whole",
    (
        Panel(
            title="Heads that do not extend the last one",
            queries=(in_range(catalog.AUDIT_HEADS_REFUSED),),
            kind=Kind.FIGURE,
            alert="AtomAuditBroken",
            above=1,
            width=6,
        ),
        Panel(
            title="Open signals of a broken log",
            queries=(largest(catalog.SIGNALS, having='kind="audit_gap",state!="closed"'),),
            kind=Kind.FIGURE,
            alert="AtomAuditBroken",
            above=1,
            width=6,
        ),
        Panel(
            title="Since the log verified longest ago",
            queries=(since(catalog.AUDIT_VERIFIED, of="min"),),
            unit=Unit.SECONDS,
            kind=Kind.FIGURE,
            alert="AtomAuditUnverified",
            above=age_limit("AtomAuditUnverified"),
            width=6,
        ),
        Panel(
            title="Oldest checkpoint outside the locked bucket",
            queries=(largest(catalog.AUDIT_ANCHOR_AGE),),
            unit=Unit.SECONDS,
            kind=Kind.FIGURE,
            width=6,
        ),
        Panel(
            title="Verifications by outcome",
            queries=(per_minute(catalog.AUDIT_VERIFICATIONS, "outcome"),),
            unit=Unit.PER_MINUTE,
            width=8,
        ),
        Panel(
            title="Open signals by kind",
            queries=(largest(catalog.SIGNALS, "kind, severity", 'state="open",severity!="info"'),),
            alert="AtomSignalCritical",
            width=8,
        ),
        Panel(
            title="State of the secret store",
            queries=(largest(catalog.VAULT_STATE, "state"),),
            alert="AtomVaultSealed",
            width=8,
        ),
    ),
)

DASHBOARD = Dashboard(
    name="security",
    title="ATOM security",
    description="Refused uploads, logins and rights; the audit log's health; the secret store.",
    rows=(_ATTEMPTS, _RECORD),
)
