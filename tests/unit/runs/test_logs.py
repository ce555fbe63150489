"""Positions in logs."""

from __future__ import annotations

import pytest

from atomctl.errors import AtomError
from atomctl.runs.logs import Position


def test_a_position_is_read_as_it_was_written() -> None:
    assert Position.parse(str(Position(3, 65_536))) == Position(3, 65_536)


@pytest.mark.parametrize("text", ["", "1", ":", "1:", ":1", "-1:0", "1:-1", "a:b", "1:2:3", "1" * 50 + ":1", "¹:1"])
def test_made_up_positions_are_refused(text: str) -> None:
    with pytest.raises(AtomError) as caught:
        Position.parse(text)
    assert caught.value.code.id == "RUN615"
