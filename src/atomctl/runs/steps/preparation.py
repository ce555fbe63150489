"""Everything a shell step is handed before it starts: its folder, its files, its environment, its order."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from atomctl.errors import AtomError
from atomctl.runs import sandbox
from atomctl.runs.cgroups import AttemptGroups
from atomctl.runs.isolation import closed_folder, step_user
from atomctl.runs.orders import STAGE
from atomctl.runs.process_tree import threads_of
from atomctl.runs.steps import codes, command, environment
from atomctl.runs.steps.model import IsolationLevel, Limits, StepRequest
from atomctl.runs.steps.site import Site

if TYPE_CHECKING:
    from atomctl.runs.orders import Egress, Order

REPORT: Final = "result.json"
OUTPUT: Final = "output"
_CGROUP_BOUND: Final = {"pids": "NPROC", "memory": "AS"}


@dataclass(frozen=True, slots=True)
class Prepared:
    """An attempt that is ready to start. `descriptors` are open and go to the step under their own numbers."""

    order: Order
    descriptors: tuple[int, ...]
    folder: Path


@dataclass(frozen=True, slots=True)
class _Start:
    """The part of an order that differs with and without a sandbox."""

    argv: list[str]
    env: dict[str, str]
    cwd: str
    staged: dict[str, str]
    descriptors: tuple[int, ...] = ()
    egress: Egress | None = None


@dataclass(frozen=True, slots=True)
class _Draft:
    """What is settled before the two ways part."""

    request: StepRequest
    site: Site
    argv: list[str]
    folder: Path
    user: int | None

    @property
    def staged(self) -> dict[str, str]:
        """What a root worker shows to the unprivileged user, whose way there may be closed; see `launch.stage`."""
        if self.user is None:
            return {}
        return {"package": str(self.request.folder), "output": str(self.folder / OUTPUT)}


@contextlib.contextmanager
def prepared(request: StepRequest, site: Site, groups: AttemptGroups) -> Iterator[Prepared]:
    """Makes the attempt's folder and all that is in it; takes everything away again at the end.

    Raises:
        AtomError: RUN651 a configuration nothing can execute, RUN652 the step's user cannot reach the package,
            RUN653 the folder cannot be made, RUN664 the attempt was started before.
    """
    argv = command.argv(request.config, request.folder)
    user = step_user(request.attempt_id.int, own="pids" not in groups.controllers)
    sandboxed = site.isolation.level is IsolationLevel.BUBBLEWRAP
    with contextlib.ExitStack() as stack:
        folder = _folder(request, site, user, stack)
        draft = _Draft(request, site, argv, folder, user)
        start = _sandboxed(draft, stack) if sandboxed else _plain(draft)
        order: Order = {
            "argv": start.argv,
            "env": start.env,
            "cwd": start.cwd,
            "user": user,
            "staged": start.staged,
            "limits": process_limits(request.limits, groups, threads_of(os.geteuid()) if user is None else 0),
            "cgroups": [str(group) for group in groups.folders],
            "sandboxed": sandboxed,
            "timeout": request.timeout.total_seconds(),
            "grace": request.limits.grace.total_seconds(),
            "egress": start.egress,
            "report": str(folder / REPORT),
        }
        yield Prepared(order, start.descriptors, folder)


def process_limits(limits: Limits, groups: AttemptGroups, running: int) -> dict[str, int]:
    """The RLIMIT_ values of each process; processes and memory only where no control group binds the whole tree.

    The kernel counts processes per user, so the `running` ones of a user that the step shares are added.
    """
    bounds = {
        "CORE": 0,
        "CPU": limits.cpu_seconds,
        "FSIZE": limits.file_bytes,
        "NOFILE": limits.open_files,
        "NPROC": limits.processes + running,
        # Address space is not memory: what a package declares to be enough may be less than programs reserve.
        "AS": max(limits.memory_bytes, Limits().memory_bytes),
    }
    bound_together = {_CGROUP_BOUND[name] for name in groups.controllers}
    return {name: math.ceil(value) for name, value in bounds.items() if name not in bound_together}


def _folder(request: StepRequest, site: Site, user: int | None, stack: contextlib.ExitStack) -> Path:
    folder = site.attempt_folder(request.attempt_id)
    try:
        folder.mkdir(mode=0o711)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        (folder / OUTPUT).touch(mode=0o600)
        (folder / "home").mkdir(mode=0o700)
        for name in (OUTPUT, "home"):
            _give(folder / name, user)
    except FileExistsError as error:
        raise AtomError(codes.ALREADY_ATTEMPTED, f"{folder} exists") from error
    except OSError as error:
        raise AtomError(codes.NOT_STARTED, f"the attempt's folder: {error}") from error
    return folder


def _give(path: Path, user: int | None) -> None:
    if user is not None:
        os.chown(path, user, user)


def _sandboxed(draft: _Draft, stack: contextlib.ExitStack) -> _Start:
    request, bwrap = draft.request, draft.site.isolation.bwrap
    assert bwrap is not None
    env = environment.build(
        request,
        home=sandbox.HOME,
        output=sandbox.OUTPUT,
        package=sandbox.PACKAGE,
        secrets={name: f"{sandbox.SECRETS}/{name}" for name in request.secrets},
    )
    files = _sandbox_files(draft, stack)
    options = sandbox.arguments(
        files=files,
        env=environment.PROXY | env if request.network else env,
        # It is memory, also where no control group counts it as such.
        scratch_bytes=min(request.limits.scratch_bytes, request.limits.memory_bytes),
        shared_network=bool(request.network),
    )
    listed = _memory_file("arguments", sandbox.encode(options), stack)
    allow = list(draft.site.guard.allow)
    return _Start(
        argv=[bwrap, "--args", str(listed), "--", *draft.argv],
        env={"PATH": environment.PATH},  # bwrap itself runs outside: nothing of the package's may influence it
        cwd="/",
        staged=draft.staged,
        descriptors=(listed, files.passwd, files.group, *files.secrets.values()),
        egress={"hosts": list(request.network), "allow": allow} if request.network else None,
    )


def _sandbox_files(draft: _Draft, stack: contextlib.ExitStack) -> sandbox.Files:
    secrets = draft.request.secrets
    return sandbox.Files(
        package=f"{STAGE}/package" if draft.staged else str(draft.request.folder),
        output=f"{STAGE}/output" if draft.staged else str(draft.folder / OUTPUT),
        passwd=_memory_file("passwd", sandbox.PASSWD, stack),
        group=_memory_file("group", sandbox.GROUP, stack),
        secrets={name: _memory_file(name, value.encode(), stack) for name, value in secrets.items()},
    )


def _plain(draft: _Draft) -> _Start:
    package, folder = draft.request.folder, draft.folder
    for path in (package, folder) if draft.user is not None else ():
        if closed := closed_folder(path):
            raise AtomError(codes.UNREACHABLE_FOLDER, f"{closed} is closed to uid {draft.user}")
    env = environment.build(
        draft.request,
        home=str(folder / "home"),
        output=str(folder / OUTPUT),
        package=str(package),
        secrets=_secret_files(draft),
    )
    return _Start(argv=draft.argv, env=env, cwd=str(package), staged={})


def _secret_files(draft: _Draft) -> dict[str, str]:
    """Writes each secret to a file only the step can read. On disk, because only a sandbox has a memory of its own."""
    files: dict[str, str] = {}
    for name, value in draft.request.secrets.items():
        file = draft.folder / f"secret-{len(files)}"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as stream:
            stream.write(value.encode())
        _give(file, draft.user)
        files[name] = str(file)
    return files


def _memory_file(name: str, data: bytes, stack: contextlib.ExitStack) -> int:
    """A descriptor of an anonymous file that holds `data`, read from its beginning; closed with the stack."""
    descriptor = os.memfd_create(name)
    stack.callback(os.close, descriptor)
    with os.fdopen(descriptor, "wb", closefd=False) as stream:
        stream.write(data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
