"""Alerts about uploads, logins and rights."""

from __future__ import annotations

from datetime import timedelta

from atomctl.telemetry.alerts.model import Alert, Severity

_REFUSED = 'verdict=~"unsigned|untrusted|revoked|tampered|rollback"'
_FORGED = 'reason=~"signature|malformed|tenant"'

ALERTS: tuple[Alert, ...] = (
    Alert(
        name="AtomUntrustedUpload",
        expr=f"sum by (verdict) (increase(atom_publish_verdicts_total{{{_REFUSED}}}[10m])) > 0",
        severity=Severity.CRITICAL,
        summary="Somebody tried to publish a package that is {{ $labels.verdict }}.",
        means="The upload was refused and nothing was stored. `unsigned` is mostly a forgotten step; `tampered` means "
        "that signed bytes were changed on their way, `revoked` that a key in other hands still signs, `untrusted` "
        "that the signer is nobody the rules name, `rollback` that an older version was offered as new.",
        clear=(
            "`atomctl signals list --kind unsigned_upload` names the package, and the audit log who pushed it.",
            "Ask that person. If it was not them, revoke the key: `POST /api/v1/trust/keys/ID/revoke`.",
            "Unsigned by mistake: `atomctl sign FILE`, then `atomctl push` again.",
        ),
    ),
    Alert(
        name="AtomForgedToken",
        expr=f"sum by (reason) (increase(atom_login_refusals_total{{{_FORGED}}}[10m])) > 0",
        severity=Severity.CRITICAL,
        summary="Access tokens that are no token of a configured issuer were presented ({{ $labels.reason }}).",
        means="A token was signed by somebody else, was changed, or claims a tenant its issuer may not speak for. That "
        "does not happen by mistake, unless an issuer has just changed its keys. All were refused.",
        clear=(
            "The server's log has the line `login.refused` with the client's address for each.",
            "If the issuer changed its keys: wait ten minutes, its key set is read again.",
            "Otherwise block the address where your network begins, and look for how the token came to be there.",
        ),
    ),
    Alert(
        name="AtomLoginsRefused",
        expr='sum(increase(atom_login_refusals_total{reason!="missing"}[5m])) > 20',
        severity=Severity.WARNING,
        summary="{{ $value | humanize }} logins were refused within five minutes.",
        means="Somebody tries tokens, or a program goes on with one that has expired. All were refused.",
        clear=(
            "`sum by (reason) (increase(atom_login_refusals_total[5m]))` tells expired tokens from forged ones.",
            "The server's log has the line `login.refused` with the client's address for each.",
        ),
    ),
    Alert(
        name="AtomCrossTenantAttempt",
        expr="max(increase(atom_cross_tenant_attempts_total[10m])) > 0",
        severity=Severity.CRITICAL,
        summary="Somebody asked for an id that belongs to another tenant.",
        means="The answer was that it does not exist, as for any id that was made up. But ids cannot be guessed: "
        "whoever names one has seen it, in a log, a ticket, or another tenant.",
        clear=(
            "`SELECT * FROM atom.cross_tenant_attempts ORDER BY hour DESC`, as the database's administrator, says who.",
            "The audit log of that tenant has the refused changes: `atomctl audit log`.",
            "Find out where the id was seen. A person who works for two tenants has mixed up two contexts.",
        ),
    ),
    Alert(
        name="AtomPermissionsRefused",
        expr="sum(increase(atom_permission_refusals_total[15m])) > 20",
        severity=Severity.WARNING,
        summary="{{ $value | humanize }} requests lacked the right within a quarter of an hour.",
        means="Somebody who is logged in tries what their roles do not allow, or a program has the wrong role.",
        clear=(
            "`atomctl signals list --kind policy_violation` names the principals.",
            "`docs/reference/permissions.md` says which role may do what.",
        ),
    ),
    Alert(
        name="AtomSigningKeyEnds",
        expr="min(atom_signing_key_end_timestamp_seconds) - time() < $age",
        severity=Severity.WARNING,
        summary="A signing key ends within {{ $value | humanizeDuration }}.",
        means="From its end on, nothing that it signs is accepted any more; what was accepted before still runs.",
        clear=(
            "`atomctl trust keys` lists the keys and their ends.",
            "`atomctl keys generate`, register the new key, and let the trust rules name it beside the old one.",
        ),
        age=timedelta(days=14),
        wait=timedelta(minutes=5),
    ),
)
