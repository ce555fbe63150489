"""Real attempts: a site where the sandbox works, one without any, and a shorthand to run a step at either."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from atomctl.runs.addresses import AddressGuard
from atomctl.runs.isolation import Isolation, IsolationPolicy, without_sandbox
from atomctl.runs.steps.executors import StepExecutor
from atomctl.runs.steps.model import IsolationLevel, Limits, StepRequest, StepResult, Stream
from atomctl.runs.steps.probe import prepare_site, probe
from atomctl.runs.steps.site import Site
from atomctl.wpk.model import HandlerType


@dataclass
class Log:
    """Keeps what a step prints."""

    pieces: list[tuple[Stream, bytes]] = field(default_factory=list)

    def write(self, stream: Stream, data: bytes) -> None:
        """As LogSink."""
        self.pieces.append((stream, data))

    def text(self) -> str:
        """Both streams in the order they came."""
        return b"".join(data for _, data in self.pieces).decode(errors="replace")


@dataclass
class Bench:
    """A site and a package to run steps of."""

    site: Site
    package: Path
    log: Log = field(default_factory=Log)
    cancelled: threading.Event = field(default_factory=threading.Event)
    attempt_id: UUID = field(default_factory=uuid4)

    def script(self, text: str) -> dict[str, Any]:
        """Writes a script into the package; the config that starts it."""
        file = self.package / "scripts" / "step.sh"
        file.parent.mkdir(exist_ok=True)
        file.parent.chmod(0o755)
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)
        return {"script": "scripts/step.sh"}

    def run(
        self,
        config: Mapping[str, Any] | str,
        *,
        timeout: float = 30,
        handler: HandlerType = HandlerType.SHELL,
        **fields: Any,
    ) -> StepResult:
        """One attempt; a text is a script."""
        fields.setdefault("limits", Limits(grace=timedelta(seconds=0.3)))
        request = StepRequest(
            step_name="step",
            handler=handler,
            attempt_id=self.attempt_id,
            config=self.script(config) if isinstance(config, str) else config,
            folder=self.package,
            timeout=timedelta(seconds=timeout),
            **fields,
        )
        self.attempt_id = uuid4()
        return StepExecutor(self.site)(request, self.log, self.cancelled)

    def allowing(self, *allow: str) -> Bench:
        """The same bench at a worker that allows these addresses."""
        return replace(self, site=replace(self.site, guard=AddressGuard(allow)))


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Returns as soon as the condition holds; fails the test if it does not within the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        threading.Event().wait(0.01)


def processes_with(marker: str) -> list[int]:
    """The processes whose command line holds `marker`."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                line = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if marker.encode() in line:
                found.append(int(folder.name))
    return found


@pytest.fixture(scope="session")
def isolation() -> Isolation:
    return probe()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder on a way that everybody may walk, which pytest's private `tmp_path` is not for root."""
    folder = Path(tempfile.mkdtemp(prefix="atom-steps-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def package(open_folder: Path) -> Path:
    folder = open_folder / "package"
    folder.mkdir()
    folder.chmod(0o755)
    return folder


@pytest.fixture
def sandboxed(isolation: Isolation, open_folder: Path, package: Path) -> Bench:
    """Skipped, with the reason, where this machine has no working sandbox."""
    if isolation.level is not IsolationLevel.BUBBLEWRAP:
        pytest.skip(f"{isolation.reason}; apt-get install bubblewrap")
    return Bench(prepare_site(open_folder / "scratch", IsolationPolicy.REQUIRED), package)


@pytest.fixture
def unisolated(open_folder: Path, package: Path) -> Bench:
    scratch = open_folder / "scratch"
    scratch.mkdir()
    scratch.chmod(0o711)
    return Bench(Site(scratch=scratch, isolation=without_sandbox("switched off by the test")), package)


@pytest.fixture(params=["sandboxed", "unisolated"])
def bench(request: pytest.FixtureRequest) -> Bench:
    """Each test with it runs in the sandbox and without."""
    chosen: Bench = request.getfixturevalue(request.param)
    return chosen
