"""The boundary to the CEL engine (cel-cpp by way of cel-expr-python): JSON goes in and comes out, at bounded cost.

Bounds: 4,096 characters, the engine's own limits on recursion and iterations, and a limit on how often an expression
may copy its input (`cel_text.growth`), because doubling a text 30 times takes a line of CEL and a gigabyte.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, Final

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.wpk import codes
from atomctl.wpk.cel_text import MAX_GROWTH, ROOTS, growth, references
from atomctl.wpk.templates import OPEN

MAX_CHARACTERS: Final = 4096
MAX_RESULT: Final = 1 << 20
"""Values and characters of a result."""

Activation = Mapping[str, Any]
"""Per root what expressions may read of it, as JSON; a root that is missing is empty."""

_DASHED: Final = re.compile(r"\bsteps\.([a-z0-9]+(?:-[a-z0-9]+)+)")
_COLUMN: Final = re.compile(r"<input>:(\d+):(\d+): (.*)")


@lru_cache(maxsize=1024)
def compiled(text: str) -> Any:
    """The program of an expression.

    Raises:
        AtomError: WPK118 it is not CEL, or too long, or could grow too far.
    """
    if len(text) > MAX_CHARACTERS:
        raise AtomError(codes.BAD_EXPRESSION, f"an expression has {len(text):,} characters; {MAX_CHARACTERS:,} at most")
    if OPEN in text:
        raise AtomError(codes.BAD_EXPRESSION, f"`{_short(text)}`: CEL is written here without `${{{{ }}}}` around it")
    if growth(text) > MAX_GROWTH:
        raise AtomError(codes.BAD_EXPRESSION, f"`{_short(text)}` could copy its input more than {MAX_GROWTH:,} times")
    try:
        return _environment().compile(text)
    except RuntimeError as error:
        raise AtomError(codes.BAD_EXPRESSION, f"`{_short(text)}`: {_reason(str(error))}", hint=_hint(text)) from None


def evaluate(text: str, activation: Activation) -> Json:
    """The value of an expression.

    Raises:
        AtomError: WPK118; WPK119 a name is missing, types do not fit, or the result is not JSON.
    """
    program = compiled(text)
    read = {reference.root for reference in references(text)}
    _refuse_zero_bytes(text, [activation.get(root, {}) for root in read])
    try:
        found = program.eval(data={root: activation.get(root, {}) for root in ROOTS})
        failed = found.type().name() in {"ERROR", "UNKNOWN"}
        value = found.plain_value()
    except (RuntimeError, TypeError, ValueError, OverflowError) as error:
        failed, value = True, str(error)
    if failed:
        # The engine's words may quote a value; where secrets are read they stay unsaid.
        why = "failed" if "secrets" in read else _short(str(value), 200)
        raise AtomError(codes.EVALUATION, f"`{_short(text)}`: {why}")
    return _as_json(text, value)


@cache
def _environment() -> Any:
    from cel_expr_python import cel
    from cel_expr_python.ext import ext_math

    kind = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
    return cel.NewEnv(variables=dict.fromkeys(ROOTS, kind), extensions=[ext_math.ExtMath()])


def _refuse_zero_bytes(text: str, values: list[Json]) -> None:
    """cel-expr-python 0.1.3 takes a text to its first zero byte; a value cut in silence is worse than none."""
    for value in values:
        if any(isinstance(each, str) and "\0" in each for each in _parts(value)):
            raise AtomError(codes.EVALUATION, f"`{_short(text)}` reads a text with a zero byte")


def _as_json(text: str, value: Any) -> Json:
    size = 0
    for each in _parts(value):
        size += 1 + (len(each) if isinstance(each, str) else 0)
        if size > MAX_RESULT:
            raise AtomError(codes.EVALUATION, f"`{_short(text)}` gives more than {MAX_RESULT:,} values and characters")
        if not _is_json(each):
            raise AtomError(codes.EVALUATION, f"`{_short(text)}` gives a value that JSON cannot hold")
    return value  # type: ignore[no-any-return]  # what the loop let through is JSON


def _is_json(value: Any) -> bool:
    """Whether a value, its content aside, is one of JSON's."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value)
    return value is None or isinstance(value, bool | int | str | list)


def _parts(value: Any) -> Iterator[Any]:
    """The value, and everything in it: items, values and keys."""
    left = [value]
    while left:
        each = left.pop()
        yield each
        if isinstance(each, Mapping):
            left.extend(each)
            left.extend(each.values())
        elif isinstance(each, list):
            left.extend(each)


def _reason(message: str) -> str:
    match = _COLUMN.search(message)
    return f"column {match[2]}: {match[3]}" if match and match[1] != "-1" else message.splitlines()[0].strip()


def _hint(text: str) -> str | None:
    dashed = _DASHED.search(text)
    return f'a name with dashes is read as `steps["{dashed[1]}"]`' if dashed else None


def _short(text: str, length: int = 80) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."
