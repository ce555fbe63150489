"""A one-node Kubernetes with real pods, in namespaces of its own: in the foreground, until it is told to end.

    python -m tools.kubernetes.node FOLDER [--wait SECONDS]

FOLDER is made, and tells all there is to know (`layout.Layout`): `kubeconfig`, `ready` while it is, `logs`. Ends with 0
after SIGTERM or SIGINT, with 1 if the node broke, with 3 if something is in the way. Then no process, mount, interface,
route or control group of it is left, and what the node stored is removed. If it is killed, the kernel ends the rest.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from tools import debian
from tools.build import cache
from tools.kubernetes import api, cgroups
from tools.kubernetes.configuration import write_configuration
from tools.kubernetes.credentials import write_credentials
from tools.kubernetes.layout import (
    HOST_IP,
    LINK,
    LINK_NETWORK,
    NODE_IP,
    POD_NETWORK,
    PRIVATE,
    SERVICE_NETWORK,
    Layout,
)
from tools.kubernetes.obstacles import (
    DEBIAN_TOOLS,
    NAMESPACES,
    ObstacleError,
    clear_remains,
    demand_free_networks,
    lacking,
    only_one,
)

ROOT = Path(__file__).parents[2]
READY_SECONDS = 240.0
_POLL = 0.1
_TAIL = 3000


class BrokenNodeError(Exception):
    """The node did not get ready, or ended by itself; the message ends with a log."""


def prepare(layout: Layout) -> None:
    """Afterwards the folder has keys, configuration and empty places to write to."""
    if unreachable := next((path for path in PRIVATE if layout.folder.is_relative_to(path)), None):
        raise ObstacleError(f"{layout.folder} is in {unreachable}, which the node has of its own; take another TMPDIR")
    for former in (layout.config, layout.state):
        shutil.rmtree(former, ignore_errors=True)
        former.mkdir(parents=True)
    layout.logs.mkdir(exist_ok=True)
    layout.control.unlink(missing_ok=True)
    if not layout.keys.exists():
        write_credentials(layout.keys, layout.kubeconfig)
    write_configuration(layout)
    links = layout.config / "bin"
    links.mkdir()
    for family in ("iptables", "ip6tables"):
        for suffix in ("", "-save", "-restore"):
            program = debian.tool("iptables").program(f"{family}-nft")
            (links / f"{family}{suffix}").symlink_to(program.with_name(f"{family}-nft{suffix}"))


def environment(layout: Layout) -> dict[str, str]:
    """For the node's processes: nothing of the caller's, and programs and libraries wherever they were unpacked."""
    tools = [debian.tool(name) for name in DEBIAN_TOOLS]
    programs = {str(tool.program(Path(tool.programs[0]).name).parent) for tool in tools if tool.name != "cni"}
    libraries = sorted({str(path) for tool in tools for path in tool.library_folders(tool.root() or Path("/"))})
    system = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
    unpacked = {
        "LD_LIBRARY_PATH": ":".join(libraries),
        "XTABLES_LIBDIR": ":".join(f"{path}/xtables" for path in libraries),
    }
    return {
        "HOME": str(layout.state),
        "LANG": "C.UTF-8",
        "PATH": ":".join([str(layout.config / "bin"), *sorted(programs - set(system)), *system]),
        "PYTHONPATH": str(ROOT),
        "XDG_CACHE_HOME": str(cache().parent),
        **(unpacked if libraries else {}),
    }


@contextlib.contextmanager
def running(layout: Layout) -> Iterator[subprocess.Popen[bytes]]:
    """The node's processes, connected to the host; afterwards they are gone with all they had."""
    made = [Path(path) for path in PRIVATE if not Path(path).exists()]  # the mounts need a place in the host's tree
    for path in made:
        path.mkdir(parents=True)
    node: subprocess.Popen[bytes] | None = None
    try:
        node = _launch(layout)
        _connect(_first_process(node, layout))
        yield node
    finally:
        if node is not None:
            node.kill()  # its child, the node's first process, dies with it, and with that one everything else
            node.wait()
        clear_remains()
        for path in reversed(made):
            with contextlib.suppress(OSError):  # somebody else has begun to use it
                path.rmdir()


def _launch(layout: Layout) -> subprocess.Popen[bytes]:
    tied = ["setpriv", "--pdeathsig", "KILL", "--", "unshare", *NAMESPACES]
    command = [*tied, sys.executable, "-m", "tools.kubernetes.inside", str(layout.folder)]
    with layout.log("node").open("ab") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment(layout),
            cwd=layout.folder,
            start_new_session=True,  # what is sent to our group is for us: we end the node in order
            preexec_fn=cgroups.enter,  # noqa: PLW1509 - no threads here; the namespace's root is where unshare is
        )


def _first_process(node: subprocess.Popen[bytes], layout: Layout) -> int:
    """The id of the first process in the namespaces, as the host sees it; written to `layout.pid`."""
    children = Path(f"/proc/{node.pid}/task/{node.pid}/children")
    _wait_until(lambda: bool(children.read_text().split()), "the namespaces are there", node, layout)
    pid = int(children.read_text().split()[0])
    layout.pid.write_text(f"{pid}\n")
    return pid


def _connect(pid: int) -> None:
    """Afterwards there is a cable to the node, and a way to Services and pods."""
    _ip("link", "add", LINK, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
    _ip("address", "add", f"{HOST_IP}/{LINK_NETWORK.prefixlen}", "dev", LINK)
    _ip("link", "set", LINK, "up")
    for network in (POD_NETWORK, SERVICE_NETWORK):
        _ip("route", "add", str(network), "via", NODE_IP, "dev", LINK)


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False, timeout=30)
    if done.returncode != 0:
        raise BrokenNodeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


def await_ready(layout: Layout, node: subprocess.Popen[bytes]) -> None:
    """Afterwards pods can be created, names be asked for, and `layout.ready` exists."""
    _wait_until(layout.control.exists, "the programs run", node, layout)
    _wait_until(lambda: api.node_ready(layout), "the node is ready", node, layout)
    api.publish_dns(layout)
    layout.ready.touch()


def _wait_until(condition: Callable[[], bool], what: str, node: subprocess.Popen[bytes], layout: Layout) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not condition():
        if node.poll() is not None:
            raise _broken(layout)
        if time.monotonic() > deadline:
            raise BrokenNodeError(f"not within {READY_SECONDS:g} s: {what}; the logs are in {layout.logs}")
        time.sleep(_POLL)


def _broken(layout: Layout) -> BrokenNodeError:
    """Why the node ended: its last words, and those of the program that they name."""
    words = layout.log("node").read_text(errors="replace").strip()
    named = Path(words.rpartition("its log: ")[2])
    tail = named.read_text(errors="replace")[-_TAIL:] if named.is_file() else ""
    return BrokenNodeError(f"the node ended by itself: {words or 'without a word'}\n{tail}".rstrip())


def run(layout: Layout, patience: float) -> NoReturn:
    """Runs a node until a signal ends the process.

    Raises:
        ObstacleError: it cannot run here or now.
        BrokenNodeError: it broke.
    """
    if reason := lacking():
        raise ObstacleError(f"missing: {reason}; try, as root: make tools")
    with only_one(f"node in {layout.folder}", patience, lambda holder: _say(f"waiting for the node of {holder}")):
        clear_remains()
        demand_free_networks()
        prepare(layout)
        try:
            with running(layout) as node:
                await_ready(layout, node)
                _say(f"ready: {layout.kubeconfig}")
                node.wait()
                raise _broken(layout)
        finally:
            layout.ready.unlink(missing_ok=True)
            shutil.rmtree(layout.state)


def _end(number: int, _frame: object) -> None:
    """Unwinds, so that all is taken down; the signals that follow are for those who cannot wait."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    _say(f"ending, by signal {number}")
    sys.exit(0)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Run a one-node Kubernetes in the foreground.")
    parser.add_argument("folder", type=Path, help="of its state; made")
    parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="for another node to end")
    given = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        run(Layout(given.folder.resolve()), given.wait)
    except ObstacleError as error:
        _say(f"error: {error}")
        return 3
    except (BrokenNodeError, OSError) as error:
        _say(f"error: {error}")
        return 1


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
