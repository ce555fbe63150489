"""A tenant that runs things: people, a trusted key, published packages, a worker in this process or in others."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.fakes.packages import new_key, rules_for, signed
from tests.fakes.people import log_in

from atomctl.access.model import Actor, Role
from atomctl.approvals import service as approvals
from atomctl.approvals.model import Choice
from atomctl.canonical import Json
from atomctl.db.address import DatabaseAddress
from atomctl.db.session import Sessions
from atomctl.objects.folder import FolderStore
from atomctl.registry import service as registry
from atomctl.registry.model import PackageRecord
from atomctl.runs import service as runs
from atomctl.runs.context import StepRunner
from atomctl.runs.model import Attempt, Run, RunState
from atomctl.runs.plan import Abilities
from atomctl.runs.read import Steps
from atomctl.runs.states import ENDED
from atomctl.runs.steps.jobs.place import JobPlace
from atomctl.secrets.model import SecretSource
from atomctl.worker import Worker, WorkerOptions
from atomctl.wpk.archive import FileEntry, Source, pack

ENVIRONMENT = "test"

HEAD = """\
apiVersion: atom/v1
kind: WorkflowPackage
metadata: {{name: {name}, version: {version}}}
spec:
  runtime: {{type: shell}}
  safety: {{mode: manual, approval_required: false, dry_run_required: false}}
"""


def manifest(spec: str, *, name: str = "work", version: str = "1.0.0") -> str:
    """A manifest whose `spec` continues with the given lines, indented by two."""
    body = "".join(f"  {line}\n" for line in spec.strip("\n").splitlines())
    return HEAD.format(name=name, version=version) + body


@dataclass
class Yard:
    """One tenant. `anna` writes packages, `olga` operates, `paul` and `sara` approve."""

    sessions: Sessions
    tenant_id: UUID
    objects: FolderStore
    abilities: Abilities = field(default_factory=Abilities)

    def __post_init__(self) -> None:
        self.adam = log_in(self.sessions, self.tenant_id, "adam", Role.ADMIN)
        self.anna = log_in(self.sessions, self.tenant_id, "anna", Role.AUTHOR)
        self.key = new_key()
        with self.sessions.tenant(self.tenant_id) as conn:
            registry.register_key(
                conn,
                self.adam,
                public_key=self.key.public_key.to_pem(),
                now=datetime.now(UTC),
                owner=self.anna.principal_id,
            )
            registry.propose_rules(conn, self.adam, rules_for(self.key), "because the test says so")
        self.olga = log_in(self.sessions, self.tenant_id, "olga", Role.OPERATOR)
        self.paul = log_in(self.sessions, self.tenant_id, "paul", Role.APPROVER)
        self.sara = log_in(self.sessions, self.tenant_id, "sara", Role.SECURITY)

    def publish(self, text: str, files: Mapping[str, str] | None = None) -> PackageRecord:
        """Packs, signs and pushes a package of this manifest; `files` under `scripts/` are executable."""
        members = {"wpk.yaml": FileEntry(text.encode())}
        for path, content in (files or {}).items():
            members[path] = FileEntry(content.encode(), executable=path.startswith("scripts/"))
        packed = pack(Source(members))
        return registry.push(
            self.sessions,
            self.objects,
            self.anna,
            data=packed.data,
            bundles=[signed(self.key, packed, str(self.tenant_id))],
            now=datetime.now(UTC),
            environment=ENVIRONMENT,
        ).package

    def request(self, package: PackageRecord, parameters: Mapping[str, Json] | None = None, **given: Any) -> Run:
        """`olga` asks for a run; the environment is the one the package was pushed to."""
        request = runs.RunRequest(package_id=package.id, parameters=parameters or {}, environment=ENVIRONMENT, **given)
        with self.sessions.tenant(self.tenant_id) as conn:
            return runs.request_run(conn, self.objects, self.olga, request, self.abilities)

    def start(self, package: PackageRecord, parameters: Mapping[str, Json] | None = None, **given: Any) -> Run:
        """`olga` asks for a run, and `sara` and `paul` let it start if the decision wants them to."""
        return self.approve(self.request(package, parameters, **given))

    def approve(self, run: Run) -> Run:
        """`sara` and `paul` vote for the run as long as it waits to start."""
        for voter in (self.sara, self.paul):
            if self.get(run).state is RunState.AWAITING_APPROVAL:
                self.vote(run, voter)
        return self.get(run)

    def vote(self, run: Run, voter: Actor, choice: Choice = Choice.APPROVE) -> None:
        """A vote on whatever approval the run waits for, and what follows from it, in one transaction."""
        with self.sessions.tenant(self.tenant_id) as conn:
            waiting = [step.approval_id for step in runs.steps_of(conn, self.tenant_id, run.id).forward.values()]
            approval_id = next((a for a in reversed(waiting) if a), None) or run.approval_id
            assert approval_id is not None
            runs.on_approval(conn, approvals.vote(conn, voter, approval_id, choice))

    def get(self, run: Run | UUID) -> Run:
        run_id = run if isinstance(run, UUID) else run.id
        with self.sessions.tenant(self.tenant_id) as conn:
            return runs.get(conn, self.tenant_id, run_id)

    def steps(self, run: Run) -> Steps:
        with self.sessions.tenant(self.tenant_id) as conn:
            return runs.steps_of(conn, self.tenant_id, run.id)

    def attempts(self, run: Run) -> list[Attempt]:
        with self.sessions.tenant(self.tenant_id) as conn:
            return runs.attempts_of(conn, self.tenant_id, run.id)

    def states(self, run: Run) -> dict[str, str]:
        """`{step: state}` of both phases."""
        steps = self.steps(run)
        return {name: step.state.value for name, step in (*steps.forward.items(), *steps.rollback.items())}

    def log(self, run: Run) -> str:
        """The whole log of a run that has ended."""
        text, after = "", None
        while True:
            with self.sessions.tenant(self.tenant_id) as conn:
                page = runs.log_lines(conn, self.objects, self.tenant_id, run.id, after)
            text += "".join(part.data.decode() for part in page.parts)
            after = str(page.after)
            if page.ended:
                return text

    def wait(self, run: Run, *states: RunState, timeout: float = 30) -> Run:
        """The run once it is in one of the states, by default in any final one."""
        wanted = frozenset(states) or ENDED
        found: Run = until(lambda: self.get(run), lambda found: found.state in wanted, timeout)
        return found


def until(look: Callable[[], Any], holds: Callable[[Any], bool], timeout: float = 30) -> Any:
    """What `look` returns once it `holds`."""
    deadline = time.monotonic() + timeout
    while not holds(found := look()):
        assert time.monotonic() < deadline, f"after {timeout} s: {found}"
        time.sleep(0.02)
    return found


@contextlib.contextmanager
def working(
    address: DatabaseAddress,
    yard: Yard,
    steps: StepRunner,
    scratch: Path,
    options: WorkerOptions | None = None,
    *,
    secrets: SecretSource | None = None,
    jobs: JobPlace | None = None,
) -> Iterator[Worker]:
    """A worker in a thread of this process; it has ended when the block does."""
    stop = threading.Event()
    worker = Worker(
        address,
        yard.objects,
        steps,
        scratch,
        isolation="test",
        follow=runs.on_approval,
        secrets=secrets,
        jobs=jobs,
        abilities=yard.abilities,
        options=options or WorkerOptions(poll=0.05, watch=0.05),
    )
    thread = threading.Thread(target=worker.run, args=(stop,), name="test-worker")
    thread.start()
    try:
        yield worker
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()
