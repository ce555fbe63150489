"""The embedder that the settings name."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

from atomctl.embedding import codes
from atomctl.errors import AtomError
from atomctl.exchange import Patience
from atomctl.settings import Settings

if TYPE_CHECKING:
    from atomctl.embedding.minilm import MiniLm, Runtime
    from atomctl.embedding.model import Embedder
    from atomctl.embedding.provider import Provider
    from atomctl.embedding.weights import Weights

_DIMENSION = 384
_MOST_THREADS = 8
"""Unless somebody asks for more: the model is small, and a container may see more processors than it may use."""


def load(settings: Settings) -> Embedder:
    """The provider, if one is set, else the model of this machine; half a second and 100 MB. Nothing is sent yet.

    Raises:
        AtomError: EMB001 the model is not installed, EMB002 a library is not, EMB003 its files are others; EMB010 the
            settings of the provider cannot be used, EMB011 its key cannot.
    """
    require_library("numpy")
    if settings.embedding_url is not None:
        return _provider(settings, settings.embedding_url)
    return local(settings)


def local(settings: Settings) -> MiniLm:
    """The model of this machine.

    Raises:
        AtomError: EMB001, EMB002, EMB003.
    """
    from atomctl.embedding.minilm import MiniLm
    from atomctl.embedding.weights import open_weights

    weights = open_weights(settings.embedding_weights)
    return MiniLm.of(weights, _runtime(settings, weights))


def require_library(name: str) -> None:
    """Returns if a library of the extra `knowledge` is installed; it is not loaded.

    Raises:
        AtomError: EMB002 it is not.
    """
    if importlib.util.find_spec(name) is None:
        raise AtomError(codes.LIBRARY_MISSING, f"{name} is not installed")


def _provider(settings: Settings, url: str) -> Provider:
    from atomctl.embedding.key_file import read_key
    from atomctl.embedding.provider import Provider

    if settings.embedding_key_file is not None:
        read_key(settings.embedding_key_file)  # what cannot be used is said before there is anything to send
    seconds = settings.embedding_timeout.total_seconds()
    return Provider(
        url=url,
        model=settings.embedding_model or "",
        dimension=settings.embedding_dimension or _DIMENSION,
        ask_dimension=settings.embedding_dimension is not None,
        key_file=settings.embedding_key_file,
        patience=Patience(connect=min(5.0, seconds), silence=seconds, whole=seconds),
    )


def _runtime(settings: Settings, weights: Weights) -> Runtime:
    name = settings.embedding_runtime
    if name is None:
        name = "onnxruntime" if importlib.util.find_spec("onnxruntime") else "numpy"
    if name == "numpy":
        from atomctl.embedding.reference import NumpyRuntime

        return NumpyRuntime(weights)
    require_library("onnxruntime")
    from atomctl.embedding.onnx_runtime import OnnxRuntime

    return OnnxRuntime(weights, settings.embedding_threads or _threads())


def _threads() -> int:
    return min(len(os.sched_getaffinity(0)), _MOST_THREADS)
