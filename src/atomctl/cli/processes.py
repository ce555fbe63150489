"""The processes of one instance: started in order, watched, restarted when they die, stopped in reverse order."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # linux/prctl.h: the child gets a signal when the parent dies, even by SIGKILL
_RESTARTS = 5
_WINDOW_SECONDS = 60.0


def _die_with_parent() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


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
    starts: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Starts the process; it is told to end when this one does."""
        self.starts.append(time.monotonic())
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
                preexec_fn=_die_with_parent,  # noqa: PLW1509  # one C call; the parent has no other thread here
            )
        finally:
            os.close(descriptor)

    @property
    def ended(self) -> int | None:
        """The exit status, or None while it runs."""
        return self.process.poll() if self.process else None

    def may_restart(self) -> bool:
        """Whether it died rarely enough to be started again: at most five times a minute."""
        recent = [at for at in self.starts if time.monotonic() - at < _WINDOW_SECONDS]
        return len(recent) <= _RESTARTS

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
