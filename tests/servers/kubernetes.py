"""A real one-node Kubernetes: containers, probes, Services, names, Pod Security. Started by `tools/kubernetes`.

There is one at a time on a machine: its names and addresses are fixed. Tests share it and keep to namespaces of their
own. `ATOM_TEST_KUBECONFIG` names a running one instead, such as that of `make node`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import httpx
import yaml
from tests.servers.foreground import MISSING, InterruptedStartError, Signals, say
from tests.servers.process import ServerProcess, StartError, log_tail
from tests.servers.requirement import require
from tests.servers.waiting import wait_until
from tools import debian
from tools.build import KUBERNETES
from tools.kubernetes.images import PYTHON
from tools.kubernetes.layout import CONTAINERD_SOCKET, HOST_IP, Layout
from tools.kubernetes.obstacles import lacking

KUBECONFIG_VARIABLE = "ATOM_TEST_KUBECONFIG"
PYTHON_IMAGE = PYTHON
"""An image that every node has; pods take it with `imagePullPolicy: Never`."""
WATCHERS = ("kubelet", "kube-controller-manager", "kube-scheduler", "kube-proxy", "coredns")
_ROOT = Path(__file__).parents[2]
_PATIENCE = 60.0
_numbers = itertools.count(1)


class Kubernetes:
    """A running node, by its kubeconfig. The folder beside it may also control its programs and take images."""

    name: ClassVar[str] = "kubernetes"
    host_address: ClassVar[str] = HOST_IP
    """Where pods reach this machine. This machine reaches pods and Services by their own addresses."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        self._layout = Layout(kubeconfig.parent)
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.url = str(cluster["server"])
        self.authority = Path(cluster["certificate-authority"])
        self.token = str(user["token"])

    def request(
        self, method: str, path: str, body: Mapping[str, object] | None = None, **parameters: str
    ) -> dict[str, Any]:
        """The JSON answer to the administrator.

        Args:
            method: PATCH sends a merge patch.
            path: such as `/api/v1/namespaces`.
            body: sent as JSON.
            parameters: of the query.

        Raises:
            httpx.HTTPStatusError: the API server refused.
            httpx.TransportError: nobody answered.
        """
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        trust = ssl.create_default_context(cafile=self.authority)
        with httpx.Client(base_url=self.url, verify=trust, trust_env=False, timeout=30) as client:
            answer = client.request(method, path, json=body, params=parameters, headers=headers)
        answer.raise_for_status()
        return dict(answer.json())

    def kubectl(self, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """What `kubectl` answers the administrator; it is not checked, refusals are answers too.

        Args:
            arguments: such as `"apply", "-f", "-"`.
            given: its standard input.
        """
        command = [str(KUBERNETES.program("kubectl")), f"--kubeconfig={self.kubeconfig}", *arguments]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._layout.folder)}
        return subprocess.run(
            command, input=given, env=environment, capture_output=True, text=True, check=False, timeout=_PATIENCE * 2
        )

    def must(self, *arguments: str, given: str | None = None) -> str:
        """What `kubectl` printed, having succeeded."""
        done = self.kubectl(*arguments, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def create_namespace(self, name: str = "test", *, enforce: str | None = None) -> str:
        """The name of a new namespace in which pods can be created.

        Args:
            name: how it begins; a number makes it unique.
            enforce: the level of Pod Security that it enforces, such as `restricted`.
        """
        full = f"{re.sub('[^a-z0-9-]+', '-', name.lower())[:40].strip('-')}-{os.getpid()}-{next(_numbers)}"
        labels = {"pod-security.kubernetes.io/enforce": enforce} if enforce else {}
        self.request("POST", "/api/v1/namespaces", {"metadata": {"name": full, "labels": labels}})
        wait_until(lambda: self._has_account(full), f"{full} has an account for its pods")
        return full

    def _has_account(self, namespace: str) -> bool:
        accounts = self.request("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts")
        return any(each["metadata"]["name"] == "default" for each in accounts["items"])

    def delete_namespace(self, name: str) -> None:
        """Afterwards the namespace is going away with all that is in it, at once and by force."""
        try:
            pods = f"/api/v1/namespaces/{name}/pods"
            self.request("DELETE", pods, {"gracePeriodSeconds": 0})
            self.request("DELETE", f"/api/v1/namespaces/{name}")
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.NOT_FOUND:
                raise

    def account_kubeconfig(self, folder: Path, namespace: str, account: str, *, seconds: int = 3600) -> Path:
        """A kubeconfig in `folder` with a token of a service account, which lives so long; at least 600 seconds."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        answer = self.request("POST", path, {"spec": {"expirationSeconds": seconds}})
        config = yaml.safe_load(self.kubeconfig.read_text())
        config["users"][0]["user"] = {"token": answer["status"]["token"]}
        config["contexts"][0]["context"]["namespace"] = namespace
        file = folder / f"{namespace}-{account}.kubeconfig"
        file.touch(mode=0o600)
        file.write_text(json.dumps(config))  # JSON is YAML
        return file

    def events(self) -> str:
        """What happened last in the cluster, for whoever asks why a test failed."""
        try:
            found = self.kubectl("get", "events", "--all-namespaces", "--sort-by=.lastTimestamp")
        except subprocess.TimeoutExpired:
            return "the API does not answer"
        return "\n".join((found.stdout or found.stderr).splitlines()[-40:])

    def load_image(self, archive: Path) -> None:
        """Afterwards pods can run the images of an OCI archive, such as `tools.kubernetes.oci` writes."""
        self._images("import", str(archive))

    def pinned(self, image: str) -> str:
        """`NAME@sha256:...` of an image that the node has; afterwards pods can name it so too."""
        name, _, _ = image.rpartition(":")
        rows = self._images("ls", f"name=={image}").splitlines()
        pinned = f"{name}@{rows[1].split()[2]}"
        self._images("tag", "--force", image, pinned)
        return pinned

    def _images(self, *arguments: str) -> str:
        """What containerd's `ctr images` prints, having succeeded."""
        pid = self._layout.pid
        require(pid.exists(), "the folder of a node of this machine beside the kubeconfig", "make node")
        # The node's own view of its files: a short path, as sockets need.
        inside = Path("/proc", pid.read_text().strip(), "root", *CONTAINERD_SOCKET.parts[1:])
        ctr = str(debian.tool("containerd").program("ctr"))
        command = [ctr, "-a", str(inside), "-n", "k8s.io", "images", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE * 5)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop_api(self) -> None:
        """Afterwards the API server is gone, by force; pods go on. For everybody who uses this node."""
        self.stop_program("kube-apiserver")

    def start_api(self) -> None:
        """Afterwards the API server is ready again, with all that was stored, and is acted upon.

        What watches it is started anew, which containers do not notice: by itself each waits up to a minute, the
        longer the outage was.
        """
        self.start_program("kube-apiserver")
        wait_until(self._api_ready, "the API server is ready again", _PATIENCE)
        for name in WATCHERS:
            self.stop_program(name)
            self.start_program(name)

    def stop_program(self, name: str) -> None:
        """Afterwards one of the node's programs is gone, such as `kubelet`, without a moment to put things in order."""
        self._control(f"stop {name}")

    def start_program(self, name: str) -> None:
        """Afterwards a stopped program runs again."""
        self._control(f"start {name}")

    def _api_ready(self) -> bool:
        try:
            self.request("GET", "/api/v1/namespaces/default")
            return self.kubectl("get", "--raw", "/readyz").returncode == 0
        except httpx.HTTPError:
            return False

    def _control(self, line: str) -> None:
        require(self._layout.control.exists(), "a node of this machine, whose programs can be stopped", "make node")
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(_PATIENCE)
            control.connect(os.path.relpath(self._layout.control))
            control.sendall(f"{line}\n".encode())
            answer = control.recv(1000).decode().strip()
        assert answer == "done", answer


class KubernetesServer(ServerProcess):
    """Starts a node of its own in `folder`; see `node`. Its logs stay there."""

    name: ClassVar[str] = "kubernetes"
    stop_seconds = 60.0

    def __init__(self, folder: Path, *, wait: float = 0.0) -> None:
        """Nothing is started.

        Args:
            folder: of its state; made if missing.
            wait: seconds for another node of this machine to end.
        """
        super().__init__(folder)
        reason = lacking()
        require(reason is None, str(reason), "make tools    # as root")
        self._layout = Layout(folder.resolve())
        self._wait = wait
        self.start_seconds = 300.0 + wait

    @property
    def node(self) -> Kubernetes:
        """The running node."""
        return Kubernetes(self._layout.kubeconfig)

    def command(self) -> Sequence[str]:
        self._layout.ready.unlink(missing_ok=True)  # of a start before, which was killed
        return [sys.executable, "-m", "tools.kubernetes.node", str(self._layout.folder), f"--wait={self._wait}"]

    def environment(self) -> Mapping[str, str]:
        base = {name: os.environ[name] for name in ("HOME", "XDG_CACHE_HOME") if name in os.environ}
        return {**base, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(_ROOT)}

    def ready(self) -> bool:
        return self._layout.ready.exists()


def _serve(folder: Path, wait: float) -> None:
    """Returns when a signal has come and the node is stopped.

    Raises:
        StartError: it did not start, or ended by itself.
    """
    signals = Signals()
    say("starting a one-node Kubernetes, some seconds")
    try:
        with KubernetesServer(folder, wait=wait) as server:
            signals.check()
            for name in ("KUBECONFIG", KUBECONFIG_VARIABLE):
                print(f"export {name}={shlex.quote(str(server.node.kubeconfig))}", flush=True)
            say(f"ready; kubectl and its like are in {KUBERNETES.binary.parent}; Ctrl-C stops all of it")
            while not signals.came(seconds=1):
                if not server.running:
                    raise StartError(f"the node ended by itself; {log_tail(server.log)}")
            say("stopping it")
    except (InterruptedStartError, StartError):
        if not signals.came():
            raise
        say("interrupted, it is stopped")


def main() -> int:
    """0 if it was ended, 1 if it broke, 3 if this machine lacks something."""
    parser = argparse.ArgumentParser(description="Start a one-node Kubernetes and stay in the foreground.")
    parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="for another node to end")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="atomctl-node-"))
    try:
        _serve(folder, given.wait)
    except StartError as error:
        say(f"error: {error}")
        say(f"the logs stay in {folder}")
        return 1
    except MISSING as missing:
        shutil.rmtree(folder)
        say(f"error: {missing}")
        return 3
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
