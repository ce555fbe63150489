"""Which days are for what."""

from datetime import date, timedelta

import pytest

from atomctl.dataset.model import Split, Splits

FIRST = date(2026, 7, 1)


def test_a_gap_lies_before_every_border_and_nothing_overlaps() -> None:
    both = Splits(validation_from=date(2026, 7, 5), test_from=date(2026, 7, 9), gap_days=2)
    names = [both.of(FIRST + timedelta(days=number)) for number in range(10)]
    train, validation, test, gap = Split.TRAIN, Split.VALIDATION, Split.TEST, Split.GAP
    assert names == [train, train, gap, gap, validation, validation, gap, gap, test, test]


def test_without_a_gap_and_without_validation_every_day_is_for_something() -> None:
    splits = Splits(test_from=date(2026, 7, 3), gap_days=0)
    assert [splits.of(FIRST + timedelta(days=number)) for number in range(4)] == [
        *[Split.TRAIN] * 2,
        *[Split.TEST] * 2,
    ]


def test_a_gap_longer_than_a_part_leaves_nothing_of_it() -> None:
    splits = Splits(validation_from=date(2026, 7, 5), test_from=date(2026, 7, 6), gap_days=7)
    found = {splits.of(FIRST + timedelta(days=number)) for number in range(10)}
    assert found == {Split.GAP, Split.TEST}


@pytest.mark.parametrize("given", [{"validation_from": date(2026, 7, 9)}, {"gap_days": -1}])
def test_borders_in_another_order_are_none(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation begins before the test"):
        Splits(**{"test_from": date(2026, 7, 9), **given})  # type: ignore[arg-type]  # what a caller could give
