"""The model on ONNX Runtime, which reads its weights from the safetensors file itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atomctl.embedding.graph import HIDDEN, MASK, NUMBERS, GraphBuilder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from atomctl.embedding.weights import Weights


class OnnxRuntime:
    """Computes on the CPU in 32-bit floats.

    Args:
        weights: verified; ONNX Runtime opens their file once more.
        threads: that one computation may use.
        graph: another model over the same tensors; None: `GraphBuilder`'s.
    """

    label = "onnxruntime"

    def __init__(self, weights: Weights, threads: int, graph: bytes | None = None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Threads that wait must not burn the cores of the steps beside them.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(weights.folder))
        data = graph if graph is not None else GraphBuilder(weights).build()
        self._session: Any = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def hidden(self, numbers: NDArray[np.int32], mask: NDArray[np.int32]) -> NDArray[np.float32]:
        """As `NumpyRuntime.hidden`."""
        result: NDArray[np.float32] = self._session.run([HIDDEN], {NUMBERS: numbers, MASK: mask})[0]
        return result
