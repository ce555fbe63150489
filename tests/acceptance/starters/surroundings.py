"""What the starter packages talk to: real servers behind TLS, a cluster, and an instance that may reach them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.command import Atomctl
from tests.acceptance.conftest import short_folder
from tests.acceptance.starters.backups import backup_server
from tests.acceptance.starters.story import Starter
from tests.servers.alertmanager import Alertmanager
from tests.servers.certificates import make_certificate
from tests.servers.kubernetes import Kubernetes
from tests.servers.openbao import OpenBao
from tests.servers.prometheus import Prometheus
from tests.servers.pushgateway import Pushgateway
from tests.servers.tls import TlsFront
from tests.servers.webhook import WebhookReceiver

ADDRESSES = {
    "backups": "backups.storage.svc:8443",
    "alertmanager": "alertmanager.monitoring.svc:9093",
    "prometheus": "prometheus.monitoring.svc:9090",
    "pushgateway": "pushgateway.monitoring.svc:9091",
    "vault": "vault.vault.svc:8200",
}
"""Where the packages expect each server."""
POLICY = """
path "secret/data/{tenant}/*"           {{ capabilities = ["create", "read", "update"] }}
path "secret/metadata/{tenant}/*"       {{ capabilities = ["read", "list"] }}
path "database/{tenant}/static-creds/*" {{ capabilities = ["read"] }}
"""
"""What the instance may do at the Vault, as the page about it says."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Servers, a cluster, and an instance whose worker is a service account there without any permission.

    Attributes:
        hosts: `host:port` of each server's TLS side.
        authority: the file with the certificate of them all.
        account: name and namespace of the worker's service account.
        targets: the file with the Pods that Prometheus scrapes.
        backups: what the backup server serves.
    """

    atomctl: Atomctl
    kubernetes: Kubernetes
    alertmanager: Alertmanager
    prometheus: Prometheus
    pushgateway: Pushgateway
    vault: OpenBao
    hosts: Mapping[str, str]
    authority: Path
    account: Mapping[str, str]
    targets: Path
    backups: Path

    def starter(
        self,
        name: str,
        *servers: str,
        changes: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> Starter:
        """The package as a user publishes it, with the addresses of these servers; see `Starter`."""
        addresses = {ADDRESSES[server]: self.hosts[server] for server in servers}
        return Starter(self.atomctl, name, {**addresses, **(changes or {})}, files)

    @property
    def tenant(self) -> str:
        """The id of the instance's tenant."""
        return (self.atomctl.home / "tenant").read_text().strip()

    def alert(self, **labels: str) -> Mapping[str, Any] | None:
        """The alert with these labels that fires in Alertmanager."""
        found = (alert for alert in self.alertmanager.alerts() if labels.items() <= alert["labels"].items())
        return next(found, None)


@contextmanager
def surroundings(kubernetes: Kubernetes, folder: Path) -> Iterator[Surroundings]:
    """All of it, as long as the block runs."""
    with ExitStack() as stack:
        webhook = stack.enter_context(WebhookReceiver())
        alertmanager = stack.enter_context(Alertmanager(folder / "alertmanager", webhook.url))
        targets = folder / "pods.json"
        prometheus = stack.enter_context(Prometheus(folder / "prometheus", jobs=[pods_job(targets)]))
        pushgateway = stack.enter_context(Pushgateway(folder / "pushgateway"))
        vault = stack.enter_context(OpenBao(folder / "openbao"))
        ports = {
            "alertmanager": alertmanager.port,
            "backups": stack.enter_context(backup_server(folder / "backups")),
            "prometheus": prometheus.port,
            "pushgateway": pushgateway.port,
            "vault": vault.port,
        }
        tls, _ = make_certificate("localhost", folder)
        hosts = {name: stack.enter_context(TlsFront(tls, port)).host for name, port in ports.items()}
        role = vault.define_role("atomctl", POLICY.format(tenant="not-known-yet"))
        account = _account(kubernetes)
        stack.callback(kubernetes.delete_namespace, account["namespace"])
        atomctl = stack.enter_context(
            _instance(
                KUBECONFIG=str(kubernetes.account_kubeconfig(folder, account["namespace"], account["name"])),
                SSL_CERT_FILE=str(folder / "localhost.pem"),
                ATOM_STEP_ALLOW=",".join(hosts.values()),
                ATOM_SECRETS="vault",
                VAULT_ADDR=vault.address,
                VAULT_ROLE_ID=role,
                VAULT_SECRET_ID=vault.plain_secret_id("atomctl"),
            )
        )
        vault.define_role("atomctl", POLICY.format(tenant=(atomctl.home / "tenant").read_text().strip()))
        yield Surroundings(
            atomctl=atomctl,
            kubernetes=kubernetes,
            alertmanager=alertmanager,
            prometheus=prometheus,
            pushgateway=pushgateway,
            vault=vault,
            hosts=hosts,
            authority=folder / "localhost.pem",
            account=account,
            targets=targets,
            backups=folder / "backups",
        )


def pods_job(targets: Path) -> dict[str, object]:
    """A scrape job whose targets stand in a file; Debian's Prometheus cannot ask a cluster for its Pods itself."""
    targets.write_text("[]")
    return {"job_name": "pods", "file_sd_configs": [{"files": [str(targets)], "refresh_interval": "1s"}]}


def _account(kubernetes: Kubernetes) -> dict[str, str]:
    """A service account that may do nothing yet."""
    namespace = kubernetes.create_namespace("starters")
    kubernetes.request("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": "atom"}})
    return {"name": "atom", "namespace": namespace}


@contextmanager
def _instance(**environment: str) -> Iterator[Atomctl]:
    folder = short_folder()
    command = Atomctl(folder / "home", folder / "work", (), **environment)
    try:
        command("up", "--detach", "--port", "0")
        command("auth", "login", "--as", "bob", "--role", "approver")
        command("keys", "generate")
        command("keys", "register", "atom.pub", "--for", "*")
        yield command
    finally:
        command("down")
        shutil.rmtree(folder, ignore_errors=True)
