"""All the real servers at once, for development: `make stack`.

Prints the environment that points atomctl at them, then stays in the foreground; Ctrl-C stops all of it and removes
what they stored. What it prints holds passwords, of servers that only this machine can reach and that end with it.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.servers.alertmanager import Alertmanager
from tests.servers.foreground import MISSING, InterruptedStartError, Signals, say
from tests.servers.openbao import OpenBao
from tests.servers.postgres15 import Postgres15
from tests.servers.process import ServerProcess, StartError, free_port, log_tail
from tests.servers.prometheus import Prometheus
from tests.servers.s3 import S3Server
from tests.servers.webhook import WebhookReceiver

from atomctl.errors import AtomError

ROLE = "atomctl"
BUCKET, LOCKED_BUCKET = "atomctl", "atomctl-audit"
API = "127.0.0.1:8460"
"""Where `atomctl up` listens unless told otherwise."""

POLICY = """
path "secret/data/*"      { capabilities = ["create", "read", "update"] }
path "secret/metadata/*"  { capabilities = ["read", "list"] }
path "transit/keys/*"     { capabilities = ["create", "read", "update"] }
path "transit/encrypt/*"  { capabilities = ["create", "update"] }
path "transit/decrypt/*"  { capabilities = ["create", "update"] }
path "transit/sign/*"     { capabilities = ["create", "update"] }
path "transit/datakey/*"  { capabilities = ["create", "update"] }
# A check of controls asks for a wrapped secret id of the very role it is logged in with.
path "auth/approle/role/atomctl/secret-id" { capabilities = ["create", "update"], min_wrapping_ttl = "1s" }
"""

_Started = TypeVar("_Started")


@dataclass(frozen=True, slots=True)
class Stack:
    """The running servers, and what a client needs to know about them."""

    home: Path
    """Where an instance on top of them keeps its state."""
    postgres: Postgres15
    openbao: OpenBao
    role_id: str
    secret_id: str
    s3: S3Server
    webhook: WebhookReceiver
    alertmanager: Alertmanager
    prometheus: Prometheus
    probes: str
    """host:port where Alertmanager reports the alerts of a check of controls, which listens there meanwhile."""

    @property
    def servers(self) -> Sequence[ServerProcess | Postgres15]:
        """Those that are processes of their own."""
        return self.postgres, self.openbao, self.s3, self.alertmanager, self.prometheus

    @property
    def environment(self) -> Mapping[str, str]:
        """What points atomctl at them, by the variables' well-known names.

        The secret id is not wrapped, because every process and every command logs in with it.
        """
        return {
            "ATOM_HOME": str(self.home),
            "ATOM_DATABASE_URL": self.postgres.url,
            "ATOM_DATABASE_CREDENTIALS": str(self.postgres.credentials),
            "ATOM_SECRETS": "vault",
            "VAULT_ADDR": self.openbao.address,
            "VAULT_ROLE_ID": self.role_id,
            "VAULT_SECRET_ID": self.secret_id,
            "S3_ENDPOINT": self.s3.endpoint,
            "S3_ACCESS_KEY": self.s3.access_key,
            "S3_SECRET_KEY": self.s3.secret_key,
            "S3_BUCKET": BUCKET,
            "S3_AUDIT_BUCKET": LOCKED_BUCKET,
            "PROMETHEUS_URL": self.prometheus.url,
            "ALERTMANAGER_URL": self.alertmanager.url,
            "ATOM_CONTROLS_RECEIVER": self.probes,
        }


@contextmanager
def running(
    folder: Path,
    *,
    rules: Mapping[str, str] | None = None,
    targets: Sequence[str] = (API,),
    before_each: Callable[[], None] = lambda: None,
) -> Iterator[Stack]:
    """All servers, with their state in `folder`; they are stopped afterwards, in the order opposite to their start.

    Args:
        folder: which the database's own system user can reach; it is made if missing.
        rules: of Prometheus, text of rule files by name.
        targets: host:port pairs that Prometheus scrapes.
        before_each: called before each start; what it raises ends the stack.
    """
    with ExitStack() as opened:

        def start(server: AbstractContextManager[_Started]) -> _Started:
            before_each()
            return opened.enter_context(server)

        postgres = start(Postgres15(folder / "postgres"))
        openbao = start(OpenBao(folder / "openbao"))
        openbao.request("POST", "sys/mounts/transit", {"type": "transit"})
        s3 = start(S3Server(folder / "s3"))
        s3.create_bucket(BUCKET)
        s3.create_bucket(LOCKED_BUCKET, lock=True)
        webhook = start(WebhookReceiver(journal=folder / "notifications.jsonl"))
        probes = f"127.0.0.1:{free_port()}"
        alertmanager = start(Alertmanager(folder / "alertmanager", webhook.url, probe_url=f"http://{probes}/"))
        prometheus = start(
            Prometheus(folder / "prometheus", rules=rules, targets=targets, alertmanager=alertmanager.url)
        )
        role_id, secret_id = openbao.define_role(ROLE, POLICY), openbao.plain_secret_id(ROLE)
        yield Stack(
            folder / "home", postgres, openbao, role_id, secret_id, s3, webhook, alertmanager, prometheus, probes
        )


def _serve(folder: Path, rules: Mapping[str, str], targets: Sequence[str]) -> None:
    """Returns when a signal has come and everything is stopped.

    Raises:
        StartError: a server did not start, or ended by itself.
        AtomError: the database did not start.
    """
    signals = Signals()
    say("starting PostgreSQL, OpenBao, S3, Prometheus and Alertmanager")
    try:
        with running(folder, rules=rules, targets=targets, before_each=signals.check) as stack:
            _announce(stack, folder / "environment")
            while not signals.came(seconds=1):
                for server in stack.servers:
                    if not server.running:
                        raise StartError(f"{server.name} ended by itself; {log_tail(server.log)}")
            say("stopping all of it")
    except (InterruptedStartError, StartError, AtomError, *MISSING):
        if not signals.came():  # Ctrl-C also reaches the short-lived programs that prepare a server, and they fail
            raise
        say("interrupted, all of it is stopped")


def _announce(stack: Stack, file: Path) -> None:
    lines = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in stack.environment.items())
    file.touch(mode=0o600)
    file.write_text(lines)
    print(lines, end="", flush=True)
    say(f"ready; in another terminal: source {file}")
    say(f"notifications of alerts: {stack.webhook.journal}")
    say("Ctrl-C stops all of it")


def main() -> int:
    """0 if it was ended, 1 if it broke, 3 if this machine lacks a server."""
    parser = argparse.ArgumentParser(description="Start all real servers and stay in the foreground.")
    parser.add_argument("--rules", type=Path, action="append", default=[], help="a rule file for Prometheus")
    parser.add_argument("--target", action="append", help=f"host:port to scrape (default: {API})")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="atomctl-stack-"))
    folder.chmod(0o711)  # the database's own system user must pass
    try:
        rules = {file.name.partition(".")[0]: file.read_text() for file in arguments.rules}
        _serve(folder, rules, arguments.target or [API])
    except (StartError, AtomError, OSError) as error:
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
