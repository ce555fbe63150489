"""The deployment that is checked, as its operator reaches it: by its API, and by what lies on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from atomctl.db.address import AdminLogin, DatabaseAddress
from atomctl.settings import Settings

if TYPE_CHECKING:
    from atomctl.backup.service import Backups
    from atomctl.controls.twin import Twin
    from atomctl.secrets.model import SecretSource


@dataclass(frozen=True, slots=True)
class Instance:
    """What `atomctl up` leaves in its home: where the server listens, and its own process."""

    api_url: str
    pid: int

    @classmethod
    def read(cls, home: Path) -> Self | None:
        """The instance last started in `home`; None where none was, or not all of it is written yet."""
        try:
            values = json.loads((home / "instance.json").read_bytes())
            return cls(str(values["api_url"]), int(values["pid"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the parts of the deployment are; nothing is opened before a probe needs it.

    Attributes:
        settings: as the operator's other commands have them.
        api_url: where the API server listens; None if none was ever started here.
        address: its database.
        admin: the database's administrator, where one is known.
        secrets: its secret store; None if none is configured.
        backups: makes what takes and restores its backups.
        twin: the scratch instance for what destroys.
    """

    settings: Settings
    api_url: str | None
    address: DatabaseAddress
    admin: AdminLogin | None
    secrets: SecretSource | None
    backups: Callable[[], Backups]
    twin: Twin

    @property
    def issuer_key(self) -> Path:
        """The embedded issuer's key: it makes the probes' identities."""
        return self.settings.home / "keys" / "issuer.key"

    @property
    def audit_key(self) -> Path:
        """The key the audit log is signed with, and the evidence too."""
        return self.settings.home / "keys" / "audit.key"
