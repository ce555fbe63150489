"""The process that stands between a worker and one step: starts it, watches it, and leaves nothing of it behind.

`python -m atomctl.runs.supervisor FD` reads its order from the control socket FD and then listens there: the byte `C`
means cancel, the end of the stream means the worker is gone. It starts fast because it imports next to nothing.

What is true when it has ended, in whatever way: no process of the step is alive. In a sandbox the kernel sees to that
(the step's process namespace dies with the process that holds it). Without one there are two of these processes, each
a subreaper, and the one that is left kills what the other one leaves.
"""

# pathlib would cost every supervisor 5 ms.
# ruff: noqa: PTH106

from __future__ import annotations

import os
import select
import sys
import time

from atomctl.runs import kernel, launch, process_tree
from atomctl.runs.orders import CANCEL, read_order, write_report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from atomctl.runs.orders import Order, Report

_SIGUSR1 = 10
_SIGTERM = 15
_SIGKILL = 9
_BUBBLEWRAP_PROCESSES = 2
"""The one that waits outside and the one that is process 1 inside."""


class GuardLostError(BaseException):
    """The other process of the pair was killed: everything ends now."""


class Attempt:
    """One started step under watch.

    Args:
        order: what to start and its bounds.
        control: the socket to the worker.
    """

    def __init__(self, order: Order, control: int) -> None:
        self._order = order
        self._control: int | None = control
        self._deadline = time.monotonic() + order["timeout"]
        self._kill_at: float | None = None
        self._reason: str | None = None
        self._proxy: int | None = None

    def run(self) -> Report:
        """The step has ended and so has everything it started; what came of it."""
        started = time.time()
        child, error = self._start()
        status = None if error else self._watch(child)
        killed, statuses = process_tree.kill_descendants(os.getpid())
        status = statuses.get(child) if status is None else status
        code = None if status is None or error else _exit_code(status)
        return {
            "outcome": self._reason or ("succeeded" if code == 0 else "failed"),
            "exit_code": code,
            "started": started,
            "ended": time.time(),
            "killed": killed,
            "error": error,
        }

    def _start(self) -> tuple[int, str | None]:
        """Forks the step; returns its process id, and why it could not become what was ordered if it could not."""
        theirs, ours = _channel() if self._order["egress"] else (None, None)
        told, tell = os.pipe()  # close-on-exec: a successful exec closes it without a word
        child = os.fork()
        if child == 0:
            try:
                launch.become(self._order, theirs)
            except BaseException as problem:  # noqa: BLE001  # whatever it is, the parent reports it
                os.write(tell, f"{type(problem).__name__}: {problem}".encode()[:4096])
            os._exit(126)
        os.close(tell)
        if theirs is not None and ours is not None:
            os.close(theirs)
            self._open_egress(ours)
        with os.fdopen(told, "rb") as stream:
            said = stream.read(4096)
        return child, said.decode(errors="replace") or None

    def _open_egress(self, channel: int) -> None:
        from atomctl.runs import egress  # with its sockets and threads: only for a step that may reach something

        plan = self._order["egress"]
        assert plan is not None
        self._proxy = egress.start(channel, plan, self._order["user"])

    def _watch(self, child: int) -> int | None:
        """Waits for the child, the worker and the clock; the child's wait status, or None if it has to be killed."""
        ended = os.pidfd_open(child)
        try:
            while not self._due(self._kill_at):
                if self._wait(ended):
                    return os.waitpid(child, 0)[1]
                if self._reason is None and self._due(self._deadline):
                    self._ask_to_end("timed_out")
            return None
        finally:
            os.close(ended)

    def _wait(self, ended: int) -> bool:
        """Sleeps until something happens or is due, and hears the worker; whether the child has ended."""
        poller = select.poll()
        poller.register(ended, select.POLLIN)
        if self._control is not None:
            poller.register(self._control, select.POLLIN)
        until = self._deadline if self._kill_at is None else self._kill_at
        ready = {descriptor for descriptor, _ in poller.poll(max(0.0, until - time.monotonic()) * 1000 + 1)}
        if ended not in ready and self._control in ready:
            self._hear()
        return ended in ready

    def _hear(self) -> None:
        assert self._control is not None
        word = os.read(self._control, 1)
        if word == b"":  # nobody is left who would want the step to go on, or to end politely
            self._control, self._reason, self._kill_at = None, self._reason or "abandoned", time.monotonic()
        elif word == CANCEL and self._reason is None:
            self._ask_to_end("cancelled")

    def _ask_to_end(self, reason: str) -> None:
        """TERM to every process of the step, and a date for KILL."""
        below = [pid for pid in process_tree.descendants(os.getpid()) if pid != self._proxy]
        if self._order["sandboxed"]:
            below = below[_BUBBLEWRAP_PROCESSES:]
        process_tree.signal_all(below, _SIGTERM)
        self._reason = reason
        self._kill_at = time.monotonic() + (self._order["grace"] if below else 0)

    @staticmethod
    def _due(moment: float | None) -> bool:
        return moment is not None and time.monotonic() >= moment


def _channel() -> tuple[int, int]:
    import socket

    theirs, ours = socket.socketpair()
    return theirs.detach(), ours.detach()


def _exit_code(status: int) -> int:
    """The code a shell would show: 128 + n for a process that signal n ended."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def supervise(order: Order, control: int) -> int:
    """Runs the step and leaves its report; returns this process's exit code."""
    kernel.become_subreaper()
    try:
        report = Attempt(order, control).run()
        write_report(order["report"], report)
        if report["outcome"] == "abandoned":
            _remove_groups(order["cgroups"])
    except GuardLostError:
        process_tree.kill_descendants(os.getpid())
        return 1
    except OSError as error:
        os.write(2, f"atom: no report of this step can be given: {error}\n".encode(errors="replace"))
        return 1
    return 0


def _remove_groups(folders: list[str]) -> None:
    """What the worker would have removed; the groups are empty by now."""
    for folder in folders:
        try:
            os.rmdir(folder)
        except OSError:
            continue  # `cgroups.sweep` of the next worker has another look


def supervise_in_a_pair(order: Order, control: int) -> int:
    """As `supervise`, where no process namespace ends the step: killing one of the two processes is not enough.

    The outer one adopts what a killed inner one leaves; the inner one is told by the kernel when the outer one ends.
    """
    kernel.become_subreaper()
    guard = os.getpid()
    inner = os.fork()
    if inner == 0:
        import signal

        signal.signal(_SIGUSR1, _lose_guard)
        kernel.die_with_parent(_SIGUSR1)
        return supervise(order, control) if os.getppid() == guard else 1
    _, status = os.waitpid(inner, 0)
    process_tree.kill_descendants(guard)
    return _exit_code(status)


def _lose_guard(_number: int, _frame: object) -> None:
    raise GuardLostError


def main(arguments: list[str]) -> int:
    """Supervises the attempt whose control socket has the number in `arguments`."""
    control = int(arguments[0])
    os.set_inheritable(control, False)
    try:
        order = read_order(control)
    except (EOFError, OSError):
        return 1  # nothing was started, and nobody is left to tell
    run = supervise if order["sandboxed"] else supervise_in_a_pair
    return run(order, control)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
