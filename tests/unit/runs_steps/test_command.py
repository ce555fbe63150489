from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from atomctl.errors import AtomError
from atomctl.runs.steps import codes
from atomctl.runs.steps.command import argv


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    for name, mode in (("run.sh", 0o755), ("plain.sh", 0o644)):
        (tmp_path / "scripts" / name).write_text("#!/bin/sh\n")
        (tmp_path / "scripts" / name).chmod(mode)
    return tmp_path


def test_a_list_is_the_program_and_its_arguments_and_no_shell_sees_it(package: Path) -> None:
    assert argv({"command": ["echo", "$(id); *"]}, package) == ["echo", "$(id); *"]


def test_a_text_is_given_to_a_shell_only_when_the_manifest_says_so(package: Path) -> None:
    assert argv({"command": "echo $HOME", "shell": True}, package) == ["/bin/sh", "-c", "echo $HOME"]


def test_a_script_of_the_package_is_started_with_its_arguments(package: Path) -> None:
    assert argv({"script": "scripts/run.sh", "args": ["-v"]}, package) == ["./scripts/run.sh", "-v"]


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({}, "exactly one"),
        ({"command": ["a"], "script": "scripts/run.sh"}, "exactly one"),
        ({"command": "echo hi"}, "shell: true"),
        ({"command": []}, "empty"),
        ({"command": ["a", 5]}, "int"),
        ({"command": ["a\0b"]}, "zero byte"),
        ({"command": ["\ud800"]}, "Unicode"),
        ({"command": ["a"], "shell": True}, "one text"),
        ({"script": 5}, "path"),
        ({"script": "/bin/sh"}, "out of the package"),
        ({"script": "scripts/../../x"}, "out of the package"),
        ({"script": "scripts/none.sh"}, "not an executable file"),
        ({"script": "scripts/plain.sh"}, "not an executable file"),
        ({"script": "scripts/run.sh", "args": "-v"}, "list of texts"),
    ],
)
def test_anything_else_is_refused_with_the_reason(config: dict[str, Any], why: str, package: Path) -> None:
    with pytest.raises(AtomError, match=why) as caught:
        argv(config, package)
    assert caught.value.code is codes.BAD_CONFIG
