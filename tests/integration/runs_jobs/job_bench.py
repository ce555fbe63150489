"""Single shell steps as Jobs on a real cluster, in a namespace that enforces restricted Pod Security."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.servers.kubernetes import PYTHON_IMAGE, Kubernetes
from tests.servers.waiting import wait_until

from atomctl.canonical import Json
from atomctl.db.ids import new_id
from atomctl.kubernetes.connection import Cluster, Credentials
from atomctl.runs.masking import Masker
from atomctl.runs.steps.jobs import execution
from atomctl.runs.steps.jobs.drafting import key_of
from atomctl.runs.steps.jobs.execution import Traced
from atomctl.runs.steps.jobs.names import AttemptKey
from atomctl.runs.steps.jobs.place import JobPlace, JobRules
from atomctl.runs.steps.model import Halt, StepRequest, StepResult, Stream
from atomctl.wpk.model import HandlerType, Requirements, Runtime, RuntimeType

RULES = JobRules(image=PYTHON_IMAGE, local_images=frozenset({PYTHON_IMAGE}))
SMALL = Requirements(cpu="100m", memory="64Mi", storage="16Mi")


@dataclass
class Log:
    """What a step said, as its log keeps it."""

    text: str = ""

    def write(self, stream: Stream, data: bytes) -> None:
        self.text += data.decode(errors="replace")

    @property
    def said(self) -> str:
        """Without the warning about the image of the tests."""
        return "".join(line for line in self.text.splitlines(keepends=True) if not line.startswith("atom: WARNING"))


@dataclass
class JobBench:
    """One namespace, and the package of whoever tests."""

    kubernetes: Kubernetes
    namespace: str
    folder: Path
    place: JobPlace
    log: Log = field(default_factory=Log)
    cancelled: Halt = field(default_factory=Halt)

    def write(self, path: str, content: str | bytes, *, executable: bool = False) -> None:
        """A file of the package."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        file.chmod(0o755 if executable else 0o644)

    def request(self, script: str = "", *, seconds: float = 60.0, **given: Any) -> StepRequest:
        """A step that runs this text in a shell, unless its `config` says something else."""
        given.setdefault("config", {"command": script, "shell": True})
        given.setdefault("runtime", Runtime(type=RuntimeType.K8S, requirements=SMALL))
        return StepRequest(
            step_name="Work_it",
            handler=HandlerType.SHELL,
            attempt_id=new_id(),
            tenant_id=UUID(int=7),
            run_id=new_id(),
            folder=self.folder,
            timeout=timedelta(seconds=seconds),
            **given,
        )

    def execute(self, request: StepRequest) -> StepResult:
        """One attempt, to its end."""
        masker = Masker(request.secrets.values())
        return execution.execute(request, self.place, self.log, self.cancelled, masker)

    def run(self, script: str, **given: Any) -> StepResult:
        """One attempt of a step that is this text."""
        return self.execute(self.request(script, **given))

    @contextlib.contextmanager
    def running(self, request: StepRequest) -> Iterator[list[StepResult]]:
        """While inside, the attempt is carried out in a thread; its result is in the list afterwards."""
        results: list[StepResult] = []
        thread = threading.Thread(target=lambda: results.append(self.execute(request)))
        thread.start()
        try:
            yield results
        finally:
            thread.join(120)
            assert not thread.is_alive()

    def trace(self, request: StepRequest, log: Log) -> Traced:
        """What another worker finds out about the attempt."""
        return execution.trace(self.key(request), self.place, log, self.cancelled, timeout=request.timeout)

    def key(self, request: StepRequest) -> AttemptKey:
        return key_of(request)

    def objects(self, plural: str, group: str = "") -> list[dict[str, Any]]:
        """The objects of a kind in the namespace that belong to steps."""
        root = f"/apis/{group}" if group else "/api/v1"
        path = f"{root}/namespaces/{self.namespace}/{plural}"
        found = self.kubernetes.request("GET", path, labelSelector="app.kubernetes.io/managed-by=atomctl")
        return list(found["items"])

    def pods(self) -> list[dict[str, Any]]:
        return self.objects("pods")

    def jobs(self) -> list[dict[str, Any]]:
        return self.objects("jobs", "batch/v1")

    def must(self, *arguments: str) -> str:
        """What `kubectl` printed about the namespace."""
        return self.kubernetes.must("-n", self.namespace, *arguments)

    def wait_for_line(self, line: str) -> None:
        """The step has said so."""
        wait_until(lambda: line in self.log.text, f"the log says {line}")

    def nothing_left(self) -> bool:
        """Whether no object of any step is there."""
        kinds = (("jobs", "batch/v1"), ("networkpolicies", "networking.k8s.io/v1"))
        core = ("pods", "configmaps", "secrets")
        return not any(self.objects(*kind) for kind in kinds) and not any(self.objects(plural) for plural in core)


def bench_of(kubernetes: Kubernetes, namespace: str, folder: Path, rules: JobRules = RULES) -> JobBench:
    """A bench in this namespace, with an empty package."""
    package = folder / "package"
    package.mkdir(exist_ok=True)
    cluster = Cluster(Credentials(kubernetes.kubeconfig))
    return JobBench(kubernetes, namespace, package, JobPlace.of(cluster, namespace, rules))


def outputs_of(result: StepResult) -> Mapping[str, Json]:
    """The outputs of a step that succeeded."""
    assert result.outcome == "succeeded", f"{result.code}: {result.error}"
    return result.outputs
