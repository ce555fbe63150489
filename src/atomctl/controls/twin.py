"""The scratch twin: a whole instance of its own, on which probes may destroy what they like.

It is started by the same command a person uses, from the same program, in a folder of its own, with none of the
settings of the deployment that is checked.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic, sleep
from typing import NoReturn

from atomctl.controls.codes import TWIN
from atomctl.controls.site import Instance, Site
from atomctl.db.address import admin_from_credentials
from atomctl.db.embedded import embedded_address
from atomctl.errors import AtomError
from atomctl.settings import Settings, setting_fields

_START_SECONDS = 90.0
_STOP_SECONDS = 30.0
_TAIL = 1000


class Twin:
    """A scratch instance in `folder`, started when somebody first needs it.

    Args:
        folder: an empty folder that the database's own system user can pass through.
    """

    def __init__(self, folder: Path) -> None:
        self._home = folder / "twin"
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._site: Site | None = None

    def site(self) -> Site:
        """The running twin.

        Raises:
            AtomError: CTL906 it does not start.
        """
        with self._lock:
            if self._site is None:
                self._site = self._start()
            return self._site

    def stop(self) -> None:
        """No process of the twin is left afterwards; a second call does nothing."""
        with self._lock:
            process, self._process, self._site = self._process, None, None
            if process is None:
                return
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self) -> Site:
        self._home.mkdir(mode=0o700, exist_ok=True)
        log = self._home.parent / "twin.log"
        argv = [sys.executable, "-m", "atomctl", "up", "--home", str(self._home), "--port", "0"]
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                argv, env=_bare(), stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
        address = embedded_address(self._home)
        return Site(
            settings=Settings(home=self._home),
            api_url=self._wait(self._process, log),
            address=address,
            admin=admin_from_credentials(address),
            secrets=None,
            backups=_no_backups,
            twin=self,
        )

    def _wait(self, process: subprocess.Popen[bytes], log: Path) -> str:
        """Where the twin's server listens, once it is ready."""
        deadline = monotonic() + _START_SECONDS
        while process.poll() is None and monotonic() < deadline:
            instance = Instance.read(self._home)
            if instance is not None and instance.pid == process.pid:
                return instance.api_url
            sleep(0.05)
        said = log.read_text(errors="replace")[-_TAIL:]
        raise AtomError(TWIN, f"it ended or was not ready within {_START_SECONDS:.0f} s: {said.strip()}")


def _no_backups() -> NoReturn:
    raise LookupError("no probe backs the twin up")


def _bare() -> dict[str, str]:
    """The environment without any setting of the deployment that is checked."""
    ours = {name for spec in setting_fields() for name in spec.metadata["env"]}
    return {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("ATOM_")}
