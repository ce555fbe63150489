"""How the text of a setting becomes its value. Pure; a text that cannot is a `ValueError` that says what would.

They are apart from the settings because they are about forms alone: a port is a port whoever asks for one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path


def path(text: str) -> Path:
    """A path, from the home folder where it begins with `~`."""
    return Path(text).expanduser()


def port(text: str) -> int:
    """A port, or 0."""
    if not text.isdecimal() or int(text) > 65535:
        raise ValueError(f"{text[:20]!r} is no port, which is a number from 0 to 65535")
    return int(text)


def share(text: str) -> float:
    """A number above 0 and up to 1."""
    found = float(text)
    if not 0.0 < found <= 1.0:
        raise ValueError("a number above 0 and up to 1")
    return found


def words(text: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def one_of(*words: str) -> Callable[[str], str]:
    """Takes one of the words and no other."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return text

    return parse


def duration(text: str) -> timedelta:
    """`90s`, `15m`, `12h` or `30d`."""
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    number, unit = text[:-1], text[-1:]
    if unit not in units or not number.isdecimal() or not 0 < int(number) < 1_000_000:
        raise ValueError("a duration is a number and one of s, m, h, d, such as 90s or 30d")
    return timedelta(**{units[unit]: int(number)})


def period(text: str) -> timedelta:
    """A duration, or `off`, which is a duration of nothing."""
    return timedelta(0) if text == "off" else duration(text)


def count(most: int) -> Callable[[str], int]:
    """Takes a whole number from 1 to `most`."""

    def parse(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise ValueError(f"a number from 1 to {most}")
        return int(text)

    return parse
