"""A provider of embeddings that speaks as OpenAI's `embeddings` does; the texts leave this machine.

Only what was scrubbed may come here: whoever gives a tenant's texts to this embedder has taken secrets and personal
data out of them before, because nothing is taken out here. They go to the one address of the setting, in the order
given, with nothing of the tenant beside them. Format: OpenAI's API reference, "Create embeddings".
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult

from atomctl import exchange
from atomctl.embedding import codes
from atomctl.embedding.key_file import read_key
from atomctl.embedding.vectors import unit
from atomctl.errors import AtomError, Code
from atomctl.exchange import Answer, ExchangeError, Patience, Trouble

if TYPE_CHECKING:
    from pathlib import Path

    from atomctl.embedding.model import Vectors

READ = 8_000
"""Characters of a text that are sent: about what the models of such providers take in."""
_TEXTS, _CHARACTERS = 64, 64_000
"""Of one request, at most."""
_NUMBER_BYTES, _FRAME_BYTES = 32, 64 * 1024
"""What a number and everything around the numbers may take in an answer."""

_STATUSES: dict[int, Code] = {401: codes.DENIED, 403: codes.DENIED, 429: codes.TOO_MANY}
_TROUBLES: dict[Trouble, Code] = {
    Trouble.UNREACHABLE: codes.UNREACHABLE,
    Trouble.SLOW: codes.SLOW,
    Trouble.NOT_HTTP: codes.NONSENSE,
}
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """An `Embedder` elsewhere.

    Attributes:
        url: its base address, to which `/embeddings` is added; https, or http on this machine.
        model: what it is asked for.
        dimension: the numbers a vector must have.
        ask_dimension: whether it is told so, which not every model understands.
        key_file: holds its key and is read at each request, so that a key can be replaced; None: it needs none.
        patience: bounds of one exchange.
    """

    url: str
    model: str
    dimension: int
    ask_dimension: bool = False
    key_file: Path | None = None
    patience: Patience = Patience(connect=5.0, silence=30.0, whole=30.0)
    _address: SplitResult = field(init=False)

    def __post_init__(self) -> None:
        """Checks the settings.

        Raises:
            AtomError: EMB010 they cannot be used.
        """
        object.__setattr__(self, "_address", _address(self.url))
        if not self.model or len(self.model) > 150 or not self.model.isprintable():
            raise AtomError(codes.BAD_ADDRESS, "ATOM_EMBEDDING_MODEL names no model")

    @property
    def name(self) -> str:
        """The model and whose it is: two providers may call two models the same."""
        return f"{self.model}@{self._address.netloc[:120]}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """A vector of length 1 for each text, of which the first `READ` characters are sent, after they were scrubbed.

        Raises:
            AtomError: EMB005 a text is none, EMB011 the key cannot be read; EMB012 to EMB022 as the provider answers.
        """
        import numpy as np

        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        done = 0
        for part in requests([_sendable(text) for text in texts]):
            vectors[done : done + len(part)] = self._ask(part)
            done += len(part)
        return vectors

    def _ask(self, texts: Sequence[str]) -> Vectors:
        question: dict[str, object] = {"model": self.model, "input": texts, "encoding_format": "float"}
        if self.ask_dimension:
            question["dimensions"] = self.dimension
        headers = {"content-type": "application/json", "accept": "application/json"}
        if self.key_file is not None:
            headers["authorization"] = f"Bearer {read_key(self.key_file)}"
        largest = len(texts) * self.dimension * _NUMBER_BYTES + _FRAME_BYTES
        body = json.dumps(question).encode()
        try:
            answer = exchange.post(self._address, "/embeddings", body, headers, patience=self.patience, largest=largest)
        except ExchangeError as error:
            raise AtomError(_TROUBLES[error.trouble], str(error)) from error
        return read_answer(answer, len(texts), self.dimension)


def _address(url: str) -> SplitResult:
    try:
        parts = exchange.address_of(url)
    except ValueError as error:
        raise AtomError(codes.BAD_ADDRESS, str(error)) from error
    if parts.scheme == "http" and not _on_this_machine(parts.hostname or ""):
        raise AtomError(codes.BAD_ADDRESS, f"http to {parts.hostname}: the texts and the key could be read on the way")
    return parts


def _on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _sendable(text: str) -> str:
    """What is sent of a text; a blank for an empty one, which some providers refuse."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise AtomError(codes.NOT_TEXT, f"a lone surrogate at character {error.start}") from error
    return text[:READ] or " "


def requests(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in their order, in parts that are small enough for one request."""
    part: list[str] = []
    size = 0
    for text in texts:
        if part and (len(part) == _TEXTS or size + len(text) > _CHARACTERS):
            yield part
            part, size = [], 0
        part.append(text)
        size += len(text)
    if part:
        yield part


def read_answer(answer: Answer, texts: int, dimension: int) -> Vectors:
    """The vectors of an answer, in the order of the texts.

    Raises:
        AtomError: EMB014 to EMB022.
    """
    status = answer.status
    if 300 <= status < 400:
        raise AtomError(codes.REDIRECTED, f"status {status}")
    if status in _STATUSES:
        raise AtomError(_STATUSES[status], f"status {status}{_reason(answer)}")
    if status >= 500:
        raise AtomError(codes.BROKEN, f"status {status}{_reason(answer)}")
    if status != 200:
        refused = codes.REFUSED if _reason(answer) else codes.NONSENSE
        raise AtomError(refused, f"status {status}{_reason(answer)}")
    if not answer.whole:
        raise AtomError(codes.TOO_LARGE, f"more than {len(answer.body)} bytes for {texts} vectors")
    return _vectors(_rows(_document(answer), texts), dimension)


def _document(answer: Answer) -> dict[str, Any]:
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise AtomError(codes.NONSENSE, f"status {answer.status}, and no JSON") from error
    if not isinstance(document, dict):
        raise AtomError(codes.NONSENSE, f"status {answer.status}, and no JSON object")
    return document


def _rows(document: dict[str, Any], texts: int) -> list[list[float]]:
    """The lists of numbers, each at the place its `index` says."""
    try:
        found = {entry["index"]: entry["embedding"] for entry in document["data"]}
    except (KeyError, TypeError) as error:
        raise AtomError(codes.NONSENSE, "the answer has another form than OpenAI's embeddings") from error
    if (
        len(document["data"]) != texts
        or set(found) != set(range(texts))
        or any(type(place) is not int for place in found)
    ):
        raise AtomError(codes.NONSENSE, f"{len(document['data'])} vectors for {texts} texts, or not one for each")
    rows = [found[place] for place in range(texts)]
    if not all(isinstance(row, list) and all(type(number) in {int, float} for number in row) for row in rows):
        raise AtomError(codes.NONSENSE, "a vector that is no list of numbers")
    return rows


def _vectors(rows: list[list[float]], dimension: int) -> Vectors:
    import numpy as np

    if wrong := {len(row) for row in rows} - {dimension}:
        raise AtomError(codes.WRONG_DIMENSION, f"{min(wrong)} numbers, expected {dimension}")
    try:
        return unit(np.array(rows, dtype=np.float64))
    except OverflowError as error:
        raise AtomError(codes.NOT_FINITE, "a number beyond every float") from error


def _reason(answer: Answer) -> str:
    """The provider's word for it, if it is a word: its sentences may repeat texts, or a part of the key."""
    try:
        error = json.loads(answer.body)["error"]
        words = [error[name] for name in ("type", "code") if isinstance(error.get(name), str)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
    said = ", ".join(dict.fromkeys(word for word in words if _WORD.fullmatch(word)))
    return f" ({said})" if said else ""
