"""The model on ONNX Runtime, which reads its weights from the safetensors file itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from onnxruntime import InferenceSession, SessionOptions
from onnxruntime.capi import onnxruntime_pybind11_state as refusals

from atomctl.embedding import codes
from atomctl.embedding.graph import HIDDEN, MASK, NUMBERS, GraphBuilder
from atomctl.errors import AtomError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from atomctl.embedding.weights import Weights

_REFUSALS = (
    refusals.EPFail,
    refusals.Fail,
    refusals.InvalidArgument,
    refusals.InvalidGraph,
    refusals.InvalidProtobuf,
    refusals.NoSuchFile,
    refusals.NotImplemented,
    refusals.RuntimeException,
)
"""Its exceptions have no base of their own."""


class OnnxRuntime:
    """Computes on the CPU in 32-bit floats; may be used by many threads.

    Args:
        weights: verified; ONNX Runtime opens their file once more.
        threads: that one computation may use.
        graph: another model over the same tensors; None: `GraphBuilder`'s.

    Raises:
        AtomError: EMB006 it does not take the model.
    """

    label = "onnxruntime"

    def __init__(self, weights: Weights, threads: int, graph: bytes | None = None) -> None:
        options = SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what fails is raised
        # Threads that wait must not burn the cores of the steps beside them.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        place = str(weights.file.parent)
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", place)
        data = graph if graph is not None else GraphBuilder(weights).build()
        with _translated():
            self._session: Any = InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def hidden(self, numbers: NDArray[np.int32], mask: NDArray[np.int32]) -> NDArray[np.float32]:
        """As `NumpyRuntime.hidden`.

        Raises:
            AtomError: EMB006 it broke off.
        """
        with _translated():
            result: NDArray[np.float32] = self._session.run([HIDDEN], {NUMBERS: numbers, MASK: mask})[0]
        return result


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except _REFUSALS as error:
        raise AtomError(codes.RUNTIME_FAILED, str(error)[:300]) from error
