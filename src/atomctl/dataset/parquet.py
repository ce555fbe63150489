"""Rows as Apache Parquet, by pyarrow, which is asked for only when somebody wants Parquet.

Every option that changes bytes is set here and none is left to a default, so the same rows give the same file as long
as the library is the same; its version stands in the manifest.
"""

from __future__ import annotations

import array
import datetime
import importlib.metadata
import json
from collections.abc import Iterator, Sequence
from typing import IO, Any

from atomctl.canonical import Json, canonical_json
from atomctl.dataset import codes
from atomctl.dataset.model import ROW_SCHEMA, Row
from atomctl.dataset.stages import Finished
from atomctl.dataset.vector import vector_bytes, vector_text
from atomctl.errors import AtomError

_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


def library_version() -> str:
    """The version of pyarrow.

    Raises:
        AtomError: DAT804 it is not installed.
    """
    try:
        return importlib.metadata.version("pyarrow")
    except importlib.metadata.PackageNotFoundError as error:
        raise AtomError(codes.NO_PARQUET, "pyarrow is not installed") from error


class ParquetRows:
    """A `writers.Writer`; a batch is a row group."""

    def __init__(self, stream: IO[bytes]) -> None:
        pa, pq = _arrow()
        self._schema = arrow_schema(pa)
        self._table = pa.Table
        self._writer = pq.ParquetWriter(
            stream,
            self._schema,
            version="2.6",
            data_page_version="1.0",
            compression="zstd",
            compression_level=3,
            use_dictionary=True,
            dictionary_pagesize_limit=1 << 20,
            data_page_size=1 << 20,
            write_batch_size=1024,
            write_statistics=True,
            write_page_index=False,
            store_schema=True,
        )

    def write(self, rows: Sequence[Finished]) -> None:
        """As `Writer.write`."""
        table = self._table.from_pylist([to_arrow(each.row) for each in rows], schema=self._schema)
        self._writer.write_table(table, row_group_size=max(1, len(rows)))

    def close(self) -> None:
        """The footer is written."""
        self._writer.close()


def to_arrow(row: Row) -> dict[str, Any]:
    """The row's values as Arrow takes them: the time as a time, the parameters as JSON text."""
    moment = datetime.datetime.strptime(str(row["execution_time"]), _TIME).replace(tzinfo=datetime.UTC)
    plain = {name: value for name, value in row.items() if name != "schema"}
    return {
        **plain,
        "execution_time": moment,
        "parameters": canonical_json(row["parameters"]).decode(),
        "embedding": _numbers(row["embedding"]),
    }


def _numbers(embedding: Any) -> dict[str, Any] | None:
    return embedding and {"model": embedding["model"], "vector": array.array("f", vector_bytes(embedding["vector"]))}


def _written(embedding: Any) -> dict[str, Json] | None:
    return embedding and {"model": embedding["model"], "vector": vector_text(array.array("f", embedding["vector"]))}


def read_rows(stream: IO[bytes]) -> Iterator[Row]:
    """The rows of a file as they were before they were written.

    Raises:
        ValueError: it is no Parquet file of this schema.
        AtomError: DAT804 pyarrow is not installed.
    """
    pa, pq = _arrow()
    try:
        file = pq.ParquetFile(stream)
        if file.schema_arrow != arrow_schema(pa):
            raise ValueError("the columns are others")
        for batch in file.iter_batches(batch_size=500):
            yield from (_from_arrow(found) for found in batch.to_pylist())
    except pa.ArrowException as error:
        raise ValueError(str(error)) from error


def _from_arrow(found: dict[str, Any]) -> Row:
    moment = found["execution_time"].astimezone(datetime.UTC)
    return {
        **found,
        "schema": ROW_SCHEMA,
        "execution_time": moment.strftime(_TIME),
        "parameters": json.loads(found["parameters"]),
        "embedding": _written(found["embedding"]),
    }


def arrow_schema(pa: Any) -> Any:
    """The columns; the same names as in JSON."""
    text, count = pa.string(), pa.int64()
    step = pa.struct(
        [
            ("phase", text),
            ("name", text),
            ("type", text),
            ("state", text),
            ("attempts", count),
            ("offset_ms", count),
            ("duration_ms", count),
            ("exit_code", count),
            ("code", text),
            ("error", text),
        ]
    )
    reason = pa.struct([("source", text), ("category", text)])
    decision = [(name, text) for name in ("outcome", "category", "automation", "complexity")]
    return pa.schema(
        [
            ("run_id", text),
            ("workflow", text),
            ("version", text),
            ("environment", text),
            ("execution_time", pa.timestamp("us", tz="UTC")),
            ("duration_ms", count),
            ("status", text),
            ("parameters", text),
            ("parameters_withheld", count),
            ("logs", pa.struct([("bytes", count), ("head", text), ("tail", text), ("truncated", pa.bool_())])),
            ("steps", pa.list_(step)),
            ("risk", pa.struct([("score", count), ("rules", pa.list_(text))])),
            ("decision", pa.struct([*decision, ("votes", count), ("reasons", pa.list_(reason))])),
            ("audit_entry", count),
            ("embedding", pa.struct([("model", text), ("vector", pa.list_(pa.float32()))])),
            ("labels", pa.struct([("success", pa.bool_()), ("error_type", text), ("performance_class", text)])),
        ]
    )


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise AtomError(codes.NO_PARQUET, "pyarrow is not installed") from error
    return pa, pq
