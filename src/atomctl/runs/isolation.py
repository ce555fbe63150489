"""Whether steps can be isolated here, and what happens where they cannot: refused, or run and said loudly."""

from __future__ import annotations

import enum
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from atomctl.errors import AtomError
from atomctl.runs.sandbox import STEP_USER
from atomctl.runs.steps import codes
from atomctl.runs.steps.model import IsolationLevel
from atomctl.settings import Settings

_DYNAMIC_FIRST = 61184
_DYNAMIC_COUNT = 4336


class IsolationPolicy(enum.StrEnum):
    """What a worker does with shell steps where the sandbox does not work."""

    REQUIRED = "required"
    PREFERRED = "preferred"


def policy_of(settings: Settings) -> IsolationPolicy:
    """What the settings say, or else: refuse, except on an embedded instance of this machine alone.

    Where every shell step is a Job none runs beside the worker, so that it needs no sandbox of its own.
    """
    if settings.step_runtime == "k8s":
        return IsolationPolicy.PREFERRED
    if settings.isolation is not None:
        return IsolationPolicy(settings.isolation)
    alone = settings.database_url is None and settings.loopback
    return IsolationPolicy.PREFERRED if alone else IsolationPolicy.REQUIRED


@dataclass(frozen=True, slots=True)
class Isolation:
    """What was found to work here. `bwrap` is the sandbox's program; `reason` says why there is none."""

    level: IsolationLevel
    bwrap: str | None = None
    reason: str | None = None

    def warning(self) -> str | None:
        """What every unisolated attempt says first in its log; None in a sandbox."""
        if self.level is not IsolationLevel.NONE:
            return None
        return (
            f"atom: WARNING isolation: none ({self.reason}). This step sees the files that its user may read and the "
            "network of this machine; the hosts it declares are not enforced.\n"
        )


def without_sandbox(reason: str) -> Isolation:
    """The finding that there is no sandbox, because of `reason`."""
    return Isolation(IsolationLevel.NONE, reason=reason)


def find_bubblewrap(path: str | None = None) -> Isolation:
    """The sandbox's program on `path` (default: the system's folders); whether it works is for `probe` to say."""
    program = shutil.which("bwrap", path=path or "/usr/local/bin:/usr/bin:/bin")
    if program is None:
        return without_sandbox("bubblewrap is not installed")
    return Isolation(IsolationLevel.BUBBLEWRAP, bwrap=program)


def settle(found: Isolation, policy: IsolationPolicy) -> Isolation:
    """`found`, if the policy can live with it.

    Raises:
        AtomError: RUN650 there is no working sandbox and the policy requires one.
    """
    if found.level is IsolationLevel.NONE and policy is IsolationPolicy.REQUIRED:
        raise AtomError(codes.NO_ISOLATION, f"no sandbox: {found.reason}; ATOM_ISOLATION is `required`")
    return found


def step_user(attempt: int, *, own: bool) -> int | None:
    """The uid and gid a root worker gives a step; None for an ordinary worker, whose own uid the step keeps.

    With `own` it is one that hardly any other step has at the same time, out of the range that systemd(1) sets aside
    for dynamic users: a limit on the processes of a user then counts this step's alone.
    """
    if os.geteuid() != 0:
        return None
    return _DYNAMIC_FIRST + attempt % _DYNAMIC_COUNT if own else STEP_USER


def closed_folder(path: Path) -> Path | None:
    """The first folder on the way to `path` that another user than its owner cannot enter; None if there is none."""
    resolved = path.resolve()
    for folder in (*reversed(resolved.parents), resolved):
        if not folder.stat().st_mode & stat.S_IXOTH and folder.is_dir():
            return folder
    return None
