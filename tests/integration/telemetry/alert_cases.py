"""For every alert one situation in which it fires and one in which it is silent, as `promtool test rules` reads them.

Series are in promtool's notation: `0x5` is six times 0, `0+1x5` counts up by one. Samples are a minute apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Series: TypeAlias = dict[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """What is there when the rule is evaluated, and when that is."""

    fires: Series
    silent: Series
    at: str = "40m"


def _run_states(failed: str, succeeded: str) -> Series:
    return {
        'atom_run_states_total{state="failed"}': failed,
        'atom_run_states_total{state="succeeded"}': succeeded,
    }


_FINE = "0x60"
_ALL_READ = {
    "atom_backup_timestamp_seconds": _FINE,
    "atom_audit_oldest_waiting_seconds": _FINE,
    "atom_audit_verified_timestamp_seconds": _FINE,
}

CASES: dict[str, Case] = {
    "AtomRunFailed": Case(_run_states("0x34 1x20", _FINE), _run_states("1x60", "0+1x60")),
    "AtomRunFailuresFast": Case(_run_states("0+1x60", "0+4x60"), _run_states("0x30 0+1x3 4x30", "0+40x60")),
    "AtomRunFailuresSlow": Case(_run_states("0+1x60", "0+9x60"), _run_states("0+1x60", "0+40x60")),
    "AtomRunStuck": Case(
        {'atom_run_quiet_seconds{state="running"}': "0+60x60"},
        {'atom_run_quiet_seconds{state="running"}': "1700x60", 'atom_run_quiet_seconds{state="paused"}': "9999x60"},
    ),
    "AtomRunNeedsDecision": Case(
        {'atom_runs_open{state="needs_decision"}': "1x60"}, {'atom_runs_open{state="needs_decision"}': "1x38 0x20"}
    ),
    "AtomApprovalWaiting": Case(
        {'atom_approval_oldest_seconds{kind="run"}': "14500x60"},
        {'atom_approval_oldest_seconds{kind="run"}': "14300x60"},
    ),
    "AtomRunsUncounted": Case({"up": "1x60"}, _run_states(_FINE, _FINE)),
    "AtomUntrustedUpload": Case(
        {'atom_publish_verdicts_total{verdict="tampered"}': "0x35 1x20"},
        {
            'atom_publish_verdicts_total{verdict="accepted"}': "0+1x60",
            'atom_publish_verdicts_total{verdict="tampered"}': "1x60",
        },
    ),
    "AtomForgedToken": Case(
        {'atom_login_refusals_total{reason="signature"}': "0x38 1x20"},
        {'atom_login_refusals_total{reason="expired"}': "0+5x60"},
    ),
    "AtomLoginsRefused": Case(
        {'atom_login_refusals_total{reason="expired"}': "0+6x60"},
        {
            'atom_login_refusals_total{reason="expired"}': "0+1x60",
            'atom_login_refusals_total{reason="missing"}': "0+90x60",
        },
    ),
    "AtomCrossTenantAttempt": Case(
        {
            'atom_cross_tenant_attempts_total{instance="a"}': "3x35 4x20",
            'atom_cross_tenant_attempts_total{instance="b"}': "3x35 4x20",
        },
        {'atom_cross_tenant_attempts_total{instance="a"}': "3x60"},
    ),
    "AtomPermissionsRefused": Case(
        {"atom_permission_refusals_total": "0+3x60"}, {"atom_permission_refusals_total": "0+1x60"}
    ),
    "AtomSigningKeyEnds": Case(
        {"atom_signing_key_end_timestamp_seconds": "1000000x60"},
        {"atom_signing_key_end_timestamp_seconds": "2000000x60"},
    ),
    "AtomAuditLag": Case(
        {"atom_audit_oldest_waiting_seconds": "0x30 0+60x20"}, {"atom_audit_oldest_waiting_seconds": "45x60"}
    ),
    "AtomAuditBroken": Case(
        {'atom_signals{kind="audit_gap",severity="critical",state="open"}': "0x38 1x20"},
        {
            'atom_signals{kind="audit_gap",severity="critical",state="open"}': _FINE,
            'atom_signals{kind="audit_gap",severity="critical",state="closed"}': "3x60",
            "atom_audit_heads_refused_total": "2x60",
        },
    ),
    "AtomAuditUnverified": Case(
        {"atom_audit_verified_timestamp_seconds": "-25000x60"}, {"atom_audit_verified_timestamp_seconds": _FINE}
    ),
    "AtomSignalCritical": Case(
        {'atom_signals{kind="failure_rate",severity="critical",state="open"}': "1x60"},
        {
            'atom_signals{kind="failure_rate",severity="critical",state="acknowledged"}': "1x60",
            'atom_signals{kind="failure_rate",severity="warning",state="open"}': "9x60",
            'atom_signals{kind="failure_rate",severity="critical",state="open"}': _FINE,
        },
    ),
    "AtomSignalRate": Case(
        {'atom_signal_occurrences_total{kind="duration",severity="warning"}': "0+2x60"},
        {'atom_signal_occurrences_total{kind="duration",severity="warning"}': "0+0.5x60"},
        at="60m",
    ),
    "AtomBackupOld": Case({"atom_backup_timestamp_seconds": "-95000x60"}, {"atom_backup_timestamp_seconds": _FINE}),
    "AtomDrillOld": Case({"atom_drill_timestamp_seconds": "-700000x60"}, {"atom_drill_timestamp_seconds": _FINE}),
    "AtomRecordsUnread": Case({"up": "1x60"}, _ALL_READ),
    "AtomNoWorker": Case(
        {'atom_workers{state="alive"}': "0x60"},
        {'atom_workers{state="alive"}': "1x60", "atom_worker_heartbeat_age_seconds": "0.4x60"},
    ),
    "AtomWorkerLost": Case({'atom_workers{state="dead"}': "2x35 3x20"}, {'atom_workers{state="dead"}': "2x60"}),
    "AtomSequencerMissing": Case(
        {'atom_audit_leading{instance="a"}': _FINE, 'atom_audit_leading{instance="b"}': _FINE},
        {'atom_audit_leading{instance="a"}': _FINE, 'atom_audit_leading{instance="b"}': "1x60"},
    ),
    "AtomFiguresUnread": Case({"atom_stored_read": _FINE}, {"atom_stored_read": "1x60"}),
    "AtomVaultSealed": Case(
        {'atom_vault_state{state="sealed"}': "1x60"},
        {'atom_vault_state{state="ready"}': "1x60", 'atom_vault_state{state="sealed"}': _FINE},
    ),
    "AtomProcessDown": Case({'up{job="atom"}': "1x30 0x30"}, {'up{job="atom"}': "1x60", 'up{job="node"}': _FINE}),
    "AtomRequestsUncounted": Case(
        {"up": "1x60", 'atom_login_refusals_total{reason="expired"}': _FINE},
        {'atom_http_requests_total{noun="metrics"}': "0+1x60"},
    ),
    "AtomServerErrors": Case(
        {
            'atom_http_requests_total{status="5xx"}': "0+1x60",
            'atom_http_requests_total{status="2xx"}': "0+9x60",
        },
        {
            'atom_http_requests_total{status="5xx"}': "0+1x60",
            'atom_http_requests_total{status="2xx"}': "0+99x60",
        },
    ),
}
"""By the name of the alert."""

ABSENT: dict[str, Case] = {
    "AtomNoWorker": Case({"up": "1x60"}, {'atom_workers{state="alive"}': "1x60"}),
    "AtomSequencerMissing": Case({"up": "1x60"}, {"atom_audit_leading": "1x60"}),
}
"""The situations in which a figure is missing, for alerts that have both."""
