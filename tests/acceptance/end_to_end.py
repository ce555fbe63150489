"""`make e2e`: the chart on a real node, from the source tree to passed suites, and nothing left of it afterwards.

    python -m tests.acceptance.end_to_end                  the smoke suite and the starter packages
    python -m tests.acceptance.end_to_end smoke cluster    the named suites

Makes what is missing (the node's programs, Helm, the image), starts a one-node Kubernetes, lets Helm install the chart,
runs the suites against it as processes of their own, and cleans up. A machine that cannot is told so in one line, and
that is no failure unless `ATOM_REQUIRE_TOOLS=1` says that nothing may be missing.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.servers.chart import InstalledChart, installed_chart
from tests.servers.foreground import MISSING
from tests.servers.kubernetes import KUBECONFIG_VARIABLE, Kubernetes, KubernetesServer
from tests.servers.process import StartError
from tests.servers.requirement import require

ROOT = Path(__file__).parents[2]
_WAIT = 300.0
"""Seconds for another node of this machine to end."""
_MISSING = 3
"""What the tools' programs end with where this machine lacks what they need."""
NEEDED = (
    ("tools.build", "kubernetes", "helm", "versitygw"),
    ("tools.debian",),
    ("tools.kubernetes.images",),
    ("tools.image",),
)
"""What makes something that is missing; each is a program that does nothing when all of it is there."""


class FailedError(Exception):
    """A stage ended otherwise than it should; the message is the one line to read."""


class Clock:
    """Says what is being done, and how long each stage took."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._times: list[tuple[str, float]] = []

    @contextmanager
    def stage(self, name: str, what: str) -> Iterator[None]:
        """One stage; said when it begins and when it has ended."""
        began = time.monotonic()
        self.say(f"{name}: {what}")
        yield
        took = time.monotonic() - began
        self._times.append((name, took))
        self.say(f"{name}: done in {took:.1f} s")

    def say(self, text: str) -> None:
        """One line with the time since the start."""
        print(f"[{time.monotonic() - self._started:6.1f} s] {text}", flush=True)

    def summary(self) -> str:
        """All stages with their times."""
        stages = ", ".join(f"{name} {took:.0f} s" for name, took in self._times)
        return f"{stages}; all of it {time.monotonic() - self._started:.0f} s"


def smoke(chart: InstalledChart) -> Sequence[str]:
    """The smoke suite's command line."""
    where = ["--kubeconfig", str(chart.kubeconfig), "--namespace", chart.namespace, "--release", chart.release]
    return ["tests/acceptance/smoke", *where]


def starters(_: InstalledChart) -> Sequence[str]:
    """The command line of the five starter packages' tests, which make namespaces of their own on the same node."""
    return ["tests/acceptance/starters", *_SIDE_BY_SIDE]


def cluster(_: InstalledChart) -> Sequence[str]:
    """The command line of all other tests that can share a node."""
    return [*_OTHERS, "-m", "kubernetes and not own_node and not alone", *_SIDE_BY_SIDE]


def outages(_: InstalledChart) -> Sequence[str]:
    """The command line of the tests that stop the node's API server for a while."""
    return [*_OTHERS, "-m", "kubernetes and not own_node and alone"]


_SIDE_BY_SIDE = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
"""In the order of the command line: the long files first."""
_OTHERS = (
    "tests/acceptance",
    "tests/integration",
    *(f"--ignore=tests/acceptance/{suite}" for suite in ("smoke", "starters", "release")),
)
SUITES: dict[str, Callable[[InstalledChart], Sequence[str]]] = {
    "smoke": smoke,
    "starters": starters,
    "cluster": cluster,
    "outages": outages,
}
USUAL = ("smoke", "starters")


def make_what_is_missing(clock: Clock) -> None:
    """Afterwards the node's programs, Helm and the image are in the cache.

    Raises:
        FailedError: something could not be made; it said why.
        Skipped: this machine cannot; `Failed` where `ATOM_REQUIRE_TOOLS=1` says that it must.
    """
    require(os.geteuid() == 0, "root, which a Kubernetes node and the image need", "sudo make e2e")
    for program in NEEDED:
        with clock.stage(program[0], "making what is missing"):
            status = subprocess.run([sys.executable, "-m", *program], cwd=ROOT, check=False).returncode
        require(status != _MISSING, "what was named above", "make tools")
        if status:
            raise FailedError(f"{' '.join(program)} failed")


@contextmanager
def node(clock: Clock, folder: Path) -> Iterator[Kubernetes]:
    """The running node that `ATOM_TEST_KUBECONFIG` names, else one of its own."""
    given = os.environ.get(KUBECONFIG_VARIABLE)
    if given:
        yield Kubernetes(Path(given))
        return
    with ExitStack() as stack:
        with clock.stage("node", "starting a one-node Kubernetes"):
            started = stack.enter_context(KubernetesServer(folder, wait=_WAIT)).node
        yield started


def run_suite(name: str, chart: InstalledChart) -> None:
    """One suite as a process of its own.

    Raises:
        FailedError: a test failed, or none was run.
    """
    command = ["tools/try_twice.sh", "-q", *SUITES[name](chart)]
    given = {KUBECONFIG_VARIABLE: str(chart.kubeconfig), "ATOM_REQUIRE_TOOLS": "1", "PYTHON": sys.executable}
    environment = {**os.environ, **given}
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
        raise FailedError(f"{name} did not pass")


def run(names: Sequence[str], clock: Clock) -> None:
    """Afterwards all named suites have passed, and nothing of it is left running.

    Raises:
        FailedError: something was not made, or a suite did not pass.
        StartError: the node did not start.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="atomctl-e2e-")))
        cluster = stack.enter_context(node(clock, folder / "node"))
        with clock.stage("chart", "Helm installs the chart with the image of this source tree"):
            chart = stack.enter_context(installed_chart(cluster, folder / "chart"))
        for name in names:
            with clock.stage(name, "running"):
                run_suite(name, chart)
        clock.say("cleaning up")


def main() -> int:
    """0 if all suites passed or the machine cannot run them, 1 if not, 3 if something is missing that must be there."""
    parser = argparse.ArgumentParser(description="Install the chart on a real node and run the suites against it.")
    parser.add_argument("suites", nargs="*", choices=[*SUITES, []], help=f"default: {' '.join(USUAL)}")
    wanted = parser.parse_args().suites or USUAL
    clock = Clock()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # a polite kill cleans up, as Ctrl-C does
    try:
        make_what_is_missing(clock)
        run(wanted, clock)
    except MISSING as missing:
        clock.say(f"SKIPPED: {missing}")
        return 3 if os.environ.get("ATOM_REQUIRE_TOOLS") == "1" else 0
    except (FailedError, StartError) as error:
        clock.say(f"FAILED: {error}")
        return 1
    clock.say(clock.summary())
    return 0


if __name__ == "__main__":
    sys.exit(main())
