"""What goes wrong gets words, a remedy and an exit code; never a traceback."""

import json
from pathlib import Path

import pytest

from atomctl.cli.main import run


def test_an_unknown_verb_names_the_nearest_known_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validat"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "error[CLI001]" in captured.err
    assert "hint: did you mean 'atomctl validate'?" in captured.err


def test_an_error_in_json_has_the_four_fields(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "NONE999", "-o", "json"]) == 2
    document = json.loads(capsys.readouterr().err)
    assert document["schema"] == "atom.error/v1"
    assert {"code", "why", "hint", "docs"} <= set(document)
    assert document["code"] == "CLI003"


def test_a_missing_file_is_a_usage_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["pack", str(tmp_path / "absent")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_an_internal_error_is_one_line_and_says_how_to_see_more(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode() -> None:
        raise RuntimeError("boom")

    monkeypatch.delenv("ATOM_DEBUG", raising=False)
    monkeypatch.setattr("atomctl.cli.explain.all_codes", explode)
    assert run(["explain", "CLI001"]) == 1
    err = capsys.readouterr().err
    assert "error[CLI002]" in err
    assert "RuntimeError: boom" in err
    assert "ATOM_DEBUG=1" in err
    assert "Traceback" not in err


def test_ctrl_c_ends_with_130_and_without_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("atomctl.cli.explain.all_codes", interrupted)
    assert run(["explain", "CLI001"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_help_and_version_succeed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert run(["--help"]) == 0
    assert run(["runs", "--help"]) == 0
    assert "atomctl demo" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["json", "jsonl", "name", "text"])
def test_explain_prints_every_format(capsys: pytest.CaptureFixture[str], form: str) -> None:
    assert run(["explain", "CLI001", "-o", form]) == 0
    out = capsys.readouterr().out
    if form in {"json", "jsonl"}:
        document = json.loads(out)
        assert document["schema"] == "atom.code/v1"
        assert document["name"] == "CLI001"
    else:
        assert "CLI001" in out
