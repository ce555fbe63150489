"""Which texts are computed together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from atomctl.embedding.batches import batches


@given(st.lists(st.integers(2, 256), max_size=60), st.integers(1, 600))
def test_every_text_is_in_one_group_and_no_group_is_too_large(lengths: list[int], most: int) -> None:
    groups = list(batches(lengths, most))
    assert sorted(place for group in groups for place in group) == list(range(len(lengths)))
    for group in groups:
        longest = max(lengths[place] for place in group)
        assert len(group) == 1 or len(group) * longest <= most


def test_texts_of_like_length_stand_together() -> None:
    assert list(batches([3, 100, 4, 99], 200)) == [[1, 3], [2, 0]]
