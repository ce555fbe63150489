"""What of a row is embedded, how a vector is written, and what is not taken for one."""

import array
import base64
import io
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomctl.dataset.embedding import LOG_CHARACTERS, require_vectors, text_of
from atomctl.dataset.model import Format, Row
from atomctl.dataset.parquet import read_rows
from atomctl.dataset.schema import row_validator
from atomctl.dataset.stages import Finished
from atomctl.dataset.vector import vector_bytes, vector_text
from atomctl.dataset.writers import open_writer
from atomctl.errors import AtomError

ROW: Row = {
    "workflow": "web",
    "environment": "test",
    "status": "FAILED",
    "steps": [
        {"name": "look", "type": "shell", "state": "SUCCEEDED", "code": None, "error": None},
        {"name": "mend", "type": "api", "state": "FAILED", "code": "RUN640", "error": "refused by ***"},
    ],
    "logs": {"head": "a" * 5_000, "tail": "", "bytes": 5_000, "truncated": False},
    "parameters": {"service": "never embedded"},
}


def test_the_text_is_what_happened_and_nothing_that_was_given() -> None:
    text = text_of(ROW)
    assert text.startswith("web in test: FAILED\nstep mend (api): FAILED RUN640 refused by ***\naaa")
    assert len(text) < LOG_CHARACTERS + 100
    assert "look" not in text
    assert "never embedded" not in text


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=40))
def test_a_vector_is_read_back_bit_by_bit(numbers: list[float]) -> None:
    text = vector_text(array.array("f", numbers))
    assert vector_bytes(text) == array.array("f", numbers).tobytes()
    assert np.frombuffer(base64.b64decode(text), dtype="<f4").tolist() == numbers


def good(count: int = 2, dimension: int = 3) -> Any:
    return np.full((count, dimension), 1 / math.sqrt(dimension), dtype=np.float32)


@pytest.mark.parametrize(
    "nonsense",
    [
        good(1),
        good(2, 4),
        good().astype(np.float64),
        good() * 2,
        np.zeros((2, 3), dtype=np.float32),
        np.full((2, 3), math.nan, dtype=np.float32),
        np.full((2, 3), math.inf, dtype=np.float32),
        [[1.0, 0.0, 0.0]] * 2,
        None,
    ],
    ids=str,
)
def test_what_is_no_vector_of_the_model_is_refused(nonsense: Any) -> None:
    require_vectors(good(), 2, 3)
    with pytest.raises(AtomError) as caught:
        require_vectors(nonsense, 2, 3)
    assert caught.value.code.id == "DAT809"


def test_both_formats_hold_the_same_vector(row: Row) -> None:
    numbers = array.array("f", [0.6, -0.8, 1e-30])
    embedded: Row = {**row, "embedding": {"model": "m", "vector": vector_text(numbers)}}
    row_validator().validate(embedded)
    stream = io.BytesIO()
    writer = open_writer(Format.PARQUET, stream)
    writer.write([Finished(embedded, b""), Finished(row, b"")])
    writer.close()
    stream.seek(0)
    assert list(read_rows(stream)) == [embedded, row]
