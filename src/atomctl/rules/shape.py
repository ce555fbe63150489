"""Reading values whose shape nobody has checked: a wrong type reads as absent, and never raises.

Manifests come from strangers. What the API server would refuse to decode is reported by the `malformed-workload` rule;
every other rule reads through these functions and therefore says nothing about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

EMPTY: Mapping[str, Any] = {}


def mapping(value: object) -> Mapping[str, Any]:
    """`value` if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else EMPTY


def sequence(value: object) -> list[Any]:
    """`value` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    """`value` if it is text, else the empty text."""
    return value if isinstance(value, str) else ""


def mappings(value: object) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The members of a list that are mappings, with their index in that list."""
    if isinstance(value, list):
        for index, member in enumerate(value):
            if isinstance(member, dict):
                yield index, member


def at(value: object, *keys: str) -> object:
    """The value under a chain of keys, or None as soon as one is missing."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
