"""A flag beats the environment, that beats the context file, that beats the default; each value knows its origin."""

import json
from pathlib import Path

import pytest

from atomctl import settings
from atomctl.errors import AtomError
from atomctl.settings import load_settings


def context_file(folder: Path, **values: object) -> Path:
    file = folder / "context.json"
    file.write_text(json.dumps(values))
    return file


def test_a_default_says_that_it_is_one() -> None:
    loaded = load_settings(env={})
    assert loaded.port == 8460
    assert loaded.origin("port") == "default"


def test_the_context_file_beats_the_default(tmp_path: Path) -> None:
    file = context_file(tmp_path, port=9000)
    loaded = load_settings(env={}, context_file=file)
    assert loaded.port == 9000
    assert loaded.origin("port") == f"context {file}"


def test_the_environment_beats_the_context_file(tmp_path: Path) -> None:
    loaded = load_settings(env={"ATOM_PORT": "9001"}, context_file=context_file(tmp_path, port=9000))
    assert loaded.port == 9001
    assert loaded.origin("port") == "environment ATOM_PORT"


def test_a_flag_beats_the_environment() -> None:
    loaded = load_settings({"port": 9002}, env={"ATOM_PORT": "9001"})
    assert loaded.port == 9002
    assert loaded.origin("port") == "flag --port"


def test_a_well_known_variable_is_honoured_under_its_own_name() -> None:
    loaded = load_settings(env={"POSTGRES_DSN": "postgresql://db.example/atom"})
    assert loaded.database_url == "postgresql://db.example/atom"
    assert loaded.origin("database_url") == "environment POSTGRES_DSN"


def test_an_empty_variable_sets_nothing() -> None:
    assert load_settings(env={"ATOM_PORT": ""}).port == 8460


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ATOM_PORT", "eighty"),
        ("ATOM_PORT", "65536"),
        ("ATOM_ENVIRONMENT", "prod"),
        ("ATOM_ISOLATION", "off"),
        ("ATOM_EMBEDDING_THREADS", "0"),
        ("ATOM_EMBEDDING_THREADS", "many"),
        ("ATOM_EMBEDDING_DIMENSION", "5000"),
        ("ATOM_EMBEDDING_TIMEOUT", "30"),
        ("ATOM_EMBEDDING_RUNTIME", "torch"),
    ],
)
def test_a_value_of_the_wrong_form_is_refused_and_named(name: str, value: str) -> None:
    with pytest.raises(AtomError, match=name) as caught:
        load_settings(env={name: value})
    assert caught.value.code is settings.INVALID


def test_a_misspelt_name_in_a_context_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AtomError, match="prot") as caught:
        load_settings(env={}, context_file=context_file(tmp_path, prot=9000))
    assert caught.value.code is settings.UNKNOWN


@pytest.mark.parametrize("text", ["{", "[]", '"x"', "{" + " " * 70_000 + "}"])
def test_a_context_file_that_is_not_a_small_json_object_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "context.json"
    file.write_text(text)
    with pytest.raises(AtomError) as caught:
        load_settings(env={}, context_file=file)
    assert caught.value.code is settings.UNREADABLE


def test_a_missing_context_file_sets_nothing(tmp_path: Path) -> None:
    assert load_settings(env={}, context_file=tmp_path / "absent.json").origins == {}
