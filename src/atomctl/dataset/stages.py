"""From a run to a row: validate, scrub, label, dedup, embed.

Every stage but the last looks at one row, and none does I/O of its own: what they need is handed to them.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from atomctl.canonical import Digest, Json, canonical_json, digest, digest_chunks, sha256
from atomctl.dataset.labels import label
from atomctl.dataset.model import Reason, Row
from atomctl.dataset.record import Record, assemble
from atomctl.dataset.rejection import RejectedError
from atomctl.dataset.schema import unlabelled_validator
from atomctl.dataset.scrub.scrubber import Scrubber
from atomctl.dataset.trailing import Trailing
from atomctl.runs.model import RunState

EMBEDDED_AT_ONCE = 256
"""Rows whose vectors are asked for and kept together: what is lost at most if the process is killed."""
_T = TypeVar("_T")


class Finished(NamedTuple):
    """A row and its canonical JSON, without a newline."""

    row: Row
    line: bytes


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a run's log and risk come from."""

    logs: Callable[[Record], dict[str, Json]]
    risk: Callable[[Record], Json]


class Tally:
    """What went through a partition: counts, and the digest of the content."""

    def __init__(self, dropped: Counter[Reason] | None = None) -> None:
        self.dropped = dropped or Counter[Reason]()
        self._lines: list[bytes] = []

    @property
    def rows(self) -> int:
        """How many rows came out."""
        return len(self._lines)

    @property
    def content(self) -> Digest:
        """The digest of the rows, as `Partition.content` says."""
        return content_digest(self._lines)

    def add(self, finished: Finished) -> None:
        """Counts a row that comes out."""
        self._lines.append(line_digest(finished.line))


def line_digest(line: bytes) -> bytes:
    """The hex SHA-256 of a row's canonical JSON, and a newline."""
    return f"{digest(line).removeprefix('sha256:')}\n".encode()


def content_digest(lines: Iterable[bytes]) -> Digest:
    """The digest of a partition from its rows' `line_digest`s, in order."""
    return digest_chunks(lines)


def scrubbed_rows(
    records: Iterable[Record], sources: Sources, trailing: Trailing, scrubber: Scrubber, tally: Tally
) -> Iterator[Finished]:
    """The rows of a partition in the order of its runs, validated, scrubbed, labelled, each once.

    `tally` counts what was dropped.

    Raises:
        AtomError: whatever the sources raise; a row that cannot be made is dropped, an answer that is missing is not.
    """
    seen: set[bytes] = set()
    for record in records:
        performance = trailing.place(
            record.workflow, record.duration_ms, succeeded=record.state == RunState.SUCCEEDED.value
        )
        try:
            row = validate(assemble(record, sources.logs(record), sources.risk(record)))
            yield once(label(scrubber.row(row), performance), seen)
        except RejectedError as rejected:
            tally.dropped[rejected.reason] += 1


def finished_rows(
    rows: Iterable[Finished], embed: Callable[[Sequence[Row]], Iterable[Row]] | None, tally: Tally
) -> Iterator[Finished]:
    """The rows as they are written, counted by `tally`; `embed` adds vectors to some rows at once."""
    if embed is not None:
        rows = _embedded(rows, embed)
    for finished in rows:
        tally.add(finished)
        yield finished


def _embedded(rows: Iterable[Finished], embed: Callable[[Sequence[Row]], Iterable[Row]]) -> Iterator[Finished]:
    for batch in in_batches(rows, EMBEDDED_AT_ONCE):
        for row in embed([finished.row for finished in batch]):
            yield Finished(row, canonical_json(row))


def validate(row: Row) -> Row:
    """The row, which fits its schema.

    Raises:
        RejectedError: it does not.
    """
    try:
        fits = unlabelled_validator().is_valid(row)
    except (ValueError, RecursionError):
        fits = False
    if not fits:
        raise RejectedError(Reason.INVALID)
    return row


def once(row: Row, seen: set[bytes]) -> Finished:
    """The row with its canonical JSON, if no row before it says the same of another run.

    Raises:
        RejectedError: one does, or the row cannot be written as canonical JSON.
    """
    try:
        line = canonical_json(row)
    except ValueError as error:
        raise RejectedError(Reason.INVALID) from error
    # The line begins with `audit_entry`. Quotes inside a text are escaped, so `"run_id":"..."` is a name and its value.
    fingerprint = sha256(line.partition(b",")[2].replace(f'"run_id":"{row["run_id"]}"'.encode(), b""))
    if fingerprint in seen:
        raise RejectedError(Reason.DUPLICATE)
    seen.add(fingerprint)
    return Finished(row, line)


def in_batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """The items in their order, `size` at once; the last time what is left."""
    rest = iter(items)
    while batch := list(itertools.islice(rest, size)):
        yield batch
