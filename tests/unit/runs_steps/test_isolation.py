from __future__ import annotations

import os
from pathlib import Path

import pytest

from atomctl.errors import AtomError
from atomctl.runs import sandbox
from atomctl.runs.isolation import (
    IsolationPolicy,
    closed_folder,
    find_bubblewrap,
    policy_of,
    settle,
    step_user,
    without_sandbox,
)
from atomctl.runs.steps import codes
from atomctl.runs.steps.model import IsolationLevel
from atomctl.runs.steps.probe import prepare_site
from atomctl.settings import load_settings


def test_a_worker_that_requires_isolation_refuses_without_it_and_says_what_to_install(tmp_path: Path) -> None:
    found = find_bubblewrap(str(tmp_path))
    with pytest.raises(AtomError) as caught:
        settle(found, IsolationPolicy.REQUIRED)
    assert caught.value.code is codes.NO_ISOLATION
    assert "bubblewrap is not installed" in caught.value.why
    assert "apt-get install bubblewrap" in caught.value.hint


def test_a_worker_that_prefers_isolation_goes_on_and_warns() -> None:
    settled = settle(without_sandbox("no bubblewrap"), IsolationPolicy.PREFERRED)
    assert settled.level is IsolationLevel.NONE
    warning = settled.warning()
    assert warning is not None
    assert "isolation: none (no bubblewrap)" in warning


@pytest.mark.parametrize(
    ("told", "policy"),
    [
        ({}, IsolationPolicy.PREFERRED),
        ({"ATOM_HOST": "0.0.0.0"}, IsolationPolicy.REQUIRED),
        ({"ATOM_DATABASE_URL": "postgresql://db/atom"}, IsolationPolicy.REQUIRED),
        ({"ATOM_ISOLATION": "required"}, IsolationPolicy.REQUIRED),
        ({"ATOM_DATABASE_URL": "postgresql://db/atom", "ATOM_STEP_RUNTIME": "k8s"}, IsolationPolicy.PREFERRED),
    ],
)
def test_a_sandbox_is_required_wherever_steps_run_beside_more_than_their_own_user(
    told: dict[str, str], policy: IsolationPolicy
) -> None:
    assert policy_of(load_settings(env=told)) is policy


def test_a_root_worker_gives_a_step_an_unprivileged_user_and_another_worker_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert step_user(12345, own=False) == 65534
    assert 61184 <= (step_user(2**127 + 5, own=True) or 0) <= 65519
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert step_user(12345, own=True) is None


def test_the_folder_that_closes_the_way_is_named(tmp_path: Path) -> None:
    shut = tmp_path / "shut"
    (shut / "package").mkdir(parents=True)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == shut.owner() and folder not in {Path("/"), Path("/tmp")}:
            assert closed_folder(shut / "package") is not None
    shut.chmod(0o700)
    assert closed_folder(shut / "package") is not None
    assert closed_folder(Path("/usr/bin")) is None


def test_parameters_go_to_the_sandbox_by_descriptor_and_never_show_in_the_process_list() -> None:
    files = sandbox.Files(package="/p", output="/o", passwd=5, group=6, secrets={"db": 7})
    options = sandbox.arguments(files=files, env={"ATOM_PARAM_A": "1"}, scratch_bytes=1, shared_network=False)
    encoded = sandbox.encode(options)
    assert b"--setenv\0ATOM_PARAM_A\x001\0" in encoded
    assert b"--unshare-all\0" in encoded
    assert b"--share-net\0" not in encoded
    assert b"--ro-bind\0/p\0/package\0" in encoded
    assert b"--perms\x000400\0--ro-bind-data\x007\0/run/atom/secrets/db\0" in encoded
    assert options.index("--clearenv") < options.index("--setenv")
    assert options.index("/") > options.index("/run/atom/secrets/db")


def test_a_worker_does_not_start_with_an_allowance_that_says_nothing_exact(tmp_path: Path) -> None:
    with pytest.raises(AtomError, match=r"^RUN677.*intranet"):
        prepare_site(tmp_path / "scratch", IsolationPolicy.PREFERRED, ["10.0.0.0/8", "intranet"])
    assert not (tmp_path / "scratch").exists()
