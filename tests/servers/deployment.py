"""A whole deployment on the real servers: what `make controls` checks, and what sabotage has to be noticed in."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import sql
from tests.servers.foreground import MISSING
from tests.servers.process import SETPRIV, StartError, free_port, log_tail
from tests.servers.stack import Stack, running
from tests.servers.waiting import wait_until
from tools.build import tool

from atomctl.errors import AtomError

ROOT = Path(__file__).parents[2]
SCALE = "0.0005"
"""Of the alert rules' windows: ten minutes become five seconds, the shortest a rule can have."""
CONTROLS = 12
_READY_SECONDS = 120.0
_CHECK_SECONDS = 1200.0


@dataclass(frozen=True, slots=True)
class Program:
    """The command of one source tree, in the environment of one instance."""

    tree: Path
    environment: Mapping[str, str]

    def argv(self, *arguments: str | Path) -> list[str]:
        """The command line."""
        return [sys.executable, "-m", "atomctl", *map(str, arguments)]

    @property
    def env(self) -> dict[str, str]:
        """The environment: nothing of ATOM's but what is meant."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ATOM_", "COSIGN_"))}
        return {**kept, "PYTHONPATH": str(self.tree / "src"), "COSIGN_PASSWORD": "", **self.environment}

    def __call__(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """What it printed; its exit code is not checked."""
        return subprocess.run(
            self.argv(*arguments),
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_CHECK_SECONDS,
            check=False,
        )


@contextmanager
def instance(stack: Stack, folder: Path, tree: Path = ROOT) -> Iterator[Program]:
    """An instance of the program in the source tree, with a home, a database and a bucket of its own on the servers.

    The alert rules that Prometheus has meanwhile are those the program prints, with shortened windows.

    Raises:
        StartError: it ended or was not ready in time; the message ends with what it said.
    """
    folder.mkdir(mode=0o711)
    program = Program(tree, _environment(stack, folder))
    rules = program("metrics", "rules", "--label", "probe=true")
    if rules.returncode != 0:
        raise StartError(f"no alert rules: {rules.stderr}")
    ports = (program.environment["ATOM_PORT"], program.environment["ATOM_WORKER_METRICS_PORT"])
    stack.prometheus.load({"atom": rules.stdout}, [f"127.0.0.1:{port}" for port in ports])
    log = folder / "instance.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(SETPRIV), "--pdeathsig", "TERM", "--", *program.argv("up")],
            env=program.env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        _await(process, log)
        yield program
    finally:
        _end(process)


def _environment(stack: Stack, folder: Path) -> dict[str, str]:
    """What points an instance at the servers; its port and that of its worker's metrics are free ones."""
    name = f"atom_{folder.name.replace('-', '_')}"
    with stack.postgres.admin.connect("postgres") as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    cosign = tool("cosign").binary
    return {
        **stack.environment,
        "ATOM_HOME": str(folder / "home"),
        "ATOM_DATABASE_URL": stack.postgres.url.rpartition("/")[0] + f"/{name}",
        "S3_AUDIT_BUCKET": stack.s3.create_bucket(f"audit-{folder.name}", lock=True),
        "ATOM_PORT": str(free_port()),
        "ATOM_WORKER_METRICS_PORT": str(free_port()),
        "ATOM_ALERT_SCALE": SCALE,
        "ATOM_ISOLATION": "preferred",
        "ATOM_BACKUP_LOCK": "1h",
        "ATOM_AUDIT_RETENTION": "1h",
        "XDG_CONFIG_HOME": str(folder / "config"),
        **({"ATOM_COSIGN": str(cosign)} if cosign.exists() else {}),
    }


def _await(process: subprocess.Popen[bytes], log: Path) -> None:
    wait_until(
        lambda: process.poll() is not None or "ATOM is up" in log.read_text(errors="replace"),
        "the instance is up",
        _READY_SECONDS,
    )
    if process.poll() is not None:
        raise StartError(f"the instance ended; {log_tail(log)}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def scratch(prefix: str) -> Iterator[Path]:
    """A folder that the database's own system user can pass; it is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """The exit code of `atomctl controls check`; 1 if the servers broke, 3 if this machine lacks one."""
    parser = argparse.ArgumentParser(description="Check all controls on a deployment on the real servers.")
    parser.add_argument("names", nargs="*", help="controls (default: all)")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="where the evidence goes")
    arguments = parser.parse_args()
    try:
        with (
            scratch("atomctl-controls-") as folder,
            running(folder, targets=()) as stack,
            instance(stack, folder / "checked") as program,
        ):
            return _check(program, arguments.names, arguments.reports.absolute())
    except (StartError, AtomError, OSError, *MISSING) as error:
        print(f"error: {error}", file=sys.stderr)
        return 3 if isinstance(error, MISSING) else 1


def _check(program: Program, names: Sequence[str], reports: Path) -> int:
    checked = subprocess.run(
        program.argv("controls", "check", *names, "--reports", reports),
        env=program.env,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    verified = program("controls", "verify", reports, "-o", "json")
    if checked.returncode or verified.returncode:
        print(verified.stderr, file=sys.stderr, end="")
        return checked.returncode or verified.returncode
    document: dict[str, Any] = json.loads(verified.stdout)
    left_out = [line for file in sorted(reports.glob("audit-*.md")) for line in file.read_text().splitlines()]
    left_out = [line for line in left_out if "left out: " in line]
    if not names and (document["verdicts"]["PASS"] != CONTROLS or left_out):
        print(f"error: not all of {CONTROLS} controls ran whole: {document['verdicts']}, {left_out}", file=sys.stderr)
        return 1
    print(f"verified offline: {document['verdicts']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
