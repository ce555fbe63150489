"""The real model: every way to compute it gives the same vectors, and what does not is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from atomctl.embedding import codes
from atomctl.embedding.graph import GraphBuilder
from atomctl.embedding.minilm import MiniLm
from atomctl.embedding.onnx_format import Element, inline
from atomctl.embedding.onnx_runtime import OnnxRuntime
from atomctl.embedding.opening import load, local
from atomctl.embedding.parity import LEAST_COSINE, least_cosine, require_parity, sentences
from atomctl.embedding.reference import NumpyRuntime
from atomctl.embedding.weights import Weights, open_weights
from atomctl.errors import AtomError
from atomctl.settings import load_settings

RECORDED = Path(__file__).with_name("recorded.json")
"""What `sentence-transformers` and its tokenizer gave for the sentences: pieces, and the vectors' first numbers."""


@pytest.fixture(scope="module")
def weights() -> Weights:
    return open_weights()


@pytest.fixture(scope="module")
def reference(weights: Weights) -> MiniLm:
    return MiniLm.of(weights, NumpyRuntime(weights))


@pytest.fixture(scope="module")
def model(weights: Weights) -> MiniLm:
    return MiniLm.of(weights, OnnxRuntime(weights, 1))


@pytest.mark.slow
def test_onnxruntime_and_numpy_agree_on_every_sentence(model: MiniLm, reference: MiniLm) -> None:
    assert len(sentences()) == 40
    assert require_parity(model, reference, sentences()) > 0.999999


def test_the_vectors_are_those_of_the_library_the_model_comes_from(model: MiniLm) -> None:
    recorded = json.loads(RECORDED.read_text())
    assert [entry["text"] for entry in recorded] == sentences()
    for entry, vector in zip(recorded, model.embed(sentences()), strict=True):
        if "[SEP]" not in entry["text"]:  # there it ends the sentence, which a text may not do here
            assert model.tokenizer.numbers(entry["text"]) == entry["pieces"]
            assert vector[:16].tolist() == pytest.approx(entry["vector"], abs=2e-6)


@dataclass(slots=True)
class Quantised(GraphBuilder):
    """The same graph with weights and states of 8 bits in every multiplication, as tools for small devices write it."""

    def multiplied(self, state: str, name: str) -> str:
        weight = self.weights.array(f"{name}.weight")
        scale = np.float32(np.abs(weight).max() / 127)
        whole = np.round(weight.T / scale).astype(np.int8)
        eight, steps, zero = f"{name}.eight", f"{name}.steps", f"{name}.zero"
        self.add("DynamicQuantizeLinear", [state], eight, steps, zero, domain="")
        self.tensors[f"{name}.whole"] = inline(f"{name}.whole", Element.INT8, whole.shape, whole.tobytes())
        self.made(f"{name}.scale", np.full((), scale, dtype=np.float32))
        self.add("MatMulInteger", [eight, f"{name}.whole", zero], f"{name}.counted", domain="")
        self.add("Cast", [f"{name}.counted"], f"{name}.floats", domain="", to=int(Element.FLOAT))
        self.add("Mul", [steps, f"{name}.scale"], f"{name}.unit", domain="")
        return self.add("Mul", [f"{name}.floats", f"{name}.unit"], f"{name}.product", domain="")


def test_a_graph_of_eight_bit_integers_is_refused_by_parity(weights: Weights, reference: MiniLm) -> None:
    quantised = MiniLm.of(weights, OnnxRuntime(weights, 1, Quantised(weights).build()))
    texts = sentences()[:12]
    assert 0.5 < least_cosine(quantised, reference, texts) < LEAST_COSINE
    with pytest.raises(AtomError) as refusal:
        require_parity(quantised, reference, texts)
    assert refusal.value.code is codes.NO_PARITY


def test_a_runtime_that_gives_no_numbers_is_refused(model: MiniLm) -> None:
    class Broken:
        label = "broken"

        def hidden(self, numbers: np.ndarray, mask: np.ndarray) -> np.ndarray:
            return np.full((*numbers.shape, 384), np.nan, dtype=np.float32)

    with pytest.raises(AtomError) as refusal:
        MiniLm(model.tokenizer, Broken()).embed(["a"])
    assert refusal.value.code is codes.NOT_FINITE


def test_a_model_that_the_runtime_does_not_take_is_an_error_of_its_own(weights: Weights) -> None:
    for graph in (b"", b"no model", GraphBuilder(weights).build()[:-200]):
        with pytest.raises(AtomError) as refusal:
            OnnxRuntime(weights, 1, graph)
        assert refusal.value.code is codes.RUNTIME_FAILED


def test_a_runtime_that_breaks_off_gives_no_vectors(model: MiniLm) -> None:
    beyond = np.full((1, 3), 40_000, dtype=np.int32)
    with pytest.raises(AtomError) as refusal:
        model.runtime.hidden(beyond, np.ones((1, 3), dtype=np.int32))
    assert refusal.value.code is codes.RUNTIME_FAILED


def test_a_text_has_the_same_vector_alone_and_among_others(model: MiniLm) -> None:
    texts = sentences()
    together = model.embed(texts)
    alone = np.concatenate([model.embed([text]) for text in texts])
    assert np.abs(together - alone).max() < 2e-6
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)


def test_meaning_decides_what_is_close(model: MiniLm) -> None:
    question, answer, other = model.embed(
        ["Why was the container killed?", "It needed more memory than its limit.", "The girl is carrying a baby."]
    )
    assert float(question @ answer) > 2 * float(question @ other)


def test_nothing_gives_nothing_and_half_a_letter_is_refused(model: MiniLm) -> None:
    assert model.embed([]).shape == (0, 384)
    with pytest.raises(AtomError) as refusal:
        model.embed(["a", "\udc80"])
    assert refusal.value.code is codes.NOT_TEXT


def test_both_runtimes_go_by_one_name_so_that_they_share_what_was_computed() -> None:
    names = {local(load_settings(env={"ATOM_EMBEDDING_RUNTIME": name})).name for name in ("onnxruntime", "numpy")}
    assert names == {"all-MiniLM-L6-v2@53aa51172d14"}
    assert load(load_settings(env={"ATOM_EMBEDDING_THREADS": "1"})).dimension == 384


PEAK = """
from pathlib import Path
from atomctl.embedding.opening import load
from atomctl.settings import load_settings
model = load(load_settings(env={"ATOM_EMBEDDING_THREADS": "2"}))
model.embed([f"word{n % 7} " * (n % 300) for n in range(150)])
[peak] = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(int(peak) // 1024)
"""


@pytest.mark.slow
def test_many_long_texts_take_no_more_memory_than_few() -> None:
    done = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True, timeout=120)
    assert int(done.stdout) < 220


def test_asking_for_the_port_loads_no_library() -> None:
    script = "import sys, atomctl.embedding.opening, atomctl.embedding.cache, atomctl.cli.doctor; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.split())
    assert {"atomctl.embedding.opening", "atomctl.cli.doctor"} <= loaded
    assert loaded.isdisjoint({"numpy", "onnxruntime"})
