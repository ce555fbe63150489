"""Every character of a scalar's value is found again in the file, whatever the style it was written in."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from atomctl.rules.scalar_text import LineMap, scalar_offset

LINES = st.lists(st.text(alphabet="abc xyz:#'\"\\-{}é", min_size=0, max_size=30), min_size=1, max_size=6)


def scalar_start(document: str) -> tuple[int, str]:
    node = yaml.compose(document, Loader=yaml.SafeLoader)
    assert isinstance(node, yaml.MappingNode)
    scalar = node.value[0][1].value[0]
    assert isinstance(scalar, yaml.ScalarNode)
    return scalar.start_mark.index, scalar.value


@pytest.mark.parametrize("style", ["|", ">", '"', "'", ""])
@given(lines=LINES, width=st.sampled_from([10, 40, 1000]))
@settings(max_examples=60, deadline=None)
def test_a_character_of_a_value_is_found_in_the_file(style: str, lines: list[str], width: int) -> None:
    document = yaml.dump({"outer": ["\n".join(lines)]}, default_style=style or None, width=width, allow_unicode=True)
    start, value = scalar_start(document)
    for offset, char in enumerate(value):
        if char.isspace() or char in "\"'\\":
            continue
        assert document[scalar_offset(document, start, value, offset)] == char


@given(text=st.text(alphabet="ab\n", max_size=40))
@settings(max_examples=60, deadline=None)
def test_lines_and_columns_lead_back_to_the_offset(text: str) -> None:
    lines = LineMap(text)
    for offset in range(len(text)):
        line, column = lines.place(offset)
        assert lines.offset(line, column) == offset
        assert text.split("\n")[line - 1][column - 1 : column] in (text[offset], "")
