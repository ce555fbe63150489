"""`deploy/compose/compose.yaml` as the reference implementation of the Compose Specification reads it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.servers.requirement import require
from tools.build import tool

DEPLOY = Path(__file__).parents[3] / "deploy"
PASSWORDS = {
    "POSTGRES_PASSWORD": "p0stgres-password",
    "S3_SECRET_KEY": "s3-secret-key",
    "OPENBAO_TOKEN": "openbao-token",
}
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+):\?[^}]*\}")


def images() -> dict[str, str]:
    """`deploy/images.env`."""
    lines = [line for line in (DEPLOY / "images.env").read_text().splitlines() if not line.startswith("#")]
    return dict(re.fullmatch(r"([A-Z0-9_]+)=(\S+)", line).groups() for line in lines)  # type: ignore[union-attr,misc]  # a line of another form fails the test


def model() -> dict[str, Any]:
    """The whole file, checked and normalised, with the names of images and some passwords put in."""
    wanted = tool("compose-spec")
    require(
        wanted.binary.exists(), "compose-go, the reference implementation of the Compose Specification", "make tools"
    )
    done = subprocess.run(
        [wanted.binary, "-no-interpolation", "-format", "json", "compose.yaml"],
        cwd=DEPLOY / "compose",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    known = {**images(), **PASSWORDS}
    found: dict[str, Any] = json.loads(_VARIABLE.sub(lambda match: known[match[1]], done.stdout))
    return found
