"""What a step hands on: JSON objects, one a line, merged in order."""

from __future__ import annotations

import json
import re

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.runs.steps import codes

BYTES = 64 * 1024
NAMES = 100
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)


def parse(data: bytes) -> dict[str, Json]:
    """The outputs in `data`, which may be one byte longer than the limit and not more; a later line wins.

    Raises:
        AtomError: RUN658 too long, too many names, not UTF-8, not JSON objects, or a name nobody could refer to.
    """
    if len(data) > BYTES:
        raise AtomError(codes.BAD_OUTPUTS, f"more than {BYTES} bytes of outputs")
    outputs: dict[str, Json] = {}
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip():
            outputs.update(_object(line, number))
    return check(outputs)


def check(outputs: dict[str, Json]) -> dict[str, Json]:
    """`outputs`, if there are not too many and each has a name that an expression can refer to.

    Raises:
        AtomError: RUN658.
    """
    if len(outputs) > NAMES:
        raise AtomError(codes.BAD_OUTPUTS, f"{len(outputs)} names of outputs; {NAMES} are the limit")
    for name in outputs:
        if not _NAME.fullmatch(name):
            raise AtomError(codes.BAD_OUTPUTS, f"{name[:80]!r} is not a name for an output")
    return outputs


def _object(line: bytes, number: int) -> dict[str, Json]:
    try:
        value = json.loads(line.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise AtomError(codes.BAD_OUTPUTS, f"line {number} of the outputs is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise AtomError(codes.BAD_OUTPUTS, f"line {number} of the outputs is not a JSON object")
    return value


def _refuse_constant(text: str) -> Json:
    raise ValueError(f"{text} is not JSON")
