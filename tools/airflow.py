"""Sets up Airflow in an environment of its own, beside the tools that `tools/build.py` builds: only tests use it.

    python -m tools.airflow          set it up, if it is missing
    python -m tools.airflow --list   show whether it is there and where

Airflow is no dependency of ATOM and shares no environment with it: each pins what the other one does not. The folder's
name holds the digest of `requirements/airflow.txt`, so changed requirements are a new environment. An empty metadata
database comes with it, since making one takes longer than a test.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tools.build import cache

REQUIREMENTS = Path(__file__).parents[1] / "requirements" / "airflow.txt"
_PIN = re.compile(r"^apache-airflow-core==(?P<version>\S+)", re.MULTILINE)
_PATIENCE = 900
"""Seconds that one call may take."""


def version() -> str:
    """The pinned version of Airflow."""
    found = _PIN.search(REQUIREMENTS.read_text())
    assert found is not None, f"{REQUIREMENTS} pins apache-airflow-core"
    return found["version"]


def folder() -> Path:
    """Where the environment lies, or would lie; an interpreter of another minor version has another one."""
    content = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:8]
    return cache() / f"airflow-{version()}-{sys.implementation.cache_tag}-{content}"


def program() -> Path:
    """The command `airflow`."""
    return folder() / "bin" / "airflow"


def empty_database() -> Path:
    """A migrated metadata database without anything in it, to copy."""
    return folder() / "empty" / "airflow.db"


def is_there() -> bool:
    """Whether the environment is whole."""
    return _mark().exists()


def environment(home: Path) -> dict[str, str]:
    """For a call of `airflow` whose state lies in `home`: no examples, no telemetry, no proxy, no account."""
    own = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "NO_COLOR": "1",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "ATOM_", "PYTHON"))}
    return {**kept, **own}


def set_up() -> None:
    """The environment is there, made anew from the hashed requirements."""
    shutil.rmtree(folder(), ignore_errors=True)
    folder().parent.mkdir(parents=True, exist_ok=True)
    python = folder() / "bin" / "python"
    _run([sys.executable, "-m", "venv", str(folder())])
    install = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    _run([str(python), "-m", "pip", *install, "-r", str(REQUIREMENTS)])
    empty_database().parent.mkdir()
    _run([str(program()), "db", "migrate"], environment(empty_database().parent))
    _mark().touch()


def _mark() -> Path:
    """Written last: an environment without it was left half-made."""
    return folder() / ".ready"


def _run(command: list[str], env: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    if done.returncode != 0:
        raise SystemExit(f"error: {' '.join(command[:4])} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Set up the Airflow that tests use.")
    parser.add_argument("--list", action="store_true", help="show whether it is there and where")
    arguments = parser.parse_args()
    if arguments.list:
        print(f"airflow      {version():<10} {'there' if is_there() else 'missing':<8} {folder()}")
        return 0
    if not is_there():
        os.nice(10)
        started = time.monotonic()
        set_up()
        print(f"airflow {version()}: set up in {time.monotonic() - started:.0f} s, {folder()}", file=sys.stderr)
    else:
        print(f"airflow {version()}: there, {folder()}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
