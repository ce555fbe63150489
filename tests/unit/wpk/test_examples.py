"""The example packages are good packages."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from atomctl.wpk import parameters
from atomctl.wpk.archive import Packed, load_source, pack, unpack
from atomctl.wpk.expressions import render
from atomctl.wpk.model import HandlerType, Mode

EXAMPLES = Path(__file__).parents[3] / "examples"
NAMES = ("backup-verify", "hello-atom", "requeue-job", "restart-unhealthy", "rotate-secret", "scale-on-latency")
GIVEN: dict[str, dict[str, Any]] = {
    "backup-verify": {},
    "hello-atom": {"fail": True},
    "requeue-job": {
        "namespace": "batch",
        "job": "import-7",
        "item": "orders.csv",
        "image_digest": f"sha256:{'0' * 64}",
    },
    "restart-unhealthy": {"namespace": "shop", "deployment": "web"},
    "rotate-secret": {"namespace": "shop", "deployment": "web", "secret": "db", "activate": "green"},
    "scale-on-latency": {"namespace": "shop", "deployment": "web", "factor": 2},
}

every = pytest.mark.parametrize("name", NAMES)


def packed(name: str) -> Packed:
    return pack(load_source(EXAMPLES / name))


def test_every_folder_is_listed_here() -> None:
    assert sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()) == sorted(NAMES)


@every
def test_an_example_packs_and_unpacks(name: str) -> None:
    made = packed(name)
    assert made.manifest.name == name
    assert unpack(made.data) == made.package


@every
def test_an_example_says_what_it_does_and_how_long_it_may_take(name: str) -> None:
    manifest = packed(name).manifest
    assert len(manifest.metadata.description) > 80
    written = (EXAMPLES / name / "wpk.yaml").read_text()
    handlers = (*manifest.handlers, *manifest.rollback.handlers)
    assert written.count("timeout:") >= len(handlers)
    assert all(parameter.get("description") for parameter in manifest.parameters.get("properties", {}).values())  # type: ignore[union-attr]  # a mapping of mappings


@every
def test_an_example_takes_its_parameters(name: str) -> None:
    assert parameters.apply(packed(name).manifest, GIVEN[name]).keys() >= GIVEN[name].keys()


@every
def test_an_example_can_be_rolled_back_and_only_the_backup_check_runs_by_itself(name: str) -> None:
    manifest = packed(name).manifest
    assert manifest.rolls_back
    assert (manifest.safety.mode is Mode.AUTO) == (name == "backup-verify")
    assert manifest.safety.approval_required == (name != "backup-verify")


def test_the_scaling_never_exceeds_its_cap() -> None:
    manifest = packed("scale-on-latency").manifest
    scale = next(handler for handler in manifest.handlers if handler.name == "scale-up")
    for replicas, expected in ((1, 2), (4, 8), (9, 10), (50, 10)):
        activation = {
            "params": parameters.apply(manifest, GIVEN["scale-on-latency"]),
            "steps": {"read-state": {"outputs": {"object": {"spec": {"replicas": replicas}}}}},
        }
        assert render(scale.config["replicas"], activation) == expected


def test_the_rotation_writes_the_one_password_and_restores_the_other() -> None:
    manifest = packed("rotate-secret").manifest
    write, restore = (
        next(handler for handler in handlers if handler.name == name)
        for handlers, name in ((manifest.handlers, "write-secret"), (manifest.rollback.handlers, "restore-secret"))
    )
    activation = {"params": GIVEN["rotate-secret"], "secrets": {"blue_password": "b1", "green_password": "g1"}}
    assert render(write.config["patch"], activation) == {"stringData": {"username": "app_green", "password": "g1"}}
    assert render(restore.config["patch"], activation) == {"stringData": {"username": "app_blue", "password": "b1"}}


def run(script: Path, environment: dict[str, str], tmp_path: Path) -> tuple[int, dict[str, Any]]:
    output = tmp_path / "output"
    output.touch()
    path = {"PATH": os.defpath, "ATOM_OUTPUT": str(output)}
    done = subprocess.run([script, "greet"], env=path | environment, check=False, capture_output=True, timeout=30)
    outputs: dict[str, Any] = {}
    for line in output.read_text().splitlines():
        outputs |= json.loads(line)
    return done.returncode, outputs


def test_the_greeting_greets_and_fails_on_demand(tmp_path: Path) -> None:
    scripts = EXAMPLES / "hello-atom" / "scripts"
    environment = {"ATOM_PARAM_NAME": "Ada", "ATOM_PARAM_FAIL": "false"}
    assert run(scripts / "greet.sh", environment, tmp_path) == (0, {"greeting": "Hello, Ada"})
    assert run(scripts / "work.sh", environment, tmp_path)[1]["items"] == 3
    assert run(scripts / "work.sh", environment | {"ATOM_PARAM_FAIL": "true"}, tmp_path)[0] == 1
    assert run(scripts / "farewell.sh", environment, tmp_path)[0] == 0
    assert run(scripts / "undo.sh", environment, tmp_path)[1]["undone"] == "greet"


@pytest.mark.parametrize(
    ("status", "log", "expected"),
    [
        ("BackoffLimitExceeded", "java.net.SocketException: Connection reset", "transient"),
        ("BackoffLimitExceeded", "ValueError: no such column", "permanent"),
        ("DeadlineExceeded", "", "transient"),
        ("x", "$(touch /tmp/pwned); `id` \"'", "permanent"),
    ],
)
def test_failures_are_told_apart(status: str, log: str, expected: str, tmp_path: Path) -> None:
    script = EXAMPLES / "requeue-job" / "scripts" / "classify.sh"
    assert run(script, {"JOB_STATUS": status, "LOG_TAIL": log}, tmp_path) == (0, {"class": expected})


def test_only_the_kinds_of_handlers_that_are_named_appear() -> None:
    kinds = {handler.type for name in NAMES for handler in packed(name).manifest.handlers}
    assert kinds == {HandlerType.SHELL, HandlerType.API, HandlerType.K8S}
