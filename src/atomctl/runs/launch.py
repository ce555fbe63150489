"""From a fork of the supervisor to the step's first instruction: bounded, unprivileged, without the host's network.

Everything here runs in the child between fork and exec. The order matters: cgroups and mounts need the worker's
rights, so they come first; then the user is given up for good; namespaces that need no right come last.
"""

# pathlib would cost every supervisor 5 ms.
# ruff: noqa: PTH102, PTH112

from __future__ import annotations

import os
import resource

from atomctl.runs import kernel
from atomctl.runs.orders import STAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from atomctl.runs.orders import Order

_SIGKILL = 9


def become(order: Order, hand_over: int | None) -> NoReturn:
    """Turns this process into the step. `hand_over` is the socket that takes the sandbox's listening socket.

    Raises:
        OSError: a bound could not be put in place; the step was not started.
    """
    enter_network = _network_entrance(hand_over)
    parent = os.getppid()
    os.setsid()
    join(order["cgroups"])
    if order["staged"]:
        stage(order["staged"])
    bound(order["limits"])
    drop(order["user"])
    enter_network()
    kernel.gain_no_privileges()
    kernel.die_with_parent(_SIGKILL)
    if os.getppid() != parent:
        raise OSError("the supervisor was gone before the step began")
    os.chdir(order["cwd"])
    execute(order["argv"], order["env"])


def execute(argv: list[str], env: dict[str, str]) -> NoReturn:
    """Becomes the program, looked for on the step's own PATH.

    Not `os.execvpe`: that imports a module at this point, where Python's files may be out of reach.

    Raises:
        OSError: there is no such program, or it cannot be executed.
    """
    name = argv[0]
    problem: OSError = FileNotFoundError(f"no program {name!r} on the PATH of steps")
    for folder in [""] if "/" in name else [f"{entry}/" for entry in env["PATH"].split(":")]:
        try:
            os.execve(folder + name, argv, env)  # noqa: S606  # no shell is what we want
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            problem = error
    raise problem


def _network_entrance(hand_over: int | None) -> Callable[[], None]:
    """What to call once the user is given up; imported before, while Python's own files can still be read."""
    if hand_over is None:
        return lambda: None
    from atomctl.runs import lone_network

    return lambda: lone_network.enter(hand_over)


def join(cgroups: list[str]) -> None:
    """This process and all it starts count against the limits of `cgroups`."""
    for folder in cgroups:
        descriptor = os.open(f"{folder}/cgroup.procs", os.O_WRONLY)
        try:
            os.write(descriptor, b"0")
        finally:
            os.close(descriptor)


def stage(staged: dict[str, str]) -> None:
    """Shows each host path as `STAGE/name`, to this process and its children alone.

    The folders above a package or an attempt belong to the worker and stay closed to everyone else; a bind mount is
    how a process that has given the worker's rights up still finds what it may read.
    """
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    # Opened before the mount that may hide them.
    opened = {name: os.open(path, os.O_PATH | os.O_CLOEXEC) for name, path in staged.items()}
    flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    kernel.mount("tmpfs", STAGE, "tmpfs", flags, "mode=0755,size=64k")
    for name, descriptor in opened.items():
        target = f"{STAGE}/{name}"
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            os.mkdir(target, 0o755)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
        kernel.mount(f"/proc/self/fd/{descriptor}", target, None, kernel.MS_BIND)


def bound(limits: dict[str, int]) -> None:
    """Sets each `RLIMIT_<NAME>`, soft and hard, never above what this process was given."""
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (ceiling, ceiling))


def drop(user: int | None) -> None:
    """Gives root up for `user`, in every sense the kernel has, before any namespace maps it back."""
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
