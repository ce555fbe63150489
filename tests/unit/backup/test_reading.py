"""A set whose log does not reach from its start to its marker is of no use, and is not used."""

from __future__ import annotations

import pytest
from tests.fakes.statements import MakeStatement

from atomctl.backup import codes
from atomctl.backup.contents import Contents
from atomctl.backup.manifest import Listed
from atomctl.backup.reading import require_log
from atomctl.errors import AtomError

WHOLE = Listed(16 << 20, "any")
FIRST, SECOND = "000000010000000000000002", "000000010000000000000003"


def test_a_log_from_start_to_marker_is_whole(make_statement: MakeStatement) -> None:
    require_log(make_statement(), Contents({FIRST: WHOLE, SECOND: WHOLE, "00000002.history": Listed(40, "any")}, b""))


@pytest.mark.parametrize(
    ("files", "missing"),
    [
        ({FIRST: WHOLE}, SECOND),
        ({SECOND: WHOLE}, FIRST),
        ({FIRST: Listed(100, "any"), SECOND: WHOLE}, FIRST),
        ({}, FIRST),
    ],
)
def test_a_gap_in_the_log_is_named(make_statement: MakeStatement, files: dict[str, Listed], missing: str) -> None:
    with pytest.raises(AtomError) as caught:
        require_log(make_statement(), Contents(files, b""))
    assert caught.value.code is codes.WAL_INCOMPLETE
    assert missing in caught.value.why
