"""What `atomctl doctor` says about embeddings: which model there is, on what, and that it is computed rightly."""

from __future__ import annotations

from atomctl.embedding import codes
from atomctl.errors import AtomError
from atomctl.settings import Settings

_SENTENCES = 4
_NOT_THERE = {codes.MODEL_MISSING, codes.LIBRARY_MISSING}


def embedding_check(settings: Settings) -> dict[str, str]:
    """One check; nothing is sent to a provider, since every text costs there."""
    from atomctl.embedding.opening import load

    try:
        if settings.embedding_url is not None:
            return _check("ok", f"{load(settings).name}: texts leave this machine")
        return _check("ok", _local(settings))
    except AtomError as error:
        if error.code in _NOT_THERE:
            return _check("missing", f"{error.why}: search goes by words alone", error.hint)
        return _check("problem", f"{error.code.id}: {error.why}", error.hint)


def _local(settings: Settings) -> str:
    from atomctl.embedding.opening import local, require_library

    require_library("numpy")
    model = local(settings)
    from atomctl.embedding.minilm import MiniLm
    from atomctl.embedding.parity import require_parity, sentences
    from atomctl.embedding.reference import NumpyRuntime
    from atomctl.embedding.weights import open_weights

    if isinstance(model.runtime, NumpyRuntime):
        return f"{model.name} on numpy, which is slow: pip install onnxruntime"
    reference = MiniLm(model.tokenizer, NumpyRuntime(open_weights(settings.embedding_weights)))
    cosine = require_parity(model, reference, sentences()[:_SENTENCES])
    return f"{model.name} on {model.runtime.label}, cosine {cosine:.6f} against the reference"


def _check(state: str, detail: str, hint: str = "") -> dict[str, str]:
    return {"name": "embeddings", "state": state, "detail": detail, "hint": hint}
