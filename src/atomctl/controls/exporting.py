"""The export as a person types it: the command, with that person's token."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import atomctl
from atomctl.canonical import digest
from atomctl.controls.notebook import Notebook
from atomctl.controls.people import Person

_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Exporting:
    """A person who exports into folders of `folder`."""

    person: Person
    folder: Path

    def argv(self, name: str, *more: str, formats: str = "jsonl,parquet") -> list[str]:
        """The command line of an export into the folder `name`; since yesterday, in case it is midnight."""
        since = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
        command = [sys.executable, "-m", "atomctl", "dataset", "export", "--since", since, "--format", formats]
        return [*command, "--out", str(self.folder / name), "-o", "json", *more]

    def verify_argv(self, name: str) -> list[str]:
        """The command line that verifies the export in the folder `name`."""
        return [sys.executable, "-m", "atomctl", "dataset", "verify", str(self.folder / name), "-o", "json"]

    def environment(self) -> dict[str, str]:
        """This process's environment, and the person's token."""
        token = self.folder / f"{digest(self.person.token.encode())[-8:]}.token"
        token.write_text(self.person.token)
        token.chmod(0o600)
        return {**os.environ, "ATOM_API_URL": self.person.url, "ATOM_TOKEN_FILE": str(token)}

    def run(self, book: Notebook, argv: Sequence[str]) -> tuple[str, str]:
        """What the command printed, and in a word how it ended: `ok`, or the code of its refusal."""
        done = subprocess.run(
            argv,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        book.note("atomctl dataset", atomctl.__version__, " ".join(argv).encode(), (done.stdout + done.stderr).encode())
        return done.stdout, "ok" if done.returncode == 0 else str(json.loads(done.stderr.splitlines()[-1])["code"])
