"""Workers as processes of their own, which can be killed, stopped and continued; and what they leave behind.

Every attempt that a worker begins to execute leaves a file named after the attempt in the folder of effects, whatever
happens to the worker afterwards: that is how a test counts what really ran.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from tests.fakes.yard import until
from tools.kubernetes.images import PYTHON as PYTHON_IMAGE

from atomctl.db.address import DatabaseAddress
from atomctl.kubernetes.connection import Cluster, Credentials
from atomctl.objects.folder import FolderStore
from atomctl.runs import service as runs
from atomctl.runs.isolation import IsolationPolicy
from atomctl.runs.membership import Patience
from atomctl.runs.plan import Abilities
from atomctl.runs.steps.abilities import refusal
from atomctl.runs.steps.executors import StepExecutor
from atomctl.runs.steps.jobs.place import JobPlace, JobRules
from atomctl.runs.steps.kubernetes.place import Place
from atomctl.runs.steps.model import LogSink, StepRequest, StepResult
from atomctl.runs.steps.probe import prepare_site
from atomctl.worker import Worker, WorkerOptions


@dataclass
class Crew:
    """Worker processes on one database."""

    address: DatabaseAddress
    folder: Path
    objects: Path
    kubeconfig: Path | None = None
    """Of the cluster of k8s steps."""
    namespace: str | None = None
    """Where shell steps run as Jobs."""
    members: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def effects(self) -> Path:
        return self.folder / "effects"

    def hire(self, *, slots: int = 8, lease: float = 10.0) -> subprocess.Popen[bytes]:
        """A worker that is ready."""
        self.effects.mkdir(exist_ok=True)
        number = len(self.members)
        ready = self.folder / f"ready-{number}"
        told = {
            "host": self.address.host,
            "port": self.address.port,
            "dbname": self.address.dbname,
            "credentials": str(self.address.credentials),
            "objects": str(self.objects),
            "effects": str(self.effects),
            "scratch": str(self.folder / f"scratch-{number}"),
            "ready": str(ready),
            "slots": slots,
            "lease": lease,
            "kubeconfig": str(self.kubeconfig or ""),
            "namespace": self.namespace,
        }
        log = (self.folder / f"worker-{number}.log").open("wb")
        member = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.crew", json.dumps(told)], stdout=log, stderr=log, cwd=Path.cwd()
        )
        log.close()
        self.members.append(member)
        until(ready.exists, lambda there: there or member.poll() is not None)
        assert member.poll() is None, self.log_of(number)
        return member

    def log_of(self, number: int) -> str:
        return (self.folder / f"worker-{number}.log").read_text(errors="replace")

    def executed(self) -> Counter[UUID]:
        """How often each attempt was begun."""
        return Counter(UUID(file.name.partition(".")[0]) for file in self.effects.iterdir())

    def dismiss(self) -> None:
        """No worker of the crew is alive."""
        for member in self.members:
            if member.poll() is None:
                member.send_signal(signal.SIGCONT)
                member.kill()
            member.wait(30)


def processes_with(mark: str) -> list[int]:
    """The processes of this machine that have `mark` in their arguments."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                arguments = (entry / "cmdline").read_bytes()
            except OSError:
                continue  # it has ended meanwhile
            if mark.encode() in arguments.split(b"\0"):
                found.append(int(entry.name))
    return found


class _Witnessed:
    """The real steps, with a file for every execution."""

    def __init__(self, executor: StepExecutor, effects: Path) -> None:
        self._executor = executor
        self._effects = effects

    def __call__(self, request: StepRequest, sink: LogSink, cancelled: threading.Event) -> StepResult:
        file = self._effects / f"{request.attempt_id}.{os.getpid()}"
        file.touch(exist_ok=False)
        return self._executor(request, sink, cancelled)

    def recorded(self, attempt_id: UUID) -> StepResult | None:
        return self._executor.recorded(attempt_id)


def jobs_at(kubeconfig: Path, namespace: str) -> JobPlace:
    """Where the workers' shell steps run, in an image that every node has."""
    rules = JobRules(image=PYTHON_IMAGE, local_images=frozenset({PYTHON_IMAGE}))
    return JobPlace.of(Cluster(Credentials(kubeconfig)), namespace, rules)


def main() -> int:
    """What a worker process does: work until SIGTERM; 0 if it ended as asked, 3 if it was declared dead."""
    told = json.loads(sys.argv[1])
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    address = DatabaseAddress(told["host"], told["port"], told["dbname"], Path(told["credentials"]))
    scratch = Path(told["scratch"])
    kubeconfig = Path(told["kubeconfig"]) if told["kubeconfig"] else None
    jobs = jobs_at(kubeconfig, told["namespace"]) if kubeconfig and told["namespace"] else None
    place = Place.of(Cluster(Credentials(kubeconfig))) if kubeconfig else None
    executor = StepExecutor(prepare_site(scratch, IsolationPolicy.PREFERRED), place, jobs)
    worker = Worker(
        address,
        FolderStore(Path(told["objects"])),
        _Witnessed(executor, Path(told["effects"])),
        scratch,
        isolation="test",
        follow=runs.on_approval,
        jobs=jobs,
        abilities=Abilities(functools.partial(refusal, kubernetes=place is not None)),
        options=WorkerOptions(
            slots=told["slots"],
            poll=0.05,
            recover=0.2,
            ready_file=Path(told["ready"]),
            patience=Patience(locked=timedelta(seconds=told["lease"])),
        ),
    )
    return 0 if worker.run(stop) else 3


if __name__ == "__main__":
    sys.exit(main())
