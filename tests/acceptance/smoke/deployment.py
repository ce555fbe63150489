"""A deployment as the smoke suite reaches it: its API, what its workers show, and a shell beside its server."""

from __future__ import annotations

import enum
import io
import json
import os
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from tests.acceptance.command import PROGRAM

from atomctl.access.model import Role

_SECONDS = 120


class Part(enum.Enum):
    """Who takes part, with the roles they need and the tenant they are in."""

    AUTHOR = ("ada", (Role.AUTHOR, Role.OPERATOR, Role.APPROVER, Role.ADMIN), "own")
    APPROVER = ("bob", (Role.APPROVER, Role.SECURITY), "own")
    AUDITOR = ("ute", (Role.AUDITOR,), "own")
    STRANGER = ("eve", tuple(Role), "other")

    def __init__(self, person: str, roles: tuple[Role, ...], tenant: str) -> None:
        self.person = person
        self.roles = roles
        self.tenant = tenant


TENANTS = {
    "own": ("smoke", UUID("01980000-0000-7000-8000-000000000001")),
    "other": ("smoke-other", UUID("01980000-0000-7000-8000-000000000002")),
}
"""The suite's own tenants; their ids are fixed, so that a second time it meets the same ones."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Where commands run beside the server, with its home, its keys and its database's credentials.

    Attributes:
        prefix: the command line in front, such as `kubectl exec -i deploy/atom-server --`; empty on this machine.
        environment: what is set for them on this machine.
        program: how `atomctl` is called there.
    """

    prefix: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    program: str = "atomctl"

    @classmethod
    def home(cls, home: Path) -> Beside:
        """Beside an instance of this machine."""
        return cls(environment={"ATOM_HOME": str(home)}, program=str(PROGRAM))

    def __call__(self, *command: str, given: str | None = None) -> bytes:
        """What the command printed, which ended well; `given` is its standard input."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ATOM_")}
        done = subprocess.run(
            [*self.prefix, *command],
            input=(given or "").encode(),
            env={**kept, **self.environment},
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
        said = f"$ {' '.join([*self.prefix, *command])}\n{done.stderr.decode(errors='replace')}"
        assert done.returncode == 0, f"exit code {done.returncode}\n{said}"
        return done.stdout

    def atomctl(self, *arguments: str, given: str | None = None) -> str:
        """What `atomctl` printed there."""
        return self(self.program, *arguments, given=given).decode()

    def atomctl_as(self, token: str, *arguments: str) -> str:
        """The same as somebody: the token comes through standard input and is left nowhere."""
        reading = ("env", "ATOM_TOKEN_FILE=/dev/stdin", self.program)
        return self(*reading, *arguments, given=token).decode()

    def text(self, path: str) -> str:
        """A file there; `$ATOM_HOME` may stand in its path."""
        return self("sh", "-c", f'cat "{path}"').decode()

    def fetch(self, folder: str, target: Path) -> None:
        """A copy of a folder there, in `target`; it is removed there."""
        packed = self("sh", "-c", f'tar -C "{folder}" -cf - . && rm -r "{folder}"')
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(target, filter="data")


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is to be shown to work.

    Attributes:
        base_url: where its API is.
        beside: a shell beside its server; None where nobody has one.
        keyholder: one that also has the audit log's key, where the other one has not.
        worker_metrics: where a worker shows its metrics; None where it cannot be reached.
        tokens: access tokens by part; those that are missing are issued beside the server.
        isolation: what may stand between a step and the machine it runs on here.
    """

    base_url: str
    beside: Beside | None = None
    keyholder: Beside | None = None
    worker_metrics: str | None = None
    tokens: Mapping[Part, str] = field(default_factory=dict, repr=False)
    isolation: Sequence[str] = ("bubblewrap", "none")

    def token(self, part: Part) -> str | None:
        """An access token for somebody; None where there is neither one nor a way to get one."""
        if part in self.tokens:
            return self.tokens[part]
        if self.beside is None:
            return None
        name, tenant_id = TENANTS[part.tenant]
        self.beside.atomctl("tenants", "create", name, "--id", str(tenant_id))
        roles = [word for role in part.roles for word in ("--role", role.value)]
        issued = self.beside.atomctl("auth", "token", "--as", part.person, "--tenant", str(tenant_id), *roles)
        return issued.strip()


def on_this_machine(home: Path) -> Deployment:
    """The instance that `atomctl up` runs in a home."""
    worker = next((home / "targets").glob("worker-*.json"))
    address = json.loads(worker.read_bytes())[0]["targets"][0]
    api_url = json.loads((home / "instance.json").read_bytes())["api_url"]
    return Deployment(api_url, Beside.home(home), worker_metrics=f"http://{address}/metrics")
