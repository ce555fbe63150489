"""Whether the configured Vault is open, as stored metrics. It is asked without a login: a sealed one refuses any."""

from __future__ import annotations

from pathlib import Path

import requests

from atomctl.secrets.vault_http import BoundedSession, Patience
from atomctl.telemetry import catalog
from atomctl.telemetry.readings import Reading

_READY = frozenset({200, 429, 472, 473})
_SEALED = frozenset({501, 503})
"""Source: the API's page on `/sys/health`: active and the three kinds of standby; not initialized and sealed."""

_PATIENCE = Patience(connect=1.0, silence=1.5, whole=2.0)


class VaultState:
    """Asks for the state of one Vault; a source for `telemetry.readings` that never fails.

    Args:
        address: its base address.
        ca_file: the authority its certificate is checked against; None: those of the machine.
    """

    def __init__(self, address: str, ca_file: Path | None = None) -> None:
        self._url = f"{address.rstrip('/')}/v1/sys/health"
        self._verify = True if ca_file is None else str(ca_file)

    def __call__(self) -> list[Reading]:
        """1 for the state it is in, 0 for the others."""
        state = self._state()
        return [
            Reading(catalog.VAULT_STATE, float(each == state), {"state": each})
            for each in catalog.VAULT_STATE.labels["state"]
        ]

    def _state(self) -> str:
        try:
            with BoundedSession(_PATIENCE) as session:
                status = session.get(self._url, verify=self._verify).status_code
        except (requests.RequestException, ValueError, OSError):
            return "unreachable"
        return "ready" if status in _READY else "sealed" if status in _SEALED else "unreachable"
