"""Vectors as a row has them: 32-bit floats, little endian, in base64.

A float written in decimal digits is another text in every language; its bytes are not.
"""

from __future__ import annotations

import array
import base64
import sys


def vector_text(vector: array.array[float]) -> str:
    """The vector's numbers as text."""
    return base64.b64encode(_little_endian(vector).tobytes()).decode()


def vector_bytes(text: str) -> bytes:
    """The vector's numbers as this machine's floats.

    Raises:
        ValueError: it is no base64 of whole floats.
    """
    numbers = array.array("f", base64.b64decode(text, validate=True))
    return _little_endian(numbers).tobytes()


def _little_endian(numbers: array.array[float]) -> array.array[float]:
    if sys.byteorder == "little":
        return numbers
    swapped = array.array("f", numbers)
    swapped.byteswap()
    return swapped
