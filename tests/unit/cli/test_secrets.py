"""`atomctl secrets` on a home, as it is used beside no running instance."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from atomctl.cli.main import run

CANARY = "canary-0b6e11-value"
Given = Callable[[str], None]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ATOM_HOME", str(tmp_path))
    monkeypatch.setenv("ATOM_SECRETS", "local")
    (tmp_path / "tenant").write_text(f"{uuid4()}\n")
    return tmp_path


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    def give(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return give


def stored(home: Path, path: str) -> dict[str, str]:
    from uuid import UUID

    from atomctl.secrets.local import LocalSource

    store = LocalSource(home / "secrets", home / "keys" / "secrets.key")
    return dict(store.read(UUID((home / "tenant").read_text().strip()), path).values)


def test_a_value_comes_from_standard_input_without_its_newline(
    home: Path, given: Given, capsys: pytest.CaptureFixture[str]
) -> None:
    given(f"{CANARY}\n")
    assert run(["secrets", "put", "db/main", "password=-", "-o", "json"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert (document["name"], document["version"], document["fields"]) == ("db/main", 1, ["password"])
    assert CANARY not in captured.out + captured.err
    assert stored(home, "db/main") == {"password": CANARY}


def test_fields_from_files_join_those_that_are_there(home: Path, given: Given, tmp_path: Path) -> None:
    given(CANARY)
    assert run(["secrets", "put", "db", "password=-"]) == 0
    (tmp_path / "user.txt").write_text("some-user\n")
    assert run(["secrets", "put", "db", "--from-file", f"user={tmp_path / 'user.txt'}"]) == 0
    assert stored(home, "db") == {"password": CANARY, "user": "some-user"}


def test_a_value_in_an_argument_is_refused_and_not_repeated(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["secrets", "put", "db", f"password={CANARY}"]) == 2
    err = capsys.readouterr().err
    assert "error[SEC009]" in err
    assert CANARY not in err
    assert not (home / "secrets").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["db"], "CLI001"),
        (["db", "password"], "CLI001"),
        (["db", "a=-", "b=-"], "CLI001"),
        (["db", "a=-", "a=-"], "CLI001"),
        (["db", "--from-file", "a"], "CLI001"),
        (["db", "--from-file", "a=/no/such/file"], "CLI001"),
        (["../db", "a=-"], "SEC002"),
        (["0190a1b2-0000-7000-8000-00000000000b/db", "a=-"], "SEC003"),
        (["db", "a b=-"], "SEC008"),
    ],
)
def test_what_cannot_be_put_is_refused(
    arguments: list[str], code: str, given: Given, capsys: pytest.CaptureFixture[str]
) -> None:
    given(CANARY)
    assert run(["secrets", "put", *arguments]) != 0
    assert f"error[{code}]" in capsys.readouterr().err


def test_input_that_is_not_text_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for data in (b"\xff\xfe\x00", b"x" * (256 * 1024 + 1)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        assert run(["secrets", "put", "db", "a=-"]) != 0
        assert "error[SEC008]" in capsys.readouterr().err


def test_a_rotated_field_is_new_and_the_others_stay(home: Path, given: Given) -> None:
    given(CANARY)
    run(["secrets", "put", "db", "password=-"])
    given("some-user")
    run(["secrets", "put", "db", "user=-"])
    assert run(["secrets", "rotate", "db", "password"]) == 0
    after = stored(home, "db")
    assert after["user"] == "some-user"
    assert after["password"] != CANARY
    assert len(after["password"]) >= 43


def test_what_is_not_there_is_not_rotated(given: Given, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["secrets", "rotate", "db", "password"]) == 1
    assert "error[SEC006]" in capsys.readouterr().err


def test_a_dry_run_changes_nothing(home: Path, given: Given, capsys: pytest.CaptureFixture[str]) -> None:
    given(CANARY)
    assert run(["secrets", "put", "db", "password=-", "--dry-run", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["version"] == 1
    assert not (home / "secrets").exists()
    assert not (home / "keys").exists()


def test_lists_show_paths_and_versions_and_no_value(given: Given, capsys: pytest.CaptureFixture[str]) -> None:
    for path in ("db/main", "api"):
        given(CANARY)
        run(["secrets", "put", path, "password=-"])
    run(["secrets", "rotate", "api", "password"])
    capsys.readouterr()
    run(["secrets", "list", "-o", "name"])
    run(["secrets", "versions", "api", "-o", "name"])
    captured = capsys.readouterr()
    assert captured.out.split() == ["api", "db/main", "1", "2"]
    assert run(["secrets", "versions", "nothing"]) == 1


def test_another_tenant_has_secrets_of_its_own(given: Given, capsys: pytest.CaptureFixture[str]) -> None:
    given(CANARY)
    run(["secrets", "put", "db", "password=-"])
    capsys.readouterr()
    run(["secrets", "--tenant", str(uuid4()), "list", "-o", "name"])
    assert capsys.readouterr().out == ""


def test_without_a_store_or_a_tenant_it_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "tenant").unlink()
    assert run(["secrets", "list"]) == 2
    assert "error[SEC024]" in capsys.readouterr().err
    monkeypatch.delenv("ATOM_SECRETS")
    assert run(["secrets", "list"]) == 1
    assert "error[SEC001]" in capsys.readouterr().err


def test_settings_of_a_vault_that_are_incomplete_are_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("BAO_ADDR", "VAULT_ADDR", "VAULT_TOKEN", "BAO_TOKEN", "VAULT_ROLE_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ATOM_SECRETS", "vault")
    assert run(["secrets", "list"]) == 2
    assert "VAULT_ADDR" in capsys.readouterr().err
