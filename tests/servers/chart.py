"""The chart, installed by Helm itself on a real node, with the image of this source tree and the project's own servers.

PostgreSQL and S3 run on this machine, outside the cluster, as a user's would; pods reach them at `HOST_IP`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.servers.kubernetes import Kubernetes
from tests.servers.postgres import QUICK
from tests.servers.postgres15 import Postgres15
from tests.servers.process import StartError
from tests.servers.requirement import require
from tests.servers.s3 import S3Server
from tools import image
from tools.build import BuildError, tool
from tools.image import Image
from tools.kubernetes.images import PYTHON
from tools.kubernetes.layout import HOST_IP

CHART = Path(__file__).parents[2] / "deploy/helm/atom"
RELEASE = "atom"
BUCKET, AUDIT_BUCKET = "atom-objects", "atom-audit"
_PATIENCE = 300
"""Seconds that one command of Helm may take."""


@dataclass(frozen=True, slots=True)
class Helm:
    """The `helm` of the tools, for one cluster; without one it can render and lint."""

    kubeconfig: Path | None = None

    def __call__(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """What it said; its exit code is not checked, refusals are answers too."""
        binary = tool("helm").binary
        require(binary.exists(), f"Helm {tool('helm').version}, which installs the chart", "make tools")
        home = os.environ.get("TMPDIR", "/tmp")
        environment = {"PATH": "/usr/bin:/bin", "HOME": home, "HELM_CACHE_HOME": f"{home}/helm"}
        if self.kubeconfig is not None:
            environment["KUBECONFIG"] = str(self.kubeconfig)
        command = [str(binary), *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=_PATIENCE)

    def must(self, *arguments: str | Path) -> str:
        """What it printed, having succeeded."""
        done = self(*arguments)
        if done.returncode:
            raise StartError(f"helm {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}")
        return done.stdout


@dataclass(frozen=True, slots=True)
class InstalledChart:
    """A release that is ready."""

    node: Kubernetes
    helm: Helm
    namespace: str
    release: str
    image: Image
    values: Path
    """The file of the values it was installed with."""
    postgres: Postgres15
    s3: S3Server

    @property
    def kubeconfig(self) -> Path:
        """The cluster's administrator."""
        return self.node.kubeconfig

    @property
    def base_url(self) -> str:
        """Its server, by the address of its Service, which this machine reaches."""
        service = json.loads(self.kubectl("get", "service", self.release, "-o", "json"))
        return f"http://{service['spec']['clusterIP']}:{service['spec']['ports'][0]['port']}"

    def kubectl(self, *arguments: str) -> str:
        """What `kubectl` printed in its namespace, having succeeded."""
        return self.node.must("--namespace", self.namespace, *arguments)

    def beside(self, *command: str) -> str:
        """What a command printed in a server's container."""
        return self.kubectl("exec", f"deploy/{self.release}-server", "--", *command)

    def token(self, subject: str, *roles: str, tenant: UUID | None = None) -> str:
        """An access token for somebody, in the first tenant or another one."""
        words = [word for role in roles for word in ("--role", role)]
        where = ["--tenant", str(tenant)] if tenant else []
        return self.beside("atomctl", "auth", "token", "--as", subject, *words, *where).strip()

    def upgrade(self, chart: Path, *arguments: str) -> str:
        """What Helm printed about an upgrade to another chart or other values; it is complete."""
        where: list[str | Path] = [
            "--namespace",
            self.namespace,
            "--values",
            self.values,
            "--wait",
            "--timeout",
            "180s",
        ]
        return self.helm.must("upgrade", self.release, chart, *where, *arguments)

    def test(self) -> str:
        """What `helm test` printed."""
        return self.helm.must("test", self.release, "--namespace", self.namespace, "--logs", "--timeout", "120s")


@dataclass(frozen=True, slots=True)
class Outside:
    """What a release finds when it is installed."""

    image: Image
    """On the node already."""
    postgres: Postgres15
    s3: S3Server
    """With `BUCKET` and, under Object Lock, `AUDIT_BUCKET`."""


@contextmanager
def outside(node: Kubernetes, version: str | None = None) -> Iterator[Outside]:
    """The image of this source tree on the node, and PostgreSQL and S3 where its pods reach them.

    Raises:
        StartError: the image cannot be made, or a server did not start.
    """
    try:
        made = image.make(version)
    except BuildError as error:
        raise StartError(f"no image: {error}") from error
    node.load_image(made.archive)
    # Its system user can pass neither pytest's own folders nor those of mkdtemp.
    servers = Path(tempfile.mkdtemp(prefix="atom-chart-"))
    servers.chmod(0o711)
    try:
        with (
            Postgres15(servers / "postgres", QUICK, host=HOST_IP) as postgres,
            S3Server(servers / "s3", HOST_IP) as s3,
        ):
            s3.create_bucket(BUCKET)
            s3.create_bucket(AUDIT_BUCKET, lock=True)
            yield Outside(made, postgres, s3)
    finally:
        shutil.rmtree(servers, ignore_errors=True)


@contextmanager
def installed_chart(
    node: Kubernetes,
    folder: Path,
    *,
    values: Mapping[str, Any] | None = None,
    chart: Path = CHART,
    version: str | None = None,
) -> Iterator[InstalledChart]:
    """A release in a namespace of its own that enforces `restricted`; nothing of it is left afterwards.

    Args:
        node: where it is installed.
        folder: of the values file; made if missing.
        values: over those of the test, as in a values file.
        chart: its folder.
        version: what the image says it is; None: what the program says.

    Raises:
        StartError: the image cannot be made, or Helm did not succeed; the message holds what the pods said.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        found = stack.enter_context(outside(node, version))
        namespace = node.create_namespace("chart", enforce="restricted")
        stack.callback(node.delete_namespace, namespace)
        _create_secrets(node, namespace, found)
        file = folder / "values.yaml"
        file.write_text(json.dumps(_merged(_values(found), values or {})))  # JSON is YAML
        helm = Helm(node.kubeconfig)
        release = InstalledChart(node, helm, namespace, RELEASE, found.image, file, found.postgres, found.s3)
        stack.callback(helm, "uninstall", RELEASE, "--namespace", namespace, "--wait", "--timeout", "120s")
        _install(release, chart)
        yield release


def _install(release: InstalledChart, chart: Path) -> None:
    where: list[str | Path] = ["--namespace", release.namespace, "--values", release.values]
    try:
        release.helm.must("install", release.release, chart, *where, "--wait", "--timeout", "90s")
    except StartError as error:
        pods = release.node.kubectl("--namespace", release.namespace, "get", "pods", "-o", "wide").stdout
        chosen = ["--selector", f"app.kubernetes.io/instance={release.release}"]
        lines = ["--all-containers", "--prefix", "--tail=20"]
        logs = release.node.kubectl("--namespace", release.namespace, "logs", *chosen, *lines).stdout
        raise StartError(f"{error}\n{pods}\n{logs}\n{release.node.events()}") from error


def _create_secrets(node: Kubernetes, namespace: str, found: Outside) -> None:
    admin, s3 = found.postgres.admin, found.s3
    assert admin.password is not None
    for name, data in {
        "atom-database": {"username": admin.user, "password": admin.password},
        "atom-objects": {"access-key": s3.access_key, "secret-key": s3.secret_key},
    }.items():
        node.request(
            "POST", f"/api/v1/namespaces/{namespace}/secrets", {"metadata": {"name": name}, "stringData": data}
        )


def _values(found: Outside) -> dict[str, Any]:
    postgres, s3 = found.postgres, found.s3
    repository, _, tag = found.image.name.rpartition(":")
    return {
        "image": {"repository": repository, "tag": tag, "pullPolicy": "Never"},
        "environment": "test",
        "database": {"host": postgres.host, "port": postgres.port, "name": "atom", "existingSecret": "atom-database"},
        "objects": {
            "endpoint": s3.endpoint,
            "bucket": BUCKET,
            "auditBucket": AUDIT_BUCKET,
            "auditRetention": "1h",
            "existingSecret": "atom-objects",
        },
        "jobs": {"image": PYTHON, "localImages": [PYTHON]},
        "server": {"replicas": 1},
        "worker": {"replicas": 1},
    }


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """As Helm merges values: mappings entry by entry, everything else whole."""
    both = dict(base)
    for name, value in over.items():
        mine = both.get(name)
        both[name] = _merged(mine, value) if isinstance(mine, Mapping) and isinstance(value, Mapping) else value
    return both
