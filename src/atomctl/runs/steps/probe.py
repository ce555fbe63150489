"""Finding out what isolation works here by using it: the probe is a real attempt of a program that does nothing."""

from __future__ import annotations

import stat
import tempfile
import threading
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from atomctl.errors import AtomError
from atomctl.runs import cgroups
from atomctl.runs.addresses import AddressGuard
from atomctl.runs.isolation import Isolation, IsolationPolicy, find_bubblewrap, settle, without_sandbox
from atomctl.runs.masking import Masker
from atomctl.runs.steps import codes, shell
from atomctl.runs.steps.model import IsolationLevel, Outcome, StepRequest, Stream
from atomctl.runs.steps.site import Site
from atomctl.wpk.model import HandlerType

_TIMEOUT = timedelta(seconds=20)
_SAID = 500


def probe() -> Isolation:
    """What works on this machine, for this user. Starts one sandbox and leaves nothing; some 50 ms."""
    found = find_bubblewrap()
    if found.level is IsolationLevel.NONE:
        return found
    with tempfile.TemporaryDirectory(prefix="atom-probe-", ignore_cleanup_errors=True) as folder:
        said = _Said()
        site = Site(scratch=Path(folder), isolation=found)
        package = Path(folder) / "package"
        package.mkdir()
        package.chmod(0o755)
        result = shell.execute(_request(package), site, said, threading.Event(), Masker(()))
    if result.outcome is Outcome.SUCCEEDED:
        return found
    detail = said.text() or result.error or "it did not start"
    return without_sandbox(f"bubblewrap is installed but does not work here: {detail}")


def prepare_site(scratch: Path, policy: IsolationPolicy, allow: Iterable[str] = ()) -> Site:
    """Makes `scratch` and finds out what this worker can offer its steps.

    Raises:
        AtomError: RUN650 no sandbox works and `policy` requires one; RUN677 an entry of `allow` is neither a network
            nor host:port.
    """
    try:
        guard = AddressGuard(allow)
    except ValueError as error:
        raise AtomError(codes.BAD_ALLOWANCE, f"ATOM_STEP_ALLOW: {error}") from error
    isolation = settle(probe(), policy)
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    if isolation.level is IsolationLevel.NONE:
        scratch.chmod(stat.S_IMODE(scratch.stat().st_mode) | stat.S_IXOTH)  # the step's user has to pass through
    hierarchies = cgroups.find()
    cgroups.sweep(hierarchies)
    return Site(scratch=scratch, isolation=isolation, guard=guard, hierarchies=hierarchies)


class _Said:
    """Keeps what the sandbox's program complains about."""

    def __init__(self) -> None:
        self._data = b""

    def write(self, stream: Stream, data: bytes) -> None:  # noqa: ARG002  # a LogSink
        self._data = (self._data + data)[:_SAID]

    def text(self) -> str:
        return self._data.decode(errors="replace").strip()


def _request(folder: Path) -> StepRequest:
    return StepRequest(
        step_name="probe",
        handler=HandlerType.SHELL,
        attempt_id=UUID(int=0),
        config={"command": ["/bin/true"]},
        folder=folder,
        timeout=_TIMEOUT,
    )
