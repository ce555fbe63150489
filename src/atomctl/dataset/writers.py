"""Rows as files. The same rows give the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Protocol, assert_never

from atomctl.dataset.model import Format
from atomctl.dataset.stages import Finished

BATCH = 2_000
"""Rows that are handed over at once; a Parquet row group has this many."""


class Writer(Protocol):
    """Writes the rows of one partition in one format."""

    def write(self, rows: Sequence[Finished]) -> None:
        """Adds the rows; every call but the last has `BATCH` of them."""

    def close(self) -> None:
        """Everything is in the stream, which stays open."""


class JsonLines:
    """One canonical JSON document (RFC 8785) a line."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, rows: Sequence[Finished]) -> None:
        """As `Writer.write`."""
        for row in rows:
            self._stream.write(row.line)
            self._stream.write(b"\n")

    def close(self) -> None:
        """Nothing is held back."""


def open_writer(format_: Format, stream: IO[bytes]) -> Writer:
    """A writer into the stream.

    Raises:
        AtomError: DAT804 Parquet, and pyarrow is not installed.
    """
    match format_:
        case Format.JSONL:
            return JsonLines(stream)
        case Format.PARQUET:
            from atomctl.dataset.parquet import ParquetRows

            return ParquetRows(stream)
        case _:
            assert_never(format_)


def versions(formats: Sequence[Format]) -> dict[str, str]:
    """The libraries that decide about bytes, with their versions.

    Raises:
        AtomError: DAT804 one of them is missing.
    """
    if Format.PARQUET not in formats:
        return {}
    from atomctl.dataset.parquet import library_version

    return {"pyarrow": library_version()}
