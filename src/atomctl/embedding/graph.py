"""The model as an ONNX graph over the tensors of the safetensors file, which stay where they are.

The operators are ONNX Runtime's fused ones (its "Contrib Operators"): a layer is six multiplications, one attention,
two sums with normalisation and one activation. Only some small tables are made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from atomctl.embedding.onnx_format import CONTRIBUTED, Attribute, Element, elsewhere, inline, model, node, value
from atomctl.embedding.weights import DIMENSION, EPSILON, HEADS, LAYERS, MODEL, Weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBERS, MASK, HIDDEN = "numbers", "mask", "hidden"
"""The graph's two inputs and its output; `NumpyRuntime.hidden` says what they are."""

_KINDS = ("query", "key", "value")


@dataclass(slots=True)
class GraphBuilder:
    """Nodes and tensors in the order they are added."""

    weights: Weights
    nodes: list[bytes] = field(default_factory=list)
    tensors: dict[str, bytes] = field(default_factory=dict)

    def build(self) -> bytes:
        """The whole model; it is to be loaded with the weights' folder as the place of its external tensors."""
        state = self._embedded()
        for layer in range(LAYERS):
            state = self._layer(state, f"encoder.layer.{layer}")
        self.add("Identity", [state], HIDDEN, domain="")
        shape = ("texts", "tokens")
        return model(
            MODEL,
            inputs=[value(NUMBERS, Element.INT32, shape), value(MASK, Element.INT32, shape)],
            outputs=[value(HIDDEN, Element.FLOAT, (*shape, DIMENSION))],
            nodes=self.nodes,
            tensors=self.tensors.values(),
        )

    def add(
        self, operator: str, inputs: Sequence[str], *outputs: str, domain: str = CONTRIBUTED, **attributes: Attribute
    ) -> str:
        """Adds a node and gives back the name of its first output."""
        self.nodes.append(node(operator, inputs, outputs, domain=domain, **attributes))
        return outputs[0]

    def stored(self, name: str) -> str:
        """Adds a tensor that stays in the weights' file; its own name."""
        found = self.weights.tensors[name]
        place = {"location": self.weights.file.name, "offset": str(found.offset), "length": str(found.size)}
        self.tensors[name] = elsewhere(name, Element.FLOAT, found.shape, place)
        return name

    def made(self, name: str, table: NDArray[np.float32]) -> str:
        """Adds a tensor that is computed here and lies in the graph; its own name."""
        self.tensors[name] = inline(name, Element.FLOAT, table.shape, table.astype("<f4").tobytes())
        return name

    def multiplied(self, state: str, name: str) -> str:
        """Adds a multiplication with the weight `name`, whose rows are outputs."""
        return self.add("FusedMatMul", [state, self.stored(f"{name}.weight")], f"{name}.product", transB=1)

    def _embedded(self) -> str:
        array = self.weights.array
        # Every text is one of a kind: the kind's vector is a part of the place's.
        places = array("embeddings.position_embeddings.weight") + array("embeddings.token_type_embeddings.weight")[0]
        inputs = [
            NUMBERS,
            "",
            self.stored("embeddings.word_embeddings.weight"),
            self.made("places", places),
            "",
            *self._normal("embeddings.LayerNorm"),
        ]
        outputs = ("embeddings.output", "embeddings.lengths")  # nobody reads the second, and the operator demands it
        return self.add("EmbedLayerNormalization", inputs, *outputs, epsilon=EPSILON)

    def _layer(self, state: str, name: str) -> str:
        own, seen = f"{name}.attention.self", f"{name}.attention.output"
        bias = np.concatenate([self.weights.array(f"{own}.{kind}.bias") for kind in _KINDS])
        inputs = [
            *(self.multiplied(state, f"{own}.{kind}") for kind in _KINDS),
            self.made(f"{own}.bias", bias),
            MASK,
        ]
        context = self.add("MultiHeadAttention", inputs, f"{own}.output", num_heads=HEADS)
        state = self._sum(self.multiplied(context, f"{seen}.dense"), state, seen)
        inner = f"{name}.intermediate.dense"
        active = self.add("BiasGelu", [self.multiplied(state, inner), self.stored(f"{inner}.bias")], f"{inner}.output")
        return self._sum(self.multiplied(active, f"{name}.output.dense"), state, f"{name}.output")

    def _sum(self, product: str, state: str, name: str) -> str:
        inputs = [product, state, *self._normal(f"{name}.LayerNorm"), self.stored(f"{name}.dense.bias")]
        return self.add("SkipLayerNormalization", inputs, f"{name}.output", epsilon=EPSILON)

    def _normal(self, name: str) -> tuple[str, str]:
        return self.stored(f"{name}.weight"), self.stored(f"{name}.bias")
