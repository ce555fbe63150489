"""Single actions on a real cluster, carried out as a worker does, with a ledger in memory."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.servers.kubernetes import PYTHON_IMAGE, Kubernetes

from atomctl.canonical import Json
from atomctl.db.ids import new_id
from atomctl.kubernetes.calls import Patience
from atomctl.kubernetes.connection import Cluster, Credentials
from atomctl.runs.masking import Masker
from atomctl.runs.steps.kubernetes.execution import execute
from atomctl.runs.steps.kubernetes.model import Grounds, ObjectChange
from atomctl.runs.steps.kubernetes.place import Place
from atomctl.runs.steps.kubernetes.preview import Planned, Preview, preview_of
from atomctl.runs.steps.model import StepRequest, StepResult, Stream
from atomctl.wpk.model import HandlerType


@dataclass
class Ledger:
    """What was set out to be done; nothing is changed before it is here."""

    intents: list[ObjectChange] = field(default_factory=list)

    def intend(self, change: ObjectChange) -> None:
        self.intents.append(change)


@dataclass
class Log:
    """The masked log of a step."""

    text: str = ""

    def write(self, stream: Stream, data: bytes) -> None:
        self.text += data.decode()


@dataclass
class Bench:
    """One namespace of one cluster, and what one run has done there so far."""

    kubernetes: Kubernetes
    namespace: str
    folder: Path
    place: Place
    run: str = "run-1"
    own: list[ObjectChange] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    log: Log = field(default_factory=Log)

    def act(
        self,
        action: str,
        *,
        step: str = "step",
        seconds: float = 30.0,
        undoes: str | None = None,
        approved: Preview | None = None,
        place: Place | None = None,
        cancelled: threading.Event | None = None,
        secrets: Mapping[str, str] | None = None,
        try_number: int = 1,
        **config: Json,
    ) -> StepResult:
        """One attempt of a step; what it changed counts as done by the run."""
        grounds = Grounds(
            owner=f"{self.run}/{step}",
            try_number=try_number,
            ledger=self.ledger,
            approved=objects_of(approved, step) if approved else None,
            own=tuple(self.own),
            undoes=undoes,
        )
        request = StepRequest(
            step_name=step,
            handler=HandlerType.K8S,
            attempt_id=new_id(),
            config=self.config(action, config),
            folder=self.folder,
            timeout=timedelta(seconds=seconds),
            secrets=secrets or {},
            grounds=grounds,
        )
        masker = Masker((secrets or {}).values())
        result = execute(request, place or self.place, self.log, cancelled or threading.Event(), masker)
        self.own += result.changes
        return result

    def done(self, action: str, **config: Any) -> StepResult:
        """One attempt of a step that succeeds."""
        result = self.act(action, **config)
        assert result.outcome == "succeeded", f"{result.code}: {result.error}\n{self.log.text}"
        return result

    def preview(self, *steps: Planned, place: Place | None = None) -> Preview:
        """What the steps would change."""
        found = preview_of(list(steps), place or self.place, self.folder, self.run, Patience.of(20.0))
        assert found is not None
        return found

    def planned(self, action: str, *, step: str = "step", conditional: bool = False, **config: Json) -> Planned:
        """A step of a plan."""
        return Planned(step=step, config=self.config(action, config), conditional=conditional)

    def config(self, action: str, config: Mapping[str, Json]) -> dict[str, Json]:
        return {"action": action, "namespace": self.namespace, **config}

    def create(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """The object as the administrator made it; somebody else's doing."""
        kind, version = str(manifest["kind"]), str(manifest["apiVersion"])
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        return self.kubernetes.request("POST", f"{root}/namespaces/{self.namespace}/{kind.lower()}s", manifest)

    def web(self, name: str = "web", *, replicas: int = 1, ready: bool = True) -> dict[str, Any]:
        """A Deployment whose Pods are ready at once, or never."""
        return self.create(deployment(name, replicas=replicas, ready=ready))

    def look(self, path: str) -> dict[str, Any]:
        """An object as the administrator sees it, such as `apps/v1 deployments/web`."""
        version, _, rest = path.partition(" ")
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        return self.kubernetes.request("GET", f"{root}/namespaces/{self.namespace}/{rest}")

    def change(self, path: str, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Somebody else changes an object."""
        version, _, rest = path.partition(" ")
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        return self.kubernetes.request("PATCH", f"{root}/namespaces/{self.namespace}/{rest}", patch)


WEB = "apps/v1 deployments/web"


def bench_of(kubernetes: Kubernetes, namespace: str, folder: Path) -> Bench:
    """A bench with the administrator's rights."""
    return Bench(kubernetes, namespace, folder, Place.of(Cluster(Credentials(kubernetes.kubeconfig))))


def objects_of(preview: Preview, step: str) -> tuple[dict[str, Json], ...] | None:
    steps: Any = preview.document["steps"]
    entry = next(entry for entry in steps if entry["step"] == step)
    return tuple(entry["objects"]) if entry["objects"] is not None else None


def deployment(name: str = "web", *, replicas: int = 1, ready: bool = True) -> dict[str, Any]:
    """A Deployment of the image every node has."""
    probe = {"exec": {"command": ["true" if ready else "false"]}, "periodSeconds": 1}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "progressDeadlineSeconds": 5 if not ready else 60,
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"terminationGracePeriodSeconds": 0, "containers": [container(readinessProbe=probe)]},
            },
        },
    }


def container(*command: str, **more: Any) -> dict[str, Any]:
    """A container that says hello and stays, or runs the given command."""
    stays = ("python3", "-u", "-c", "print('hello'); import time; time.sleep(3600)")
    return {
        "name": "app",
        "image": PYTHON_IMAGE,
        "imagePullPolicy": "Never",
        "command": list(command or stays),
        **more,
    }


def job(name: str, *command: str, image: str = PYTHON_IMAGE, **spec: Any) -> dict[str, Any]:
    """A Job that is tried once."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {
            "backoffLimit": 0,
            **spec,
            "template": {
                "spec": {
                    "restartPolicy": "Never",
                    "terminationGracePeriodSeconds": 0,
                    "containers": [{**container(*command), "image": image}],
                }
            },
        },
    }


def patient(bench: Bench, place: Place) -> Bench:
    """The same namespace through another connection."""
    return dataclasses.replace(bench, place=place, own=[], ledger=Ledger(), log=Log())
