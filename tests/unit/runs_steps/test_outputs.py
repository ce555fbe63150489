from __future__ import annotations

import pytest

from atomctl.errors import AtomError
from atomctl.runs.steps.outputs import parse


def test_lines_are_merged_and_the_later_one_wins() -> None:
    assert parse(b'{"a": 1, "b": "x"}\n\n  \n{"a": [2]}\n') == {"a": [2], "b": "x"}


def test_no_output_is_no_output() -> None:
    assert parse(b"") == {}


@pytest.mark.parametrize(
    "data",
    [
        b"a=1\n",
        b"[1]\n",
        b'{"a": NaN}\n',
        b'{"a": 1\n',
        b"\xff\xfe\n",
        b'{"a b": 1}\n',
        b'{"": 1}\n',
        b'{"a": ' + b"[" * 30_000 + b"\n",
        b'{"a": "' + b"x" * 65536 + b'"}',
        b"\n".join(b'{"n%d": 1}' % n for n in range(101)),
    ],
)
def test_malformed_or_boundless_outputs_are_refused(data: bytes) -> None:
    with pytest.raises(AtomError, match=r"^RUN658"):
        parse(data)
