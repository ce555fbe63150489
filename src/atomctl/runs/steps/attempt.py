"""The worker's side of one supervised process: start it, carry its log, pass a cancel on, take the report."""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import atomctl
from atomctl.runs.orders import CANCEL, REPORT_FIELDS, pack_order

if TYPE_CHECKING:
    from atomctl.runs.orders import Order, Report
    from atomctl.runs.steps.model import Stream

_START = (
    "import os, sys; sys.path.append(sys.argv[1]); from atomctl.runs.supervisor import main; "
    "os._exit(main(sys.argv[2:]))"
)
"""What `-m atomctl.runs.supervisor` does, without the 5 ms that `-m` takes and the 2 ms of an orderly end."""
_SOURCES = str(Path(atomctl.__file__).parents[1])
"""Where the supervisor finds this package: it starts without `site`, whose look around costs 3 ms."""
_POLL_SECONDS = 0.05
_READ = 64 * 1024
_MARGIN_SECONDS = 20.0
"""How long a supervisor may take beyond timeout and grace before it counts as lost."""
_DRAIN_SECONDS = 2.0
_REPORT_LIMIT = 64 * 1024


def run(
    order: Order, descriptors: Sequence[int], write: Callable[[Stream, bytes], None], cancelled: threading.Event
) -> Report | None:
    """The order was carried out and no process of it is alive; its report, or None if the supervisor left none.

    `descriptors` are inherited by the step under their own numbers. What `write` raises ends the step and is raised.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        supervisor = _start(theirs.fileno(), descriptors)
        theirs.close()
        try:
            _send(ours, pack_order(order))
            _follow(supervisor, ours, write, cancelled, _deadline(order))
        finally:
            ours.close()  # the end of this stream ends whatever is still running
            _end(supervisor)
    return read_report(Path(order["report"]))


def read_report(path: Path) -> Report | None:
    """The report that a supervisor left, on whatever occasion; None if there is none or it is not whole."""
    try:
        with path.open("rb") as stream:
            data = json.loads(stream.read(_REPORT_LIMIT))
    except (OSError, ValueError):
        return None
    return cast("Report", data) if isinstance(data, dict) and data.keys() >= REPORT_FIELDS else None


def _start(control: int, descriptors: Sequence[int]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _START, _SOURCES, str(control)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        cwd="/",
        pass_fds=(control, *descriptors),
        start_new_session=True,
    )


def _deadline(order: Order) -> float:
    return time.monotonic() + order["timeout"] + order["grace"] + _MARGIN_SECONDS


def _send(control: socket.socket, data: bytes) -> None:
    try:
        control.sendall(data)
    except OSError:
        return  # the supervisor is gone already; its missing report says so


def _follow(
    supervisor: subprocess.Popen[bytes],
    control: socket.socket,
    write: Callable[[Stream, bytes], None],
    cancelled: threading.Event,
    deadline: float,
) -> None:
    """Carries the log until both streams end, or the supervisor has ended and left them open, or is lost."""
    asked = False
    drain_until: float | None = None
    with selectors.DefaultSelector() as selector:
        for stream, pipe in (("stdout", supervisor.stdout), ("stderr", supervisor.stderr)):
            assert pipe is not None
            selector.register(pipe, selectors.EVENT_READ, stream)
        while selector.get_map() and time.monotonic() < (drain_until or deadline):
            for key, _ in selector.select(_POLL_SECONDS):
                data = os.read(key.fd, _READ)
                if data:
                    write(key.data, data)
                else:
                    selector.unregister(key.fileobj)
            if cancelled.is_set() and not asked:
                _send(control, CANCEL)
                asked = True
            if drain_until is None and supervisor.poll() is not None:
                drain_until = time.monotonic() + _DRAIN_SECONDS
    _wait_until(supervisor, deadline, cancelled, None if asked else control)


def _wait_until(
    supervisor: subprocess.Popen[bytes], deadline: float, cancelled: threading.Event, control: socket.socket | None
) -> None:
    """For a step that closed its streams and goes on: the supervisor's end, with an ear for a cancel."""
    while supervisor.poll() is None and time.monotonic() < deadline:
        if cancelled.is_set() and control is not None:
            _send(control, CANCEL)
            control = None
        try:
            supervisor.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            continue


def _end(supervisor: subprocess.Popen[bytes]) -> None:
    """The supervisor has ended, by the end of its control stream or by force, and its pipes are closed."""
    try:
        supervisor.wait(_MARGIN_SECONDS)
    except subprocess.TimeoutExpired:
        supervisor.kill()
        supervisor.wait()
    for pipe in (supervisor.stdout, supervisor.stderr):
        if pipe is not None:
            pipe.close()
