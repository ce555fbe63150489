"""The page about secrets, line by line, with the real OpenBao and an instance of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.openbao import OpenBao

ROOT = Path(__file__).parents[3]
PROGRAMS = Path(sys.executable).parent


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, since the path of a Unix socket is, and passable for the database's own user."""
    found = Path(tempfile.mkdtemp(prefix="atom-"))
    found.chmod(0o711)
    yield found
    shutil.rmtree(found, ignore_errors=True)


def script() -> str:
    text = (ROOT / "docs/how-to/vault.md").read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    return "set -euxo pipefail\n" + blocks.replace("atomctl up --detach", "atomctl up --detach --port 0")


@pytest.mark.slow
def test_the_page_works_as_written(folder: Path, tmp_path: Path) -> None:
    with OpenBao(tmp_path / "bao") as server:
        env = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("ATOM_", "VAULT_", "BAO_"))},
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
            "ATOM_HOME": str(folder / "home"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "COSIGN_PASSWORD": "",
            "BAO_ADDR": server.address,
            "BAO_TOKEN": server.root_token,
        }
        try:
            done = subprocess.run(
                ["bash", "-c", script()], cwd=folder, env=env, capture_output=True, text=True, timeout=170, check=False
            )
        finally:
            subprocess.run([PROGRAMS / "atomctl", "down"], env=env, capture_output=True, timeout=60, check=False)
        log = "\n".join(file.read_text(errors="replace") for file in (folder / "home").glob("logs/*.log"))
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{log}"
        tenant = (folder / "home" / "tenant").read_text().strip()
        held = server.request("GET", f"secret/data/{tenant}/db/main")["data"]
    assert "the password has 21 characters" in done.stdout
    assert "and reads ***" in done.stdout
    assert "secret.read" in done.stdout
    assert (held["metadata"]["version"], held["data"]) == (3, {"password": "battery-staple-horse"})
    for value in ("correct-horse-battery", "battery-staple-horse"):
        assert value not in done.stdout
        assert value not in log
