"""The one-node Kubernetes does what ATOM relies on it for, and comes and goes without a trace."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.servers.kubernetes import PYTHON_IMAGE, Kubernetes, KubernetesServer
from tests.servers.process import StartError
from tests.servers.waiting import wait_until
from tools.build import KUBERNETES
from tools.debian import tool
from tools.kubernetes import cgroups, images
from tools.kubernetes.layout import LINK, Layout
from tools.kubernetes.oci import ImageConfig, write_image

SECONDS = 90.0
RESTRICTED: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod_spec(code: str, **container: object) -> dict[str, Any]:
    """A pod that runs Python code."""
    main = {"name": "main", "image": PYTHON_IMAGE, "imagePullPolicy": "Never", "command": ["python3", "-c", code]}
    return {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [{**main, **container}]}


def create(cluster: Kubernetes, kind: str, namespace: str, name: str, **content: object) -> None:
    group = "/apis/batch/v1" if kind == "jobs" else "/api/v1"
    metadata = {"name": name, "labels": {"app": name}}
    cluster.request("POST", f"{group}/namespaces/{namespace}/{kind}", {"metadata": metadata, **content})


def run_job(cluster: Kubernetes, namespace: str, name: str, code: str) -> str:
    """What the job's pod wrote, after it was complete."""
    template = {"spec": pod_spec(code)}
    create(cluster, "jobs", namespace, name, spec={"backoffLimit": 0, "template": template})

    def conditions() -> set[str]:
        job = cluster.request("GET", f"/apis/batch/v1/namespaces/{namespace}/jobs/{name}")
        return {each["type"] for each in job["status"].get("conditions", []) if each["status"] == "True"}

    wait_until(lambda: bool(conditions() & {"Complete", "Failed"}), f"job {name} ends", SECONDS)
    written = cluster.must("logs", f"--namespace={namespace}", f"job/{name}")
    assert "Complete" in conditions(), written
    return written


def running_address(cluster: Kubernetes, namespace: str, name: str) -> str:
    """The address of a pod that runs."""

    def status() -> Any:
        return cluster.request("GET", f"/api/v1/namespaces/{namespace}/pods/{name}")["status"]

    wait_until(lambda: status()["phase"] == "Running", f"pod {name} runs", SECONDS)
    return str(status()["podIP"])


def status_of(refusal: pytest.ExceptionInfo[httpx.HTTPStatusError]) -> int:
    return refusal.value.response.status_code


def test_the_node_is_ready_and_of_the_pinned_version(kubernetes: Kubernetes) -> None:
    (node,) = kubernetes.request("GET", "/api/v1/nodes")["items"]
    ready = next(each for each in node["status"]["conditions"] if each["type"] == "Ready")
    assert ready["status"] == "True"
    assert node["status"]["nodeInfo"]["kubeletVersion"] == KUBERNETES.version
    assert kubernetes.request("GET", "/version")["gitVersion"] == KUBERNETES.version


def test_a_job_runs_to_completion_and_its_log_is_read(kubernetes: Kubernetes, namespace: str) -> None:
    assert run_job(kubernetes, namespace, "answer", "print(6 * 7)") == "42\n"


def test_a_restricted_namespace_refuses_whoever_may_become_root(
    kubernetes: Kubernetes, restricted_namespace: str
) -> None:
    with pytest.raises(httpx.HTTPStatusError) as refusal:
        create(kubernetes, "pods", restricted_namespace, "loose", spec=pod_spec("pass"))
    assert status_of(refusal) == 403
    assert "violates PodSecurity" in refusal.value.response.text
    create(kubernetes, "pods", restricted_namespace, "tight", spec=pod_spec("pass", securityContext=RESTRICTED))


def test_an_account_can_do_what_it_was_given_and_no_more(
    kubernetes: Kubernetes, namespace: str, tmp_path: Path
) -> None:
    kubernetes.must("create", "serviceaccount", "reader", f"--namespace={namespace}")
    kubernetes.must("create", "role", "reader", f"--namespace={namespace}", "--verb=list", "--resource=pods")
    kubernetes.must(
        "create",
        "rolebinding",
        "reader",
        f"--namespace={namespace}",
        "--role=reader",
        f"--serviceaccount={namespace}:reader",
    )
    reader = Kubernetes(kubernetes.account_kubeconfig(tmp_path, namespace, "reader"))
    assert reader.request("GET", f"/api/v1/namespaces/{namespace}/pods")["items"] == []
    with pytest.raises(httpx.HTTPStatusError) as refusal:
        reader.request("GET", f"/api/v1/namespaces/{namespace}/secrets")
    assert status_of(refusal) == 403


def test_this_machine_reaches_pods_and_services(kubernetes: Kubernetes, namespace: str) -> None:
    create(
        kubernetes,
        "pods",
        namespace,
        "web",
        spec=pod_spec("import http.server as h; h.test(h.SimpleHTTPRequestHandler)"),
    )
    create(kubernetes, "services", namespace, "web", spec={"selector": {"app": "web"}, "ports": [{"port": 8000}]})
    address = running_address(kubernetes, namespace, "web")
    service = kubernetes.request("GET", f"/api/v1/namespaces/{namespace}/services/web")["spec"]["clusterIP"]
    for reached in (address, service):
        wait_until(lambda reached=reached: greets(reached), f"the web server answers at {reached}", SECONDS)  # type: ignore[misc]  # mypy cannot infer a lambda's default


def greets(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}:8000/", timeout=2, trust_env=False).is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def listener(kubernetes: Kubernetes) -> Iterator[int]:
    """The port of a server on this machine that pods can reach; it says `host`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"host")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is inherited
            pass

    with HTTPServer((kubernetes.host_address, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


IN_A_POD = """
import socket, ssl, urllib.request
print(urllib.request.urlopen("http://{host}:{port}/", timeout=10).read().decode())
print(socket.gethostbyname("kubernetes.default.svc.cluster.local"))
trust = ssl.create_default_context(cafile="/var/run/secrets/kubernetes.io/serviceaccount/ca.crt")
print(urllib.request.urlopen("https://kubernetes.default.svc/livez", context=trust, timeout=10).read().decode())
"""


def test_a_pod_reaches_this_machine_and_the_api_by_name(kubernetes: Kubernetes, namespace: str, listener: int) -> None:
    code = IN_A_POD.format(host=kubernetes.host_address, port=listener)
    assert run_job(kubernetes, namespace, "outward", code).split() == ["host", "10.96.0.1", "ok"]


def test_an_image_made_of_a_folder_runs(kubernetes: Kubernetes, namespace: str, tmp_path: Path) -> None:
    root, archive, name = tmp_path / "root", tmp_path / "image.tar", f"localhost/{namespace}:1"
    root.mkdir()
    pause_archive, _ = images.archives()
    with tarfile.open(pause_archive) as layout:
        layer = max(layout.getmembers(), key=lambda entry: entry.size)
        with tarfile.open(fileobj=layout.extractfile(layer)) as packed:
            packed.extract("pause", root, filter="data")
    assert write_image(archive, name, root, ImageConfig(["/pause"])).startswith("sha256:")
    kubernetes.load_image(archive)
    container = {"name": "main", "image": name, "imagePullPolicy": "Never"}
    create(kubernetes, "pods", namespace, "own", spec={"containers": [container]})
    assert running_address(kubernetes, namespace, "own")


@pytest.mark.alone
def test_the_api_server_goes_and_comes_back_with_what_it_stored(kubernetes: Kubernetes, namespace: str) -> None:
    kubernetes.must("create", "configmap", "kept", f"--namespace={namespace}", "--from-literal=answer=42")
    kubernetes.stop_api()
    try:
        with pytest.raises(httpx.TransportError):
            kubernetes.request("GET", "/version")
    finally:
        kubernetes.start_api()
    kept = kubernetes.request("GET", f"/api/v1/namespaces/{namespace}/configmaps/kept")
    assert kept["data"] == {"answer": "42"}
    assert run_job(kubernetes, namespace, "afterwards", "print('done')") == "done\n"


def remains(server: KubernetesServer) -> Mapping[str, object]:
    """What a node may leave on this machine."""
    nft = str(tool("nftables").program("nft"))
    libraries = ":".join(map(str, tool("nftables").library_folders(tool("nftables").root() or Path("/"))))
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    return {
        "interfaces": {name for _, name in socket.if_nameindex()},
        "routes": shell("ip", "-4", "route", "show", "table", "all"),
        "rules": shell(nft, "list", "ruleset", LD_LIBRARY_PATH=libraries),
        "mounts": [line for line in mounts if str(server.folder) in line or "kubelet" in line or "containerd" in line],
        "processes": cgroups.processes(),
        "groups": [group for group in cgroups.groups() if group.exists()],
        "state": Layout(server.folder).state.exists(),
        "places": [place for place in ("/var/lib/kubelet", "/var/lib/cni") if Path(place).exists()],
    }


def shell(*command: str, **environment: str) -> str:
    given = {**os.environ, **environment}
    return subprocess.run(command, env=given, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def server(kubernetes_server: KubernetesServer) -> Iterator[KubernetesServer]:
    """The session's node, which the test may stop and break; it runs again afterwards."""
    yield kubernetes_server
    if not kubernetes_server.running:
        kubernetes_server.start()


@pytest.mark.slow
class TestComingAndGoing:
    def test_a_stop_leaves_nothing_behind(self, server: KubernetesServer) -> None:
        namespace = server.node.create_namespace("last")
        create(server.node, "pods", namespace, "idle", spec=pod_spec("import time; time.sleep(600)"))
        running_address(server.node, namespace, "idle")
        assert cgroups.processes()
        server.stop()
        bare = remains(server)
        assert LINK not in bare["interfaces"]  # type: ignore[operator]  # it is a set
        assert "10.244." not in str(bare["routes"])
        assert "10.96." not in str(bare["routes"])
        assert "KUBE" not in str(bare["rules"]).upper()
        assert not any(bare[name] for name in ("mounts", "processes", "groups", "state"))
        server.restart()
        server.stop()
        assert remains(server) == bare

    def test_a_second_start_says_who_is_in_the_way(self, server: KubernetesServer, tmp_path: Path) -> None:
        other = KubernetesServer(tmp_path / "other")
        with pytest.raises(StartError, match=rf"in use by process {server.pid}: node in {server.folder}"):
            other.start()
        assert server.node.request("GET", "/version")

    def test_a_killed_starter_takes_the_node_with_it(self, server: KubernetesServer) -> None:
        server.crash()
        wait_until(lambda: not cgroups.processes(), "the node's processes end")
        wait_until(lambda: LINK not in {name for _, name in socket.if_nameindex()}, "the cable goes")
        server.start()
        assert server.node.request("GET", "/version")

    def test_a_program_that_dies_ends_the_node_with_a_reason(self, server: KubernetesServer) -> None:
        os.kill(pid_of("kube-scheduler"), signal.SIGKILL)
        wait_until(lambda: not server.running, "the node ends", SECONDS)
        assert "kube-scheduler ended with status -9" in server.log.read_text()
        assert not cgroups.processes()

    def test_in_a_terminal_it_prints_its_environment_and_ctrl_c_ends_it(
        self, server: KubernetesServer, tmp_path: Path
    ) -> None:
        server.stop()
        bare = remains(server)
        command = [sys.executable, "-m", "tests.servers.kubernetes"]
        environment = {**os.environ, "TMPDIR": str(tmp_path)}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
        ) as terminal:
            try:
                assert terminal.stdout is not None
                words = [word for _ in range(2) for word in shlex.split(terminal.stdout.readline())]
                variables = dict(word.split("=", 1) for word in words if word != "export")
                assert variables["KUBECONFIG"] == variables["ATOM_TEST_KUBECONFIG"]
                cluster = Kubernetes(Path(variables["KUBECONFIG"]))
                assert json.loads(cluster.must("get", "nodes", "--output=json"))["items"]
            finally:
                os.killpg(terminal.pid, signal.SIGINT)
            assert terminal.wait(60) == 0
        assert remains(server) == bare
        assert not list(tmp_path.glob("atomctl-node-*"))


def pid_of(program: str) -> int:
    """The process in the node that was started as `program`."""
    for pid in cgroups.processes():
        first = Path(f"/proc/{pid}/cmdline").read_bytes().partition(b"\0")[0]
        if Path(first.decode()).name == program:
            return pid
    raise AssertionError(f"{program} does not run")
