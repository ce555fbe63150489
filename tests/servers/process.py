"""A server in a process of its own: free loopback port, folder, log; awaited, paused, stopped with all it started."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import httpx
from tests.servers.requirement import require
from tests.servers.waiting import wait_until

SETPRIV = Path("/usr/bin/setpriv")
_PORT_ATTEMPTS = 3
_TAIL = 4000


class StartError(Exception):
    """A server did not start; the message ends with its log."""


def free_port() -> int:
    """A TCP port of the loopback interface that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def log_tail(log: Path) -> str:
    """The end of a log, for whoever asks why a test failed."""
    if not log.exists():
        return f"{log}: nothing was logged"
    text = log.read_text(errors="replace")
    return f"{log}, its end:\n{text[-_TAIL:]}"


class ServerProcess(ABC):
    """One server and its state in `folder`. It dies with the thread that started it, however that ends.

    Start it from a thread that lives as long as the server is needed: that is what Linux watches (prctl(2),
    PR_SET_PDEATHSIG).
    """

    name: ClassVar[str]
    start_seconds: float = 30.0
    """Within which it must answer."""
    stop_seconds: float = 10.0
    """Within which it must end by itself; else it is killed."""

    def __init__(self, folder: Path) -> None:
        require(SETPRIV.exists(), "setpriv, which ties servers to the test's life", "apt-get install util-linux")
        self.folder = folder
        self.host = "127.0.0.1"
        self.log = folder / f"{self.name}.log"
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @abstractmethod
    def command(self) -> Sequence[str]:
        """What to run, listening on `port`; its configuration is written here too."""

    def environment(self) -> Mapping[str, str]:
        """All that the server is told by environment, beside PATH and HOME."""
        return {}

    @abstractmethod
    def ready(self) -> bool:
        """Whether it answers now; asked again and again until it does."""

    @property
    def url(self) -> str:
        """Its base address."""
        return f"http://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        """The server's process id, which is also that of its process group."""
        assert self._process is not None, f"{self.name} is not running"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Afterwards the server answers. The first start takes a free port, later ones keep it.

        Raises:
            StartError: it ended or did not answer in time; nothing of it is left running.
        """
        if self.port:
            self._launch()
            return
        for attempt in range(_PORT_ATTEMPTS):
            self.port = free_port()
            try:
                self._launch()
            except StartError as error:
                taken = "address already in use" in str(error)  # between our look and its bind
                if not taken or attempt + 1 == _PORT_ATTEMPTS:
                    raise
            else:
                return

    def _launch(self) -> None:
        tied = [str(SETPRIV), "--pdeathsig", "KILL", "--", *self.command()]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), **self.environment()}
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                tied,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C in the terminal reaches the caller alone, which stops it in order
            )
        self._process = process
        try:
            seconds = self.start_seconds
            wait_until(lambda: process.poll() is not None or self.ready(), f"{self.name} answers", seconds)
            if process.poll() is not None:
                raise StartError(f"{self.name} ended with status {process.returncode}; {log_tail(self.log)}")
            self.started()
        except TimeoutError as error:
            self.stop()
            raise StartError(f"{error}; {log_tail(self.log)}") from error
        except BaseException:
            self.stop()
            raise

    def started(self) -> None:  # noqa: B027 - most servers have nothing to do here
        """What a server needs before it is of use; it answers already."""

    def stop(self) -> None:
        """Afterwards no process of the server is left; a second call does nothing."""
        self._end(signal.SIGTERM)

    def crash(self) -> None:
        """Afterwards the server is gone without having had a moment to put its things in order."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        _send(process.pid, number)
        _send(process.pid, signal.SIGCONT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(self.stop_seconds)
        _send(process.pid, signal.SIGKILL)
        process.wait()

    def restart(self) -> None:
        """Afterwards a new process answers on the same port with the same folder."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Afterwards the server accepts connections and answers nothing: an outage that looks like slowness."""
        _send(self.pid, signal.SIGSTOP)
        await_stopped(self.pid)

    def resume(self) -> None:
        """Afterwards a paused server goes on where it was."""
        _send(self.pid, signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if error is not None:
            error.add_note(log_tail(self.log))


def _send(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def await_stopped(pid: int) -> None:
    """Afterwards no thread of a process that was sent SIGSTOP runs any more: sending it does not wait for them."""
    wait_until(lambda: all(state == "T" for state in _thread_states(pid)), f"process {pid} stops")


def _thread_states(pid: int) -> Iterator[str]:
    """One letter per thread, as proc_pid_stat(5) has it; a thread that ends meanwhile has none."""
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            yield stat.read_text().rpartition(")")[2].split()[0]


def answers(url: str) -> bool:
    """Whether a GET of `url` is answered with a success within a second; proxies of the environment are not asked."""
    try:
        return httpx.get(url, timeout=1, trust_env=False).is_success
    except httpx.TransportError:
        return False
