"""Explanations of real runs, and of runs as the record holds them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb
from tests.fakes.past_runs import Archive, Past
from tests.fakes.people import log_in
from tests.fakes.scripted import Scripted, let_go
from tests.fakes.yard import Yard, manifest, until, working

from atomctl.access.model import Role
from atomctl.approvals.model import Choice
from atomctl.db.address import DatabaseAddress
from atomctl.db.ids import new_id
from atomctl.errors import AtomError
from atomctl.explanation.model import Aspect, Explanation
from atomctl.explanation.service import explain_run
from atomctl.insight import service as insight
from atomctl.insight.model import Candidate, Detector, Kind, Severity
from atomctl.runs import service as runs
from atomctl.runs.attempt_log import CHUNK
from atomctl.runs.model import Run, RunState
from atomctl.runs.steps.codes import EXIT_STATUS
from atomctl.worker import Worker, WorkerOptions

DEPLOY = """
parameters:
  type: object
  properties: {fail: {type: boolean, default: false}, replicas: {type: integer, default: 2}}
handlers:
  - {name: build, type: shell, config: {script: scripts/build.sh}}
  - name: deploy
    type: shell
    config: {script: scripts/deploy.sh}
    retry: {max_attempts: 2, backoff: 1s}
    idempotency: safe
rollback:
  enabled: true
  handlers:
    - {name: undo, type: shell, compensates: build, config: {script: scripts/build.sh}, idempotency: safe}
"""
SCRIPTS = {
    "scripts/build.sh": "#!/bin/sh\necho building\n",
    "scripts/deploy.sh": """#!/bin/sh
for n in $(seq 30); do echo line $n; done
printf '\\033[31mno answer\\033[0m\\n'
[ "$ATOM_PARAM_FAIL" = false ] || exit 7
""",
    "README.md": "# deployer\nDeploys.\n\n## When deploy fails\nAsk the platform team.\n",
}
NOW = datetime.now(UTC)


def explained(yard: Yard, run: Run | UUID) -> Explanation:
    run_id = run if isinstance(run, UUID) else run.id
    with yard.sessions.tenant(yard.tenant_id) as conn:
        return explain_run(conn, yard.objects, yard.olga, run_id)


def noticed(yard: Yard, run: Run, **given: object) -> None:
    fields: dict[str, object] = {
        "kind": Kind.FAILURE_RATE,
        "subject": f"workflow/{run.workflow}",
        "detector": Detector("failure-rate"),
        "window": (NOW, datetime.now(UTC)),
        "observed": 0.5,
        "baseline": 0.05,
        "score": 4.0,
        "severity": Severity.WARNING,
        "summary": "half of them failed",
        "position": 1,
    }
    with yard.sessions.tenant(yard.tenant_id) as conn:
        insight.raise_signal(conn, yard.tenant_id, Candidate(**{**fields, **given}))  # type: ignore[arg-type]  # by name


def test_a_failed_run_is_put_together_with_all_that_changed(yard: Yard, worker: Worker) -> None:
    good = yard.wait(yard.start(yard.publish(manifest(DEPLOY), SCRIPTS)))
    assert good.state is RunState.SUCCEEDED
    newer = yard.publish(manifest(DEPLOY, version="1.1.0"), SCRIPTS)
    bad = yard.wait(yard.start(newer, {"fail": True, "replicas": 4}))
    assert bad.state is RunState.ROLLED_BACK
    noticed(yard, bad, evidence=(bad.id,), position=2)
    noticed(yard, bad, kind=Kind.DURATION, detector=Detector("duration"))
    noticed(yard, bad, kind=Kind.RUN_RATE, subject="workflow/another", detector=Detector("run-rate"))

    found = explained(yard, bad)
    assert found.story == "Step deploy failed in 2 tries. What had been done was undone."
    (step,) = found.failing
    assert (step.name, step.type, step.exit_code, step.tries) == ("deploy", "shell", 7, 2)
    assert step.problem is not None
    assert step.problem.code == EXIT_STATUS.id
    assert step.problem.meaning == EXIT_STATUS.meaning
    assert step.log.lines == (*(f"line {number}" for number in range(12, 31)), "no answer")
    assert step.log.more
    since = found.since_success
    assert since is not None
    assert since.run_id == good.id
    changes = {(change.aspect, change.name): (change.before, change.after) for change in since.comparison.changes}
    assert changes[Aspect.VERSION, None] == ("1.0.0", "1.1.0")
    assert changes[Aspect.PARAMETERS, "fail"] == ("false", "true")
    assert changes[Aspect.PARAMETERS, "replicas"] == ("2", "4")
    assert {aspect for aspect, _ in changes} == {Aspect.VERSION, Aspect.PACKAGE, Aspect.PARAMETERS}
    unchanged = {Aspect.RULES, Aspect.POLICY, Aspect.DECISION, Aspect.ENVIRONMENT, Aspect.ISOLATION, Aspect.PRODUCT}
    assert unchanged <= set(since.comparison.same)
    assert [(signal.kind, signal.names_run) for signal in found.signals] == [
        ("failure_rate", True),
        ("duration", False),
    ]
    assert found.runbook is not None
    assert (found.runbook.source, found.runbook.text) == ("README.md", "Ask the platform team.")
    assert [command.command.split()[1] for command in found.next] == ["logs", "runs"]
    assert found.waits_for is None


def test_a_running_run_says_which_step_it_waits_for_and_what_that_said(yard: Yard, worker: Worker) -> None:
    spec = 'handlers:\n  - {name: wait, type: shell, config: {command: [sh, -c, "echo begun; sleep 60"]}}'
    run = yard.start(yard.publish(manifest(spec)))
    found = until(lambda: explained(yard, run), lambda seen: seen.at_work is not None and seen.at_work.log.lines != ())
    assert found.at_work.log.lines == ("begun",)
    assert found.waits_for.text == "step wait, its try 1"
    assert found.next[0].command == f"atomctl logs {run.id} --follow"


def test_a_log_that_is_damaged_is_said_to_be_and_hinders_nothing(yard: Yard, tmp_path: Path) -> None:
    archive = Archive(yard, yard.publish(manifest(DEPLOY), SCRIPTS))
    (run_id,) = archive.add(Past(ended_at=NOW, state="FAILED", log=[b"a line\n"], error="no answer", exit_code=1))
    for file in (tmp_path / "objects" / "logs").rglob("*.zst"):
        file.write_bytes(b"something else")
    (step,) = explained(yard, run_id).failing
    assert step.log.lines == ()
    assert step.log.unreadable is not None
    assert step.log.unreadable.startswith("RUN616")
    assert step.problem is not None
    assert step.problem.why == "no answer"


def test_only_the_end_of_a_long_log_is_read(yard: Yard, tmp_path: Path) -> None:
    archive = Archive(yard, yard.publish(manifest(DEPLOY), SCRIPTS))
    lines = b"".join(b"%015d\n" % number for number in range(20 * CHUNK // 16))
    chunks = [lines[start : start + CHUNK] for start in range(0, len(lines), CHUNK)]
    (run_id,) = archive.add(Past(ended_at=NOW, state="FAILED", log=chunks, error="no", exit_code=1))
    for file in sorted((tmp_path / "objects" / "logs").rglob("*.zst"), key=lambda file: int(file.stem))[:-1]:
        file.unlink()
    (step,) = explained(yard, run_id).failing
    last = 20 * CHUNK // 16 - 1
    assert step.log.lines == tuple(f"{number:015d}" for number in range(last - 19, last + 1))


def test_the_success_compared_with_is_the_newest_before_the_run_and_no_dry_run(yard: Yard) -> None:
    archive = Archive(yard, yard.publish(manifest(DEPLOY), SCRIPTS))
    moments = [NOW - timedelta(hours=hours) for hours in (5, 4, 3, 2, 1)]
    _, right, _, failed, _ = archive.add(
        Past(ended_at=moments[0], parameters={"replicas": 1}),
        Past(ended_at=moments[1], parameters={"replicas": 2}),
        Past(ended_at=moments[2], parameters={"replicas": 3}, dry_run=True),
        Past(ended_at=moments[3], parameters={"replicas": 4}, state="FAILED", error="no", exit_code=1),
        Past(ended_at=moments[4], parameters={"replicas": 5}),
    )
    since = explained(yard, failed).since_success
    assert since is not None
    assert since.run_id == right
    assert [(change.before, change.after) for change in since.comparison.changes] == [("2", "4")]
    assert {Aspect.ISOLATION, Aspect.PRODUCT, Aspect.IMAGES} <= set(since.comparison.unrecorded)


def test_images_of_what_the_runs_left_in_the_cluster_are_compared(yard: Yard) -> None:
    archive = Archive(yard, yard.publish(manifest(DEPLOY), SCRIPTS))
    before, after = archive.add(
        Past(ended_at=NOW - timedelta(hours=1), log=[b"ok\n"]),
        Past(ended_at=NOW, state="FAILED", log=[b"no\n"], error="no", exit_code=1),
    )
    for run_id, image in ((before, "web@sha256:1"), (after, "web@sha256:2")):
        leave(yard, run_id, image)
    since = explained(yard, after).since_success
    assert since is not None
    (change,) = since.comparison.changes
    assert (change.aspect, change.name) == (Aspect.IMAGES, "Deployment shop/web: app")
    assert (change.before, change.after) == ("web@sha256:1", "web@sha256:2")


def leave(yard: Yard, run_id: UUID, image: str) -> None:
    """The run's only attempt changed a Deployment to this image."""
    pod = {"spec": {"containers": [{"name": "app", "image": image}]}}
    web = {"kind": "Deployment", "metadata": {"namespace": "shop", "name": "web"}, "spec": {"template": pod}}
    with yard.sessions.tenant(yard.tenant_id) as conn:
        conn.execute(
            "INSERT INTO atom.step_objects (tenant_id, attempt_id, run_id, phase, step, action, api_version, kind,"
            " namespace, name, state, kept, after_object)"
            " SELECT tenant_id, id, run_id, phase, step, 'patch', 'apps/v1', 'Deployment', 'shop', 'web', 'MADE', true,"
            " %s FROM atom.step_attempts WHERE run_id = %s",
            (Jsonb(web), run_id),
        )


def test_a_package_whose_bytes_are_gone_has_no_passage_and_the_rest_is_told(yard: Yard, tmp_path: Path) -> None:
    record = yard.publish(manifest(DEPLOY), SCRIPTS)
    (run_id,) = Archive(yard, record).add(Past(ended_at=NOW, state="FAILED", error="no", exit_code=1))
    (tmp_path / "objects" / record.object_key).unlink()
    found = explained(yard, run_id)
    assert found.runbook is None
    assert found.failing


def test_another_tenants_run_is_no_run_and_no_success_to_compare_with(
    yard: Yard, make_tenant: Callable[[str], UUID]
) -> None:
    other = Yard(yard.sessions, make_tenant("other"), yard.objects)
    Archive(other, other.publish(manifest(DEPLOY), SCRIPTS)).add(Past(ended_at=NOW - timedelta(hours=1)))
    archive = Archive(yard, yard.publish(manifest(DEPLOY), SCRIPTS))
    (mine,) = archive.add(Past(ended_at=NOW, state="FAILED", error="no", exit_code=1))
    assert explained(yard, mine).since_success is None
    stranger = log_in(yard.sessions, other.tenant_id, "eve", Role.ADMIN)
    with yard.sessions.tenant(other.tenant_id) as conn, pytest.raises(AtomError) as refused:
        explain_run(conn, yard.objects, stranger, mine)
    assert refused.value.code.id == "RUN601"
    nobody = log_in(yard.sessions, yard.tenant_id, "nobody")
    with yard.sessions.tenant(yard.tenant_id) as conn, pytest.raises(AtomError) as refused:
        explain_run(conn, yard.objects, nobody, mine)
    assert refused.value.code.id == "AUT020"
    with pytest.raises(AtomError):
        explained(yard, new_id())


def test_a_run_that_asks_shows_the_step_its_log_and_the_three_answers(
    yard: Yard, database: DatabaseAddress, scratch: Path
) -> None:
    scratch.mkdir()
    spec = "handlers:\n  - {name: only, type: shell, config: {command: [echo, x]}, idempotency: unsafe}"
    with working(database, yard, Scripted(let_go), scratch, WorkerOptions(poll=0.05, watch=0.05)):
        run = yard.start(yard.publish(manifest(spec)))
        yard.wait(run, RunState.NEEDS_DECISION)
        found = explained(yard, run)
    assert found.waits_for is not None
    assert found.waits_for.text == "a person who finds out whether step only took effect"
    (step,) = found.failing
    assert step.problem is not None
    assert (step.state, step.problem.code) == ("UNKNOWN", "RUN613")
    assert [command.command.rpartition(str(run.id))[2].split()[:2] for command in found.next] == [
        ["--step", "only"],
        ["only", "done"],
        ["only", "rerun"],
        ["only", "rollback"],
    ]


def test_a_run_nobody_executes_waits_for_a_worker_until_it_is_cancelled(yard: Yard) -> None:
    run = yard.start(yard.publish(manifest(DEPLOY), SCRIPTS))
    queued = explained(yard, run)
    assert queued.waits_for is not None
    assert queued.waits_for.text == "a worker, and none is alive"
    with yard.sessions.tenant(yard.tenant_id) as conn:
        runs.cancel(conn, yard.olga, run.id, "not today")
    cancelled = explained(yard, run)
    assert cancelled.waits_for is None
    assert cancelled.story == "It was cancelled before it began."
    assert cancelled.problem is not None
    assert cancelled.problem.why == "not today"
    assert [command.command for command in cancelled.next] == [f"atomctl runs rerun {run.id}"]


def test_a_run_that_was_rejected_says_so(yard: Yard) -> None:
    spec = "handlers:\n  - {name: only, type: shell, config: {command: [echo, x]}}"
    demanding = manifest(spec).replace("approval_required: false", "approval_required: true")
    run = yard.request(yard.publish(demanding))
    yard.vote(run, yard.sara, Choice.REJECT)
    found = explained(yard, run)
    assert found.story == "Somebody voted against it; nothing more of it runs."
    assert found.waits_for is None
    assert found.failing == ()
