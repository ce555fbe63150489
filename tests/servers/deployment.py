"""A whole deployment on the real servers: what `make controls` checks, and what sabotage has to be noticed in."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.process import SETPRIV, StartError, free_port, log_tail
from tests.servers.stack import MISSING, Stack, running
from tests.servers.waiting import wait_until
from tools.build import tool

from atomctl.errors import AtomError
from atomctl.telemetry.alerts import ALERTS
from atomctl.telemetry.alerts.render import rule_file

ROOT = Path(__file__).parents[2]
SCALE = 0.0005
"""Of the alert rules' windows: ten minutes become five seconds, the shortest a rule can have."""
_READY_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Deployment:
    """The running servers with an instance on top."""

    stack: Stack
    environment: Mapping[str, str]

    def atomctl(self, *arguments: str, program: Path = ROOT, **more: str) -> subprocess.CompletedProcess[str]:
        """The command as its operator runs it, from the source tree `program`; its exit code is not checked."""
        return subprocess.run(
            [sys.executable, "-m", "atomctl", *arguments],
            env={**environment_of(program), **self.environment, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )


def environment_of(program: Path) -> dict[str, str]:
    """This process's environment without settings of ATOM, for the program in the source tree `program`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ATOM_", "COSIGN_"))}
    return {**kept, "PYTHONPATH": str(program / "src"), "COSIGN_PASSWORD": ""}


@contextmanager
def deployed(folder: Path) -> Iterator[tuple[Stack, dict[str, str]]]:
    """All servers, the shipped alert rules loaded with shortened windows, and the environment of an instance."""
    api, worker = free_port(), free_port()
    rules = {"atom": rule_file(ALERTS, scale=SCALE, labels={"probe": "true"})}
    targets = [f"127.0.0.1:{api}", f"127.0.0.1:{worker}"]
    with running(folder, rules=rules, targets=targets) as stack:
        cosign = tool("cosign").binary
        yield (
            stack,
            {
                **stack.environment,
                "ATOM_PORT": str(api),
                "ATOM_WORKER_METRICS_PORT": str(worker),
                "ATOM_ALERT_SCALE": str(SCALE),
                "ATOM_ISOLATION": "preferred",
                "ATOM_BACKUP_LOCK": "1h",
                "ATOM_AUDIT_RETENTION": "1h",
                "XDG_CONFIG_HOME": str(folder / "config"),
                **({"ATOM_COSIGN": str(cosign)} if cosign.exists() else {}),
            },
        )


@contextmanager
def instance(stack: Stack, environment: Mapping[str, str], program: Path = ROOT) -> Iterator[Deployment]:
    """An instance of the program in `program` on the stack, until the block ends.

    Raises:
        StartError: it ended or was not ready in time; the message ends with what it said.
    """
    log = stack.home.parent / "instance.log"
    argv = [str(SETPRIV), "--pdeathsig", "TERM", "--", sys.executable, "-m", "atomctl", "up"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            argv,
            env={**environment_of(program), **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        wait_until(
            lambda: process.poll() is not None or "ATOM is up" in log.read_text(errors="replace"),
            "the instance is up",
            _READY_SECONDS,
        )
        if process.poll() is not None:
            raise StartError(f"the instance ended; {log_tail(log)}")
        yield Deployment(stack, environment)
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def main() -> int:
    """The exit code of `atomctl controls check`; 1 if the servers broke, 3 if this machine lacks one."""
    parser = argparse.ArgumentParser(description="Check all controls on a deployment on the real servers.")
    parser.add_argument("names", nargs="*", help="controls (default: all)")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="where the evidence goes")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="atomctl-controls-"))
    folder.chmod(0o711)  # the database's own system user must pass
    try:
        with deployed(folder) as (stack, environment), instance(stack, environment) as deployment:
            return _check(deployment, arguments.names, arguments.reports)
    except (StartError, AtomError, OSError, *MISSING) as error:
        print(f"error: {error}", file=sys.stderr)
        return 3 if isinstance(error, MISSING) else 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check(deployment: Deployment, names: list[str], reports: Path) -> int:
    checked = subprocess.run(
        [sys.executable, "-m", "atomctl", "controls", "check", *names, "--reports", str(reports)],
        env={**environment_of(ROOT), **deployment.environment},
        stdin=subprocess.DEVNULL,
        check=False,
    )
    verified = deployment.atomctl("controls", "verify", str(reports))
    print(verified.stdout + verified.stderr, end="")
    return checked.returncode or verified.returncode


if __name__ == "__main__":
    sys.exit(main())
