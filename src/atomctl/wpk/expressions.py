"""CEL conditions, and templates that put values into fields as data.

An activation is what expressions read: `params` (the run's parameters), `steps` (per handler its `state` and its
`outputs`), `run` (its `id`, `workflow` and `version`), and where they are allowed `secrets` and `response`. There is no
clock, no randomness and no input or output in an expression: the same activation gives the same result.

Cost is bounded: 4,096 characters, cel-cpp's limits on recursion and iterations, and a bound on how often an expression
may copy its input (`cel_text.growth`), because doubling a text 30 times takes 30 characters of CEL and a gigabyte.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from atomctl.canonical import Json, canonical_json
from atomctl.errors import AtomError
from atomctl.wpk import codes
from atomctl.wpk.cel_text import MAX_GROWTH, ROOTS, Reference, growth, references
from atomctl.wpk.templates import OPEN, has_template, split, strings

__all__ = ["Condition", "Reference", "as_text", "check", "references", "render", "template_references"]

MAX_CHARACTERS: Final = 4096
MAX_RESULT: Final = 1 << 20
"""Values and characters of a result."""

_DASHED: Final = re.compile(r"\bsteps\.([a-z0-9]+(?:-[a-z0-9]+)+)")
_COLUMN: Final = re.compile(r"<input>:(\d+):(\d+): (.*)")

Activation = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled CEL expression whose result is true or false."""

    text: str

    @classmethod
    def compile(cls, text: str) -> Condition:
        """The condition in `text`.

        Raises:
            AtomError: WPK118 it is not CEL, or too long or too costly.
        """
        _compiled(text)
        return cls(text)

    @property
    def reads(self) -> frozenset[Reference]:
        """What it may read; a condition that reads `steps` cannot be decided before they have ended."""
        return references(self.text)

    def evaluate(self, activation: Activation) -> bool:
        """Whether it holds.

        Raises:
            AtomError: WPK119 a name is missing, types do not fit, or the result is neither true nor false.
        """
        result = _evaluate(self.text, activation)
        if not isinstance(result, bool):
            raise AtomError(codes.EVALUATION, f"`{self.text}` must be true or false")
        return result


def check(text: str) -> None:
    """Refuses what is not CEL, whatever its result type.

    Raises:
        AtomError: WPK118.
    """
    _compiled(text)


def render(value: Json, activation: Activation) -> Json:
    """`value` with every template in its texts replaced; keys are left alone, and so is what has no template.

    A text that is one template alone becomes the expression's result with its type. Within other text the result is
    written as text (`as_text`).

    Raises:
        AtomError: WPK118, WPK119.
    """
    if isinstance(value, str):
        return _render_text(value, activation) if has_template(value) else value
    if isinstance(value, list):
        return [render(each, activation) for each in value]
    if isinstance(value, dict):
        return {key: render(each, activation) for key, each in value.items()}
    return value


def template_references(value: Json) -> frozenset[Reference]:
    """What the templates in `value` read; text outside of templates does not count.

    Raises:
        AtomError: WPK118 a template is not closed.
    """
    found = (split(text).expressions for _, text in strings(value) if has_template(text))
    return frozenset().union(*(references(expression) for expressions in found for expression in expressions))


def as_text(value: Json) -> str:
    """A value as text: text as it is, `true` and `false`, whole numbers without a point, lists and maps as JSON.

    Raises:
        AtomError: WPK119 nothing (null) has no text.
    """
    if isinstance(value, str):
        return value
    if value is None:
        raise AtomError(codes.EVALUATION, "nothing (null) cannot be written as text")
    return canonical_json(value).decode()


def _render_text(text: str, activation: Activation) -> Json:
    template = split(text)
    if template.whole is not None:
        return _evaluate(template.whole, activation)
    return "".join(part if kind == "text" else as_text(_evaluate(part, activation)) for kind, part in template.parts)


@cache
def _environment() -> Any:
    from cel_expr_python import cel
    from cel_expr_python.ext import ext_math

    kind = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
    return cel.NewEnv(variables=dict.fromkeys(ROOTS, kind), extensions=[ext_math.ExtMath()])


@lru_cache(maxsize=1024)
def _compiled(text: str) -> Any:
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


def _reason(message: str) -> str:
    match = _COLUMN.search(message)
    return f"column {match[2]}: {match[3]}" if match and match[1] != "-1" else message.splitlines()[0].strip()


def _hint(text: str) -> str | None:
    dashed = _DASHED.search(text)
    return f'a name with dashes is read as `steps["{dashed[1]}"]`' if dashed else None


def _evaluate(text: str, activation: Activation) -> Json:
    program = _compiled(text)
    try:
        found = program.eval(data={root: activation.get(root, {}) for root in ROOTS})
        failed = found.type().name() in {"ERROR", "UNKNOWN"}
        value = found.plain_value()
    except (RuntimeError, TypeError, ValueError, OverflowError) as error:
        failed, value = True, str(error)
    if failed:
        # The engine's words may quote a value; where secrets are read they stay unsaid.
        quiet = any(reference.root == "secrets" for reference in references(text))
        raise AtomError(
            codes.EVALUATION, f"`{_short(text)}`" + (" failed" if quiet else f": {_short(str(value), 200)}")
        )
    return _as_json(text, value)


def _as_json(text: str, value: Any) -> Json:
    left, seen = [value], 0
    while left:
        each = left.pop()
        seen += 1 + (len(each) if isinstance(each, str) else 0)
        if isinstance(each, list):
            left.extend(each)
        elif isinstance(each, dict) and all(isinstance(key, str) for key in each):
            left.extend(each.values())
        elif not (
            each is None or isinstance(each, bool | int | str) or (isinstance(each, float) and math.isfinite(each))
        ):
            raise AtomError(codes.EVALUATION, f"`{_short(text)}` gives a value that JSON cannot hold")
        if seen > MAX_RESULT:
            raise AtomError(codes.EVALUATION, f"`{_short(text)}` gives more than {MAX_RESULT:,} values and characters")
    return value  # type: ignore[no-any-return]  # what the loop let through is JSON


def _short(text: str, length: int = 80) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."
