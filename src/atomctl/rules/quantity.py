"""Kubernetes quantities as whole numbers.

Grammar: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

from functools import lru_cache

_BINARY = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40, "Pi": 1 << 50, "Ei": 1 << 60}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_MAX_TEXT = 40


def thousandths(value: object) -> int | None:
    """A quantity in thousandths of its unit, rounded up; None if it is not a quantity.

    CPU in thousandths is millicores; bytes are thousandths divided by 1000.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return _parse(str(value).strip())


@lru_cache(maxsize=1024)
def _parse(text: str) -> int | None:
    if not text or len(text) > _MAX_TEXT:
        return None
    number, factor, power = _suffix(text)
    digits, places = _number(number)
    if digits is None or factor is None:
        return None
    power += 3 - places
    scaled = digits * factor
    if power >= 0:
        return scaled * int(10**power)
    return -(-scaled // int(10**-power))


def _suffix(text: str) -> tuple[str, int | None, int]:
    """The number without its suffix, the suffix's binary factor and its power of ten."""
    if text[-2:] in _BINARY:
        return text[:-2], _BINARY[text[-2:]], 0
    for mark in ("e", "E"):
        number, found, exponent = text.partition(mark)
        if found and exponent.lstrip("+-").isdigit() and len(exponent) <= 3:
            return number, 1, int(exponent)
    if text[-1] in _DECIMAL:
        return text[:-1], 1, _DECIMAL[text[-1]]
    return text, 1, 0


def _number(text: str) -> tuple[int | None, int]:
    """The digits of a decimal number and how many of them are behind the point."""
    sign = -1 if text.startswith("-") else 1
    whole, _, fraction = text.removeprefix("-").removeprefix("+").partition(".")
    digits = whole + fraction
    if not digits or not digits.isascii() or not digits.isdigit():
        return None, 0
    return sign * int(digits), len(fraction)
