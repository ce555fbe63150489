"""The shell scripts: each passes the checker, and those that need docker or a registry are run with stand-ins."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
from tests.integration.deploy.compose_file import DEPLOY
from tests.servers.requirement import require
from tools import debian

ROOT = DEPLOY.parent
SCRIPTS = sorted(
    file for folder in ("deploy", "examples", "src", "tests", "tools") for file in (ROOT / folder).rglob("*.sh")
)
DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_checker_finds_nothing_in_a_script(script: Path) -> None:
    checker = debian.tool("shellcheck")
    require(checker.root() is not None, "shellcheck", "make tools")
    done = subprocess.run(
        [checker.program("shellcheck"), "-x", "-P", "SCRIPTDIR", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "script", [file for file in SCRIPTS if file.is_relative_to(DEPLOY)], ids=lambda file: file.name
)
def test_a_script_can_be_called_and_says_what_it_was_not_run_with(script: Path) -> None:
    assert script.stat().st_mode & stat.S_IXUSR
    head = script.read_text().partition("set -euo pipefail")[0]
    assert "ot run" in head, "its head says what was not run here"


def stand_in(folder: Path, name: str, text: str) -> dict[str, str]:
    """An environment in which the program `name` is this script."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:/usr/bin:/bin"}


def pin(images: Path, env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DEPLOY / "pin_images.sh", *arguments],
        env={**env, "IMAGES_FILE": str(images)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def images(tmp_path: Path) -> Path:
    file = tmp_path / "images.env"
    file.write_text("# a remark\nATOM_IMAGE=localhost/atomctl:0.1.0\nPOSTGRES_IMAGE=postgres:18.4\n")
    return file


def test_digests_that_a_registry_answers_with_are_written_behind_the_versions(tmp_path: Path, images: Path) -> None:
    env = stand_in(tmp_path, "crane", f'test "$*" = "digest postgres:18.4" && echo {DIGEST}')
    assert pin(images, env, "--check").returncode == 1
    assert pin(images, env).returncode == 0
    assert images.read_text().splitlines() == [
        "# a remark",
        "ATOM_IMAGE=localhost/atomctl:0.1.0",
        f"POSTGRES_IMAGE=postgres:18.4@{DIGEST}",
    ]
    assert pin(images, env, "--check").returncode == 0
    moved = stand_in(tmp_path, "crane", f"echo {DIGEST[:-1]}0")
    assert "was sha256:" in pin(images, moved, "--check").stderr


@pytest.mark.parametrize("answer", ["echo no such tag", "exit 1", "true"])
def test_an_answer_that_is_no_digest_changes_nothing(tmp_path: Path, images: Path, answer: str) -> None:
    before = images.read_text()
    done = pin(images, stand_in(tmp_path, "crane", answer))
    assert done.returncode != 0
    assert images.read_text() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["crane", "images.env"]


def test_compose_is_called_with_images_and_passwords_that_are_made_once(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.env"
    env = {**stand_in(tmp_path, "docker", 'echo "$@"'), "ATOM_COMPOSE_SECRETS": str(secrets)}
    called = [
        subprocess.run(
            [DEPLOY / "compose" / "run.sh", "up"], env=env, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert called[0] == called[1]
    assert f"--env-file {secrets} --file {DEPLOY}/compose/compose.yaml up" in called[0]
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    names = [line.partition("=")[0] for line in secrets.read_text().splitlines()]
    assert names == ["POSTGRES_PASSWORD", "S3_SECRET_KEY", "OPENBAO_TOKEN"]
    assert all(len(line.partition("=")[2]) == 48 for line in secrets.read_text().splitlines())
