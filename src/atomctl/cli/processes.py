"""The processes of one instance: started in order, watched, restarted when they die, stopped in reverse order."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from atomctl.db.orphans import dies_with_parent

_RESTARTS = 5
_WINDOW_SECONDS = 60.0


@dataclass(slots=True)
class Restarts:
    """How often something was started again; it is given up when it dies more than five times a minute."""

    _at: list[float] = field(default_factory=list)

    def allow(self) -> bool:
        """Whether it may be started once more now; counts as that start."""
        now = time.monotonic()
        self._at = [at for at in self._at if now - at < _WINDOW_SECONDS] + [now]
        return len(self._at) <= _RESTARTS


@dataclass(slots=True)
class Child:
    """One process of the instance; its output goes to `log`, appended, mode 0600.

    It lives in a session of its own, so that Ctrl-C reaches only the parent, which stops its children in order.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path
    inherited: tuple[int, ...] = ()
    """Open descriptors that the process gets too."""
    process: subprocess.Popen[bytes] | None = None
    restarts: Restarts = field(default_factory=Restarts)

    def start(self) -> None:
        """Starts the process; it is told to end when this one does."""
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self.process = subprocess.Popen(
                self.argv,
                env=dict(self.env),
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                pass_fds=self.inherited,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one system call
            )
        finally:
            os.close(descriptor)

    @property
    def ended(self) -> int | None:
        """The exit status, or None while it runs."""
        return self.process.poll() if self.process else None

    def stop(self, grace: float = 10.0) -> None:
        """Asks the process to end, and kills its whole session when it has not after `grace` seconds."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(grace)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def tail(self, lines: int = 5) -> str:
        """The last lines of its log, for an error message."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""
