"""CEL conditions, and templates that put values into fields as data.

An activation is what expressions read: `params` (the run's parameters), `steps` (per handler its `state` and its
`outputs`), `run` (its `id`, `workflow` and `version`), and where they are allowed `secrets` and `response`. There is no
clock, no randomness and no input or output in an expression: the same activation gives the same result.
"""

from __future__ import annotations

from dataclasses import dataclass

from atomctl.canonical import Json, canonical_json
from atomctl.errors import AtomError
from atomctl.wpk import cel_engine, codes
from atomctl.wpk.cel_engine import Activation
from atomctl.wpk.cel_text import Reference, references
from atomctl.wpk.templates import has_template, split, strings

__all__ = ["Condition", "Reference", "as_text", "check", "references", "render", "template_references"]


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
        cel_engine.compiled(text)
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
        result = cel_engine.evaluate(self.text, activation)
        if not isinstance(result, bool):
            raise AtomError(codes.EVALUATION, f"`{self.text}` must be true or false")
        return result


def check(text: str) -> None:
    """Refuses what is not CEL, whatever its result type.

    Raises:
        AtomError: WPK118.
    """
    cel_engine.compiled(text)


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
        return cel_engine.evaluate(template.whole, activation)
    return "".join(
        part if kind == "text" else as_text(cel_engine.evaluate(part, activation)) for kind, part in template.parts
    )
