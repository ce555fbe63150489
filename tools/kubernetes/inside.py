"""The first process inside the node's namespaces: prepares them, starts every program, and takes in orphans.

When it ends, the kernel ends all that runs in the node. A program that ends by itself ends the node, so that nothing
limps on; but `control` stops and starts programs on request, for tests of outages: a line `stop NAME` or `start NAME`
is answered with `done`, or with what is wrong.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tools.kubernetes import api, cgroups, configuration
from tools.kubernetes.layout import CONTAINERD_SOCKET, HOST_IP, LINK_NETWORK, NODE, NODE_IP, PRIVATE, Layout

_PATIENCE = 180.0
_POLL = 0.05
SYSCTLS: Mapping[str, int] = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1_000_000,
    "kernel/keys/root_maxbytes": 25_000_000,
}
"""Kernel settings of the whole machine that kubelet insists on. It reads them from our files, so it changes none."""


class NodeError(Exception):
    """The node cannot go on; the message says which program is why."""


class Programs:
    """The node's programs by name."""

    def __init__(self, layout: Layout, commands: Mapping[str, Sequence[str]]) -> None:
        self._layout = layout
        self._commands = commands
        self._running: dict[int, tuple[str, subprocess.Popen[bytes]]] = {}
        self._stopped: set[str] = set()
        self._succeeded: set[str] = set()

    def start(self, name: str) -> None:
        """Afterwards `name` runs, and is expected to go on."""
        if name in self._names():
            raise NodeError(f"{name} runs already")
        self._stopped.discard(name)
        self._launch(name, self._commands[name])

    def run_once(self, name: str, command: Sequence[str]) -> None:
        """Afterwards `name` runs, and is expected to succeed: see `succeeded`."""
        self._launch(name, command)

    def succeeded(self, name: str) -> bool:
        """Whether a program that was to run once has ended well."""
        return name in self._succeeded

    def stop(self, name: str) -> None:
        """Afterwards `name` is gone, without having had a moment to put its things in order."""
        if name not in self._commands:
            raise NodeError(f"there is no program {name}")
        self._stopped.add(name)
        for pid in [pid for pid, (running, _) in self._running.items() if running == name]:
            os.kill(pid, signal.SIGKILL)
        self.wait_for(lambda: name not in self._names(), f"{name} ends")

    def reap(self) -> None:
        """Takes in whatever has ended.

        Raises:
            NodeError: one that should have gone on, or failed.
        """
        while ended := _next_ended():
            pid, status = ended
            name, process = self._running.pop(pid, ("", None))
            if process is None:  # an orphan
                continue
            process.returncode = status
            if name not in self._commands and status == 0:
                self._succeeded.add(name)
            elif name not in self._stopped:
                raise NodeError(f"{name} ended with status {status}; its log: {self._layout.log(name)}")

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Afterwards `condition` was true once, and no program has ended meanwhile that should not have.

        Raises:
            NodeError: it was not true in time.
        """
        deadline = time.monotonic() + _PATIENCE
        self.reap()
        while not condition():
            if time.monotonic() > deadline:
                raise NodeError(f"not within {_PATIENCE:g} s: {what}")
            time.sleep(_POLL)
            self.reap()

    def _names(self) -> set[str]:
        return {name for name, _ in self._running.values()}

    def _launch(self, name: str, command: Sequence[str]) -> None:
        with self._layout.log(name).open("ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
            )
        self._running[process.pid] = name, process


def _next_ended() -> tuple[int, int] | None:
    """Id and exit code of a child that has ended; a signal's number is negative."""
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, os.waitstatus_to_exitcode(status)) if pid else None


def prepare(layout: Layout) -> None:
    """Afterwards mounts, kernel settings and network are the node's own. The host sees none of it."""
    _run("mount", "--make-rprivate", "/")  # our mounts stay ours
    _run("mount", "--make-rshared", "/")  # and pods see them
    _mount_cgroups()
    for name, value in SYSCTLS.items():
        file = layout.state / "sysctl" / name.replace("/", ".")
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{value}\n")
        _run("mount", "--bind", str(file), f"/proc/sys/{name}")
    for path in PRIVATE:
        own = layout.state / "private" / path[1:]
        own.mkdir(parents=True)
        _run("mount", "--bind", str(own), path)
        _run("mount", "--make-rshared", path)
    _connect()


def _mount_cgroups() -> None:
    """Afterwards /sys/fs/cgroup shows the node's group as its root, as in a container."""
    if cgroups.unified():
        _run("mount", "-t", "cgroup2", "cgroup2", str(cgroups.ROOT))
        first = cgroups.ROOT / "init"  # a group with controllers may have no processes of its own
        first.mkdir()
        (first / "cgroup.procs").write_text(str(os.getpid()))
        wanted = (cgroups.ROOT / "cgroup.controllers").read_text().split()
        (cgroups.ROOT / "cgroup.subtree_control").write_text(" ".join(f"+{each}" for each in wanted))
        return
    hierarchies = {group.parent.name for group in cgroups.groups()}
    _run("umount", "-R", str(cgroups.ROOT))
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "cgroup", str(cgroups.ROOT))
    for name in sorted(hierarchies):
        (cgroups.ROOT / name).mkdir()
        options = "none,name=systemd" if name == "systemd" else name
        _run("mount", "-t", "cgroup", "-o", options, "cgroup", str(cgroups.ROOT / name))


def _connect() -> None:
    socket.sethostname(NODE)
    _run("ip", "link", "set", "lo", "up")
    deadline = time.monotonic() + _PATIENCE
    while "eth0" not in {name for _, name in socket.if_nameindex()}:
        if time.monotonic() > deadline:
            raise NodeError("no cable to the host")
        time.sleep(_POLL)
    _run("ip", "address", "add", f"{NODE_IP}/{LINK_NETWORK.prefixlen}", "dev", "eth0")
    _run("ip", "link", "set", "eth0", "up")
    _run("ip", "route", "add", "default", "via", HOST_IP)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    if done.returncode != 0:
        raise NodeError(f"{' '.join(command)}: {done.stderr.strip()}")


def start_all(layout: Layout) -> Programs:
    """The running programs; the images are in, and the API answers."""
    first = {"containerd": configuration.containerd_command(layout), **configuration.api_commands(layout)}
    later = configuration.node_commands(layout)
    programs = Programs(layout, {**first, **later})
    for name in first:
        programs.start(name)
    programs.wait_for(CONTAINERD_SOCKET.exists, "containerd listens")
    imports = {f"import-{number}": command for number, command in enumerate(configuration.import_commands())}
    for name, command in imports.items():
        programs.run_once(name, command)
    programs.wait_for(lambda: api.alive(layout), "the API server answers")
    for name in later:
        programs.start(name)
    programs.wait_for(lambda: all(map(programs.succeeded, imports)), "the images are imported")
    return programs


def serve(layout: Layout, programs: Programs) -> None:
    """Does what `control` is told, until a program ends that should not have.

    Raises:
        NodeError: that.
    """
    woken, wake = socket.socketpair()
    for end in (woken, wake):
        end.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with socket.socket(socket.AF_UNIX) as control, selectors.DefaultSelector() as selector:
        os.chdir(layout.folder)  # the name of a socket is short
        control.bind(layout.control.name)
        control.listen()
        selector.register(woken, selectors.EVENT_READ)
        selector.register(control, selectors.EVENT_READ)
        programs.reap()
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if woken in ready:
                woken.recv(4096)
            programs.reap()
            if control in ready:
                _answer(control.accept()[0], programs)


def _answer(connection: socket.socket, programs: Programs) -> None:
    actions = {"stop": programs.stop, "start": programs.start}
    with connection, contextlib.suppress(OSError):
        connection.settimeout(_PATIENCE)
        verb, _, name = connection.recv(256).decode(errors="replace").strip().partition(" ")
        try:
            actions[verb](name)
        except (KeyError, NodeError) as error:
            connection.sendall(f"refused: {error}\n".encode())
        else:
            connection.sendall(b"done\n")


def main() -> int:
    layout = Layout(Path(sys.argv[1]))
    try:
        prepare(layout)
        serve(layout, start_all(layout))
    except (NodeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
