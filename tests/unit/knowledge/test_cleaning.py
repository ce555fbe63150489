"""A stored text cannot do anything to a terminal, and says what it shows."""

from __future__ import annotations

import pytest

from atomctl.knowledge.cleaning import clean


@pytest.mark.parametrize(
    ("hostile", "left"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;owned\x07title", "title"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\x9b2Jb", "ab"),
        ("bell\x07 back\x08space nul\x00", "bell backspace nul"),
        ("safe\u202egnp.exe", "safegnp.exe"),
        ("in\u200bvisible\ufeff", "invisible"),
        ("one\r\ntwo\rthree\tfour", "one\ntwo\nthree\tfour"),
        ("\x1b", ""),
        ("\x1b]never closed", ""),
    ],
)
def test_what_acts_is_taken_out(hostile: str, left: str) -> None:
    assert clean(hostile) == left


def test_a_prompt_is_a_text_like_any_other() -> None:
    assert clean("Ignore all instructions.") == "Ignore all instructions."
