"""An instance that runs on after the command that started it has returned, and its end."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time

from atomctl.cli import codes
from atomctl.cli.instance import load_instance
from atomctl.db.home import HomeLock
from atomctl.errors import AtomError
from atomctl.settings import Settings

_READY_SECONDS = 90.0
_STOP_SECONDS = 60.0


def start_in_background(settings: Settings) -> str:
    """An instance of the settings runs on its own and is ready; where its server listens.

    Raises:
        AtomError: CLI012 it ended before it was ready; its own message is part of the reason.
    """
    logs = settings.home / "logs"
    for folder in (settings.home, logs):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = logs / "up.log"
    argv = [sys.executable, "-m", "atomctl", "up", "--home", str(settings.home)]
    argv += ["--host", settings.host, "--port", str(settings.port)]
    with open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:  # noqa: PTH123  # mode from the start
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
    deadline = time.monotonic() + _READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            instance = load_instance(settings.home)
            if instance.pid == process.pid:
                return instance.api_url
        except AtomError:
            pass  # not written yet
        time.sleep(0.05)
    if process.poll() is None:
        process.terminate()
        process.wait()
    said = log.read_text(encoding="utf-8", errors="replace").strip()
    raise AtomError(codes.PROCESS_DIED, f"it was not ready within {_READY_SECONDS:.0f} s or ended before:\n{said}")


def stop_background(settings: Settings) -> bool:
    """Whether an instance of this home was running; none is afterwards.

    Raises:
        AtomError: CLI012 it did not end in time.
    """
    process_id = HomeLock(settings.home).holder()
    if process_id is None:
        return False
    try:
        handle = os.pidfd_open(process_id)  # names this very process, also when its id is given to another one
    except ProcessLookupError:
        return False
    try:
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        if not select.select([handle], [], [], _STOP_SECONDS)[0]:
            raise AtomError(codes.PROCESS_DIED, f"it did not end within {_STOP_SECONDS:.0f} s of being asked to")
    finally:
        os.close(handle)
    return True
