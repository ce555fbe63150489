"""The real command, run as a process of its own, as a person at a shell runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("atomctl")


class Atomctl:
    """`atomctl` for one home, from one working folder. Every call asserts its exit code, and that nothing leaked.

    Args:
        home: `ATOM_HOME`.
        work: where commands run; created when missing.
        prefix: a command line in front of it, such as one that changes the user.
    """

    def __init__(self, home: Path, work: Path, prefix: tuple[str, ...] = (), **env: str) -> None:
        self.home = home
        self.work = work
        self.prefix = prefix
        self.env = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("ATOM_", "COSIGN_"))},
            "ATOM_HOME": str(home),
            "XDG_CONFIG_HOME": str(work / ".config"),
            "COSIGN_PASSWORD": "",
            **env,
        }
        work.mkdir(exist_ok=True)

    def __call__(
        self, *arguments: str | Path, expect: int = 0, env: Mapping[str, str] | None = None, given: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """What the command printed; it ended with `expect`, and not with a traceback."""
        done = subprocess.run(
            self.argv(*arguments),
            cwd=self.work,
            env={**self.env, **(env or {})},
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        said = f"$ atomctl {' '.join(map(str, arguments))}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == expect, f"exit code {done.returncode}, expected {expect}\n{said}"
        assert "Traceback" not in done.stderr, said
        return done

    def argv(self, *arguments: str | Path) -> list[str]:
        """The command line."""
        return [*self.prefix, str(PROGRAM), *map(str, arguments)]

    @contextmanager
    def started(self, *arguments: str | Path) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
        """The command under way in a process group of its own, and what it prints; it is gone afterwards."""
        with subprocess.Popen(
            self.argv(*arguments),
            cwd=self.work,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            assert process.stdout is not None
            try:
                yield process, process.stdout
            finally:
                process.kill()

    def json(self, *arguments: str | Path, expect: int = 0) -> dict[str, Any]:
        """The one document that the command prints with `-o json`."""
        found: dict[str, Any] = json.loads(self(*arguments, "-o", "json", expect=expect).stdout)
        return found

    def refused(self, *arguments: str | Path, code: str, expect: int, **options: Any) -> str:
        """Standard error of a command that is refused with `code`; it holds a hint, and standard output nothing."""
        done = self(*arguments, expect=expect, **options)
        assert f"error[{code}]" in done.stderr, done.stderr
        assert "\nhint: " in done.stderr, done.stderr
        assert done.stdout == "", done.stdout
        return done.stderr
