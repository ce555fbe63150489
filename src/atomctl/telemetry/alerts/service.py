"""Alerts about the processes themselves."""

from __future__ import annotations

from datetime import timedelta

from atomctl.telemetry.alerts.model import Alert, Severity

ALERTS: tuple[Alert, ...] = (
    Alert(
        name="AtomNoWorker",
        expr='max(atom_workers{state="alive"}) < 1 or max(atom_worker_heartbeat_age_seconds) > $age'
        " or absent(atom_workers)",
        severity=Severity.CRITICAL,
        summary="No worker is alive.",
        means="Nothing runs, nothing expires, and the audit log is not written on. Runs that were requested wait. "
        "Since these figures come from workers, none of them being scraped looks the same.",
        clear=(
            "`atomctl worker` on any machine that reaches the database; `atomctl up` starts one by itself.",
            "A worker that does not start says why on standard error; `atomctl doctor` checks what it needs.",
        ),
        wait=timedelta(minutes=1),
        age=timedelta(minutes=1),
    ),
    Alert(
        name="AtomWorkerLost",
        expr='max(delta(atom_workers{state="dead"}[10m])) > 0',
        severity=Severity.WARNING,
        summary="Workers were declared dead by the others within the last ten minutes.",
        means="They were killed, lost the network, or stood still for longer than their lease. Others have taken over "
        "their runs; a step that may not be repeated waits for a decision.",
        clear=(
            "`GET /api/v1/workers` says which host it was; the host's log says whether it ran out of memory.",
            "Nothing has to be done for the runs. See AtomRunNeedsDecision.",
        ),
    ),
    Alert(
        name="AtomSequencerMissing",
        expr="sum(atom_audit_leading) < 1 or absent(atom_audit_leading)",
        severity=Severity.CRITICAL,
        summary="No worker writes the audit log.",
        means="Each worker tries to lead; none holds the lock, or none is scraped.",
        clear=(
            "Is a worker alive? See AtomNoWorker.",
            "`SELECT * FROM pg_locks WHERE locktype = 'advisory'` shows who holds the lock and does not work.",
        ),
        wait=timedelta(minutes=2),
    ),
    Alert(
        name="AtomFiguresUnread",
        expr="max(atom_stored_read) < 1",
        severity=Severity.WARNING,
        summary="No worker can read the figures of the deployment from the database.",
        means="They are not shown while they cannot be read, so alerts on them cannot fire; their absence has alerts "
        "of its own, which wait longer.",
        clear=("The workers' logs have the line `metrics.unread` with the reason.",),
        wait=timedelta(minutes=2),
    ),
    Alert(
        name="AtomVaultSealed",
        expr='max by (state) (atom_vault_state{state=~"sealed|unreachable"}) > 0',
        severity=Severity.CRITICAL,
        summary="The secret store is {{ $labels.state }}.",
        means="Steps that need a secret fail: at once if it is sealed; if it only cannot be reached, after at most five"
        " minutes with what is in memory.",
        clear=(
            "`bao status` (or `vault status`) on its machine; `bao operator unseal` opens it.",
            "`curl $VAULT_ADDR/v1/sys/health` from a worker's machine tells the network from the store.",
        ),
        wait=timedelta(minutes=1),
    ),
    Alert(
        name="AtomProcessDown",
        expr='up{job=~"atom.*"} == 0',
        severity=Severity.CRITICAL,
        summary="{{ $labels.instance }} does not answer Prometheus.",
        means="A server or worker that was there is gone, stands still, or its port is closed.",
        clear=(
            "`curl http://INSTANCE/livez` from Prometheus' machine.",
            "A worker that was killed leaves its file in `targets/` of its home; the next one removes it.",
        ),
        wait=timedelta(minutes=2),
    ),
    Alert(
        name="AtomServerErrors",
        expr='sum(increase(atom_http_requests_total{status="5xx"}[5m])) / sum(increase(atom_http_requests_total[5m]))'
        " > 0.05",
        severity=Severity.CRITICAL,
        summary="{{ $value | humanizePercentage }} of the requests are answered with an error of the server.",
        means="The server or its database breaks on requests that were not refused.",
        clear=(
            "The server's log has `request.failed` with the request's id and the traceback.",
            "`curl http://127.0.0.1:8460/readyz` names the check that fails.",
        ),
        wait=timedelta(minutes=2),
    ),
    Alert(
        name="AtomRequestsUncounted",
        expr="absent(atom_http_requests_total)",
        severity=Severity.WARNING,
        summary="No API server reports its requests, so no alert about uploads, logins and rights can fire.",
        means="Refused uploads, logins and rights are counted by the server that refuses them. Workers may be scraped "
        "all the same: their counters of these stay at zero, which looks like peace. Silence is not success.",
        clear=(
            "Look at Prometheus' page `/targets`: the server's port must be there and up, beside those of the workers.",
            "`curl http://127.0.0.1:8460/metrics | grep atom_http_requests` on the server's machine.",
        ),
        wait=timedelta(minutes=5),
    ),
)
