"""A bare instance: what is not configured is BLOCKED, with the server and the command that adds it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Atomctl = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def atomctl() -> Iterator[Atomctl]:
    """The command beside a bare instance."""
    folder = Path(tempfile.mkdtemp(prefix="atom-"))
    folder.chmod(0o711)
    foreign = ("ATOM_", "VAULT_", "BAO_", "S3_", "PROM", "ALERTMANAGER", "POSTGRES")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    environment |= {"ATOM_HOME": str(folder / "home"), "XDG_CONFIG_HOME": str(folder / "config")}

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "atomctl", *map(str, arguments)]
        return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=150, check=False)

    try:
        assert run("up", "--detach", "--port", "0").returncode == 0
        yield run
    finally:
        run("down")
        shutil.rmtree(folder, ignore_errors=True)


def controls_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {control["name"]: control for control in document["controls"]}


@pytest.mark.slow
def test_what_is_not_configured_is_blocked_and_what_is_there_passes(atomctl: Atomctl, tmp_path: Path) -> None:
    names = ("validation", "secrets", "backup", "failures", "attacks", "audit")
    done = atomctl("controls", "check", *names, "--reports", tmp_path / "reports", "-o", "json")
    assert done.returncode == 3, done.stdout + done.stderr
    found = controls_of(json.loads(done.stdout))
    assert found.pop("validation")["verdict"] == "PASS"
    for name, control in found.items():
        assert (control["verdict"], control["probes"]) == ("BLOCKED", []), name
        assert all(missing["server"] and missing["command"] for missing in control["missing"]), name
        assert control["missing"], name
    verified = atomctl("controls", "verify", tmp_path / "reports")
    assert verified.returncode == 3, verified.stderr
    assert "a key you trust" in verified.stdout


def test_an_unknown_control_is_a_mistake_and_names_those_there_are(atomctl: Atomctl) -> None:
    done = atomctl("controls", "check", "nonsense")
    assert done.returncode == 2
    assert "error[CTL901]" in done.stderr
    assert "12 export" in done.stderr


@pytest.mark.slow
def test_the_check_is_in_the_deployments_audit_log_and_its_tenants_are_gone(atomctl: Atomctl, tmp_path: Path) -> None:
    from atomctl.audit.log import list_entries
    from atomctl.audit.model import DEPLOYMENT
    from atomctl.db.address import admin_from_credentials
    from atomctl.db.embedded import embedded_address
    from atomctl.db.session import Sessions

    assert atomctl("controls", "check", "3").returncode == 0
    doctor = json.loads(atomctl("doctor", "-o", "json").stdout)
    home = next(Path(setting["value"]) for setting in doctor["settings"] if setting["name"] == "home")
    address = embedded_address(home)
    with Sessions(address, min_size=0, max_size=1) as sessions, sessions.tenant(DEPLOYMENT) as conn:
        (entry, *_) = list_entries(conn, DEPLOYMENT, subject="controls/3")
    assert entry.entry["action"] == "controls.check"
    with admin_from_credentials(address).connect() as admin:
        assert admin.execute("SELECT name FROM atom.tenants WHERE name LIKE 'probe-%'").fetchall() == []
