"""The workload of the tests: a Deployment of `web_program.py` in a namespace, and what is done to it from outside."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from tests.servers.kubernetes import PYTHON_IMAGE, Kubernetes
from tests.servers.waiting import wait_until

PROGRAM = Path(__file__).with_name("web_program.py")
NAME = "web"
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Web:
    """The Deployment `web` of a namespace.

    Attributes:
        environment: of its containers, beside what the ConfigMap `web-settings` says when they start.
        secret: the Secret whose keys are its `USERNAME` and `PASSWORD`; none if empty.
    """

    kubernetes: Kubernetes
    namespace: str
    replicas: int = 2
    secret: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def deploy(self) -> None:
        """Afterwards all replicas are ready."""
        self.apply(_map("web-program", {"web_program.py": PROGRAM.read_text()}), _map("web-settings", {}))
        self.apply(self._deployment())
        self.kubernetes.must("-n", self.namespace, "rollout", "status", f"deployment/{NAME}", "--timeout=60s")

    def apply(self, *objects: dict[str, Any]) -> None:
        """Afterwards these objects are in the namespace."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        self.kubernetes.must("-n", self.namespace, "apply", "-f", "-", given=text)

    def break_settings(self) -> None:
        """Afterwards every process that starts anew is broken, whatever is done."""
        self.apply(_map("web-settings", {"BROKEN": "yes"}))

    def break_processes(self) -> None:
        """Afterwards no replica is ready, until its process is started anew."""
        for address in self.addresses():
            httpx.post(f"http://{address}:8080/break", timeout=10, trust_env=False).raise_for_status()
        wait_until(lambda: self.ready_replicas == 0, "no replica is ready", _START_SECONDS)

    def give_up_after(self, seconds: int) -> None:
        """Afterwards a rollout that makes no progress for so long is given up."""
        path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{NAME}"
        self.kubernetes.request("PATCH", path, {"spec": {"progressDeadlineSeconds": seconds}})

    @property
    def object(self) -> dict[str, Any]:
        """The Deployment as it is now."""
        return self.kubernetes.request("GET", f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{NAME}")

    @property
    def ready_replicas(self) -> int:
        """How many replicas are ready now."""
        return int(self.object["status"].get("readyReplicas", 0))

    def addresses(self) -> list[str]:
        """Of the Pods that are ready; this machine reaches them."""
        pods = self.kubernetes.request("GET", f"/api/v1/namespaces/{self.namespace}/pods", labelSelector=f"app={NAME}")
        return [pod["status"]["podIP"] for pod in pods["items"] if _is_ready(pod)]

    def _deployment(self) -> dict[str, Any]:
        labels = {"app": NAME}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": NAME, "labels": labels},
            "spec": {
                "replicas": self.replicas,
                "progressDeadlineSeconds": 60,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": self._pod()},
            },
        }

    def _pod(self) -> dict[str, Any]:
        sources: list[dict[str, Any]] = [{"configMapRef": {"name": "web-settings"}}]
        return {
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "volumes": [{"name": "program", "configMap": {"name": "web-program"}}],
            "containers": [
                {
                    "name": "web",
                    "image": PYTHON_IMAGE,
                    "imagePullPolicy": "Never",
                    "command": ["python3", "/program/web_program.py"],
                    "env": [*self._variables(), *self._login()],
                    "envFrom": sources,
                    "ports": [{"name": "http", "containerPort": 8080}],
                    "readinessProbe": {
                        "httpGet": {"path": "/healthz", "port": "http"},
                        "periodSeconds": 1,
                        "failureThreshold": 1,
                        "timeoutSeconds": 5,
                    },
                    "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "volumeMounts": [{"name": "program", "mountPath": "/program", "readOnly": True}],
                }
            ],
        }

    def _variables(self) -> list[dict[str, Any]]:
        return [{"name": name, "value": value} for name, value in self.environment.items()]

    def _login(self) -> list[dict[str, Any]]:
        if not self.secret:
            return []
        return [
            {"name": name.upper(), "valueFrom": {"secretKeyRef": {"name": self.secret, "key": name}}}
            for name in ("username", "password")
        ]


def _map(name: str, data: dict[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", [])
    going = "deletionTimestamp" in pod["metadata"]
    return not going and any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
