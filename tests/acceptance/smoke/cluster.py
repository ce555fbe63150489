"""A release of the chart in a cluster: its ports on this machine, and a shell in its pods, all through `kubectl`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.acceptance.smoke.deployment import Beside, Deployment, Part
from tools.build import KUBERNETES

_SECONDS = 120
_KEYHOLDER_SECONDS = 600
_FORWARDING = re.compile(r"Forwarding from (127\.0\.0\.1:\d+) ")


@dataclass(frozen=True, slots=True)
class Release:
    """One release of the chart.

    Attributes:
        kubeconfig: how the cluster is reached.
        namespace: where the release is.
        name: of the release.
    """

    kubeconfig: Path
    namespace: str = "atom"
    name: str = "atom"

    def kubectl(self, *arguments: str) -> tuple[str, ...]:
        """The command line: the one of the path, else the one that `make tools` builds."""
        program = shutil.which("kubectl") or str(KUBERNETES.program("kubectl"))
        return (program, f"--kubeconfig={self.kubeconfig}", f"--namespace={self.namespace}", *arguments)

    def must(self, *arguments: str, given: str | None = None) -> str:
        """What `kubectl` printed, having succeeded; `given` is its standard input."""
        done = subprocess.run(
            self.kubectl(*arguments), input=given, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def deployment(self, component: str) -> str:
        """The Deployment of the server or of the workers, as `deployment.apps/NAME`."""
        labels = f"app.kubernetes.io/instance={self.name},app.kubernetes.io/component={component}"
        found = self.must("get", "deployments", "-l", labels, "-o", "name").split()
        assert len(found) == 1, f"{len(found)} Deployments with {labels} in {self.namespace}"
        return found[0]

    @contextmanager
    def forwarded(self, component: str, port: int | str) -> Iterator[str]:
        """The base address at which a pod's port answers on this machine meanwhile."""
        command = self.kubectl("port-forward", self.deployment(component), f":{port}")
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            try:
                match = _FORWARDING.match(process.stdout.readline())
                assert match, f"kubectl port-forward: {process.stderr.read()}"
                yield f"http://{match[1]}"
            finally:
                process.terminate()

    def beside(self, component: str = "server") -> Beside:
        """A shell in a pod."""
        return Beside(prefix=self.kubectl("exec", "-i", self.deployment(component), "--"))

    @contextmanager
    def keyholder(self) -> Iterator[Beside]:
        """A shell in a pod of its own: like the server's, and with the keys that an export of training data takes.

        It is signed with the audit log's key, which no server has, by somebody whose token is checked with the
        issuer's, which no worker has.
        """
        server = json.loads(self.must("get", self.deployment("server"), "-o", "json"))
        name = f"{self.name}-smoke-{uuid4().hex[:8]}"
        self.must("create", "-f", "-", given=json.dumps(_keyholder(name, server["spec"]["template"]["spec"])))
        try:
            self.must("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s")
            yield Beside(prefix=self.kubectl("exec", "-i", name, "--"))
        finally:
            self.must("delete", "pod", name, "--grace-period=0", "--force", "--wait=false")


def _keyholder(name: str, server: dict[str, Any]) -> dict[str, Any]:
    """The pod: what the server's is, without a server in it, which lives for ten minutes at most."""
    pod = json.loads(json.dumps(server))
    (keys,) = [volume["secret"]["items"] for volume in pod["volumes"] if volume["name"] == "keys"]
    keys += [{"key": name, "path": f"keys/{name}"} for name in ("audit.key", "dataset.key")]
    for container in pod["containers"]:
        for probe in ("livenessProbe", "readinessProbe", "startupProbe", "ports", "args"):
            container.pop(probe, None)
        container["command"] = ["sleep", str(_KEYHOLDER_SECONDS)]
    pod |= {"restartPolicy": "Never", "activeDeadlineSeconds": _KEYHOLDER_SECONDS}
    pod.pop("topologySpreadConstraints", None)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": pod}


@contextmanager
def in_cluster(release: Release, tokens: Mapping[Part, str]) -> Iterator[Deployment]:
    """The release as a deployment, its server's and one worker's ports forwarded to this machine."""
    with (
        release.forwarded("server", "http") as server,
        release.forwarded("worker", "metrics") as worker,
        release.keyholder() as keyholder,
    ):
        yield Deployment(
            base_url=server,
            beside=release.beside(),
            keyholder=keyholder,
            worker_metrics=f"{worker}/metrics",
            tokens=tokens,
            isolation=("job",),
        )
