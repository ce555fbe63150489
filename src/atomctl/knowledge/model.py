"""The frozen values of knowledge."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from atomctl.canonical import Digest

if TYPE_CHECKING:
    from atomctl.errors import AtomError

DIMENSION = 384
"""Numbers in a vector of the index."""

RUNS = "runs"
"""The collection that holds past runs."""


class Shelf(enum.StrEnum):
    """What a chunk was made of; the two are searched, and their words counted, apart."""

    PAGE = "page"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of a page, small enough to be quoted."""

    trail: tuple[str, ...]
    """The headings it stands under, the page's title first."""
    anchor: str
    """What follows `#` in a link to its heading; empty before the first one."""
    text: str
    """As the page has it, without control characters."""

    @property
    def heading(self) -> str:
        """The trail as one line."""
        return " > ".join(self.trail)


@dataclass(frozen=True, slots=True)
class Page:
    """A page that was read and cut into chunks."""

    path: str
    digest: Digest
    """Of the bytes it was read from and of how it is cut: equal means that nothing has to be done."""
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Rejection:
    """A page that was not taken."""

    path: str
    error: AtomError


@dataclass(frozen=True, slots=True)
class Vectors:
    """The vectors of a page's chunks in their order, as pgvector reads them, and the model they come from."""

    model: str
    rows: tuple[str, ...]
    middle: str
    """The direction in the middle of them: what the page is about as a whole."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What lexical scores need of a shelf: how many chunks there are, how long, and in how many each term stands."""

    chunks: int
    average: float
    """Words of a chunk."""
    frequencies: dict[str, int]
    """Of the terms asked about; 0 where a term stands nowhere."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was found, and how well it fits."""

    id: UUID
    collection: str
    path: str
    heading: str
    anchor: str
    text: str
    score: float
    """Of rank fusion; comparable within one search alone."""
    lexical: float | None
    cosine: float | None
    coverage: float
    """The share of the question's informative words that stand in it, 0 to 1."""

    @property
    def citation(self) -> str:
        """`collection/path#anchor`."""
        return f"{self.collection}/{self.path}" + (f"#{self.anchor}" if self.anchor else "")


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave: the best passage of each page, the best first, then others of few pages."""

    passages: tuple[Passage, ...]
    unknown_names: tuple[str, ...]
    """Names in the text that stand nowhere on the shelf."""
    coverage: float
    """The largest share of the text's words, by weight, that stands in one chunk of these pages."""
    cosine: float | None
    """The mean of the three nearest chunks'; None if only words were searched for."""
    without_meaning: AtomError | None = field(default=None)
    """Why only words were searched for; None if vectors were compared, too."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the pages say about a question."""

    known: bool
    """Whether they answer it; the passages are then the citations, at most three, best of three pages."""
    why: str
    """What the judgement rests on, in a sentence."""
    passages: tuple[Passage, ...]
    confidence: float
    """0 to 1; an answer is given from the threshold on."""
    without_meaning: AtomError | None


@dataclass(frozen=True, slots=True)
class Collection:
    """Pages that were synced together, or the runs."""

    name: str
    documents: int
    chunks: int
    vectors: int
    """Chunks with a vector of the model at hand."""


@dataclass(frozen=True, slots=True)
class Status:
    """What is known, and what search can do with it."""

    collections: tuple[Collection, ...]
    model: str | None
    """The model at hand; None where there is none."""
    without_meaning: AtomError | None
