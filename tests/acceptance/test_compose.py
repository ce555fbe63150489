"""`deploy/compose`, with processes in the place of containers: the same programs, the same environment, the same files.

What this leaves out is docker itself: images, volumes, networks, capabilities. What is shown: the settings are complete
and fit together, the services start in the order the file says, and what results passes the smoke suite.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.acceptance.command import PROGRAM
from tests.integration.deploy.compose_file import DEPLOY, PASSWORDS, model
from tests.servers.openbao import binary
from tests.servers.postgres import QUICK
from tests.servers.postgres15 import Postgres15
from tests.servers.process import ServerProcess, answers, free_port
from tests.servers.prometheus import Prometheus
from tests.servers.s3 import S3Server
from tests.servers.waiting import wait_until

Replaced = Mapping[str, str]


def replaced(text: str, addresses: Replaced) -> str:
    """`text` with the addresses that containers have turned into those of the processes."""
    pattern = re.compile("|".join(map(re.escape, sorted(addresses, key=len, reverse=True))))
    return pattern.sub(lambda match: addresses[match[0]], text)


class Service(ServerProcess):
    """One service of the file as a process."""

    name: ClassVar[str] = "service"

    def __init__(self, folder: Path, service: Mapping[str, Any], addresses: dict[str, str], own: str) -> None:
        """Nothing is started.

        Args:
            folder: of its log.
            service: what the file says of it.
            addresses: what its words are replaced by; its own address is added when it starts.
            own: its address among containers.
        """
        super().__init__(folder)
        self._service, self._addresses, self._own = service, addresses, own

    def command(self) -> Sequence[str]:
        self._addresses[self._own] = f"localhost:{self.port}"
        self._addresses[f"0.0.0.0:{self._own.partition(':')[2]}"] = f"127.0.0.1:{self.port}"
        return [replaced(word, self._addresses) for word in self._service["entrypoint"]]

    def environment(self) -> Mapping[str, str]:
        return environment_of(self._service, self._addresses)

    def ready(self) -> bool:
        return Path(self._addresses["/tls"], "vault-ca.pem").exists() and "seal" in self.log.read_text().lower()


def environment_of(service: Mapping[str, Any], addresses: Replaced) -> dict[str, str]:
    """The service's environment, and nothing else of ours."""
    given = {name: replaced(str(value), addresses) for name, value in service["environment"].items()}
    return {"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}", "HOME": addresses["/var/lib/atomctl"], **given}


class Atom(Service):
    """The server or the worker; its port is one of its settings."""

    def __init__(self, folder: Path, service: Mapping[str, Any], addresses: dict[str, str], variable: str) -> None:
        super().__init__(folder, service, addresses, "")
        self._variable = variable

    def command(self) -> Sequence[str]:
        return [str(PROGRAM), *self._service["command"]]

    def environment(self) -> Mapping[str, str]:
        given = environment_of(self._service, self._addresses)
        return {**given, f"{self._variable}_PORT": str(self.port), f"{self._variable}_HOST": "127.0.0.1"}

    def ready(self) -> bool:
        return answers(f"{self.url}/metrics")


@pytest.fixture(scope="module")
def composed(server_folder: Path) -> Iterator[tuple[Atom, Atom, Prometheus, dict[str, str]]]:
    """Server, worker and Prometheus, started in the order of the file; and the server's environment."""
    services = model()["services"]
    folder = server_folder / "compose"
    folder.mkdir(mode=0o711)
    addresses = {name: str(folder / name.strip("/").replace("/", "-")) for name in ("/var/lib/atomctl", "/tls")}
    for place in addresses.values():
        Path(place).mkdir(mode=0o700)
    with ExitStack() as opened:
        postgres = opened.enter_context(Postgres15(folder / "postgres", QUICK))
        login = postgres.admin
        addresses |= {"postgres@postgres:5432": f"{login.user}@127.0.0.1:{postgres.port}"}
        addresses |= {
            "postgres:5432": f"127.0.0.1:{postgres.port}",
            PASSWORDS["POSTGRES_PASSWORD"]: str(login.password),
        }
        s3 = S3Server(folder / "s3")
        s3.access_key, s3.secret_key = (
            services["s3"]["environment"][f"ROOT_{word}_KEY"] for word in ("ACCESS", "SECRET")
        )
        addresses["s3:7070"] = f"127.0.0.1:{opened.enter_context(s3).port}"
        bao = {**services["openbao"], "entrypoint": [str(binary()), *services["openbao"]["entrypoint"][1:]]}
        opened.enter_context(Service(folder / "bao", bao, addresses, "openbao:8200"))
        once("migrate", [str(PROGRAM), *services["migrate"]["command"]], services, addresses)
        script = str(DEPLOY / "compose" / "buckets.py")
        for _ in range(2):  # a repeat changes nothing
            once("buckets", [sys.executable, script], services, addresses)
        prometheus = opened.enter_context(Prometheus(folder / "prometheus"))
        addresses |= {
            "prometheus:9090": f"127.0.0.1:{prometheus.port}",
            "alertmanager:9093": f"127.0.0.1:{free_port()}",
        }
        server = opened.enter_context(Atom(folder / "server", services["server"], addresses, "ATOM"))
        worker = opened.enter_context(Atom(folder / "worker", services["worker"], addresses, "ATOM_WORKER_METRICS"))
        scrape(
            prometheus,
            {**addresses, "server:8460": f"127.0.0.1:{server.port}", "worker:8461": f"127.0.0.1:{worker.port}"},
        )
        yield server, worker, prometheus, environment_of(services["server"], addresses)


def once(name: str, command: Sequence[str], services: Mapping[str, Any], addresses: Replaced) -> None:
    """Runs a service that ends, as the file says it is to be run."""
    environment = environment_of(services[name], addresses)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{name}: {done.stderr}"


def scrape(prometheus: Prometheus, addresses: Replaced) -> None:
    """Prometheus goes on with the file's own configuration, only faster."""
    text = (DEPLOY / "compose" / "prometheus.yaml").read_text()
    (prometheus.folder / "atom-rules.yaml").write_bytes((DEPLOY / "prometheus" / "atom-rules.yaml").read_bytes())
    (prometheus.folder / "prometheus.json").write_text(replaced(text, {**addresses, "15s": "1s"}))
    prometheus.reload()


@pytest.mark.slow
def test_what_the_compose_file_describes_passes_the_smoke_suite(
    composed: tuple[Atom, Atom, Prometheus, dict[str, str]],
) -> None:
    server, worker, prometheus, environment = composed
    inside = ["env", "--ignore-environment", *(f"{name}={value}" for name, value in environment.items())]
    options = ["--base-url", server.url, "--worker-metrics", f"{worker.url}/metrics", "--beside", shlex.join(inside)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.acceptance.smoke", *options],
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    assert "skipped" not in done.stdout
    wait_until(lambda: len(prometheus.query("up == 1")) == 2, "Prometheus scrapes server and worker")
