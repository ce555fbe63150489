"""What `atomctl up` leaves in the home for the commands beside it: where it listens, for which tenant."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

from atomctl.cli import codes
from atomctl.errors import AtomError
from atomctl.files import replace_file


@dataclass(frozen=True, slots=True)
class Instance:
    """The instance of a home; `tenant_id` is that of its first tenant."""

    api_url: str
    tenant_id: str
    pid: int

    def save(self, home: Path) -> None:
        """Writes `instance.json`, mode 0600."""
        replace_file(home / "instance.json", json.dumps(asdict(self)).encode())


def load_instance(home: Path) -> Instance:
    """The instance last started in `home`.

    Raises:
        AtomError: CLI004 none was started here, or this user may not read it.
    """
    try:
        values = json.loads((home / "instance.json").read_bytes())
        found = Instance(str(values["api_url"]), str(UUID(values["tenant_id"])), int(values["pid"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AtomError(codes.NO_CONTEXT, f"no instance was started in {home}") from error
    return found


def issuer_key(home: Path) -> Path:
    """Where the embedded issuer's private key lies, mode 0600: who can read it administers the instance."""
    return home / "keys" / "issuer.key"


def first_tenant(home: Path) -> UUID:
    """The id of the first tenant of a home, which `atomctl up` made.

    Raises:
        AtomError: CLI004 there is none.
    """
    try:
        return UUID((home / "tenant").read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise AtomError(codes.NO_CONTEXT, f"{home}/tenant names no tenant", hint="name one with --tenant") from error
