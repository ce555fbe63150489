"""The port `Embedder`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Vectors: TypeAlias = "NDArray[np.float32]"
"""Shape (texts, dimension); each row has length 1."""


class Embedder(Protocol):
    """What turns texts into vectors of one space. The scalar product of two of them is their cosine.

    Some embedders send texts to another company. So texts must be scrubbed before they come here (secrets, personal
    data): no embedder looks at what it is given, and the caller answers for it.
    """

    @property
    def name(self) -> str:
        """Model and version: vectors are comparable exactly if this is equal. At most 300 characters."""

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """A vector of length 1 for each text, in their order; shape (0, dimension) for none.

        What a model cannot take in of a long text is ignored. An empty text has a vector, too.

        Raises:
            AtomError: EMB0xx no vectors could be had; never some of them, and never one with a number that is none.
        """
