"""Turns what the schema validator found into errors with a place and a remedy.

The messages are built here, not taken from the validator: its own quote the offending value, and that may be a secret
somebody wrote into the manifest by mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from atomctl.errors import AtomError, Code
from atomctl.wpk import codes
from atomctl.wpk.positions import Position

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

Path = tuple[str | int, ...]

_TYPES: Final = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "nothing",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing the schema refuses, and where in the document."""

    code: Code
    path: Path
    why: str
    hint: str | None = None

    def error(self, where: Position | str, *, others: int = 0) -> AtomError:
        """The refusal as an error; `where` is the file position, or what stands for it."""
        more = f" (and {others} more)" if others else ""
        return AtomError(self.code, f"{where}: {self.why}{more}", hint=self.hint)


def refusals(errors: Iterable[ValidationError], schema: Any) -> list[Refusal]:
    """What the validator of `schema` found, one refusal per unknown field and per other error."""
    return [refusal for error in errors for refusal in _refusals(error, schema)]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, if one is like it at all; case and `-`/`_` do not count."""
    from difflib import get_close_matches

    plain = {_plain(each): each for each in sorted(known)}
    found = get_close_matches(_plain(word), plain, n=1, cutoff=0.6)
    return plain[found[0]] if found else None


def dotted(path: Sequence[str | int]) -> str:
    """A path as people write it: `spec.handlers[2].config.url`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".") or "the document"


def _plain(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "")


def _refusals(error: ValidationError, schema: Any) -> list[Refusal]:
    path, kind = tuple(error.instance_path), type(error.kind).__name__
    place = _at(schema, error.schema_path[:-1])
    if kind == "AdditionalProperties":
        return [_unknown(path, str(name), place) for name in error.kind.value]
    if kind == "Required":
        return [Refusal(codes.MISSING_FIELD, path, f"{dotted(path)} lacks `{error.kind.value}`")]
    if path in {("apiVersion",), ("kind",)}:
        return [Refusal(codes.UNSUPPORTED_VERSION, path, f"{path[0]} is not one this version reads")]
    say = _SAYINGS.get(kind)
    why = say(error, place) if say else _described(place)
    hint = "write it in quotes to make it text" if kind == "Type" and _wants_text(error) else None
    return [Refusal(codes.WRONG_VALUE, path, f"{dotted(path)} {why}", hint)]


def _unknown(path: Path, name: str, place: Any) -> Refusal:
    known = [*place.get("properties", {})]
    guess = nearest(name, known)
    why = f"unknown field `{name}` in {dotted(path)}" + (f"; did you mean `{guess}`?" if guess else "")
    listed = ", ".join(f"`{each}`" for each in known)
    return Refusal(
        codes.UNKNOWN_FIELD, (*path, name), why, f"known here: {listed}" if known else "nothing is known here"
    )


def _at(schema: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        schema = schema[step]
    return schema


def _wants_text(error: ValidationError) -> bool:
    return "string" in error.kind.value and not isinstance(error.instance, list | dict | None)


def _type(error: ValidationError, _place: Any) -> str:
    wanted = " or ".join(_TYPES[name] for name in sorted(error.kind.value))
    return f"must be {wanted}, not {_TYPES[_type_of(error.instance)]}"


def _type_of(value: object) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _choice(error: ValidationError, _place: Any) -> str:
    options = error.kind.value if isinstance(error.kind.value, list) else [error.kind.value]
    listed = ", ".join(f"`{option}`" for option in options)
    guess = nearest(error.instance, map(str, options)) if isinstance(error.instance, str) else None
    return f"must be one of {listed}" + (f"; did you mean `{guess}`?" if guess and len(options) > 1 else "")


def _any_of(_error: ValidationError, place: Any) -> str:
    branches = [branch.get("required", []) for branch in place["anyOf"]]
    return "needs " + " or ".join(f"`{name}`" for names in branches for name in names)


def _described(place: Any) -> str:
    """For patterns and the like: what the schema says the value is."""
    description = place.get("description") if isinstance(place, dict) else None
    return f"does not fit: {description}" if description else "has a form that is not allowed here"


_SAYINGS: Final[dict[str, Callable[[Any, Any], str]]] = {
    "Type": _type,
    "Enum": _choice,
    "Constant": _choice,
    "AnyOf": _any_of,
    "FalseSchema": lambda _error, _place: "does not go together with the other fields here",
    "Minimum": lambda error, _place: f"must be at least {error.kind.value}",
    "Maximum": lambda error, _place: f"must be at most {error.kind.value}",
    "MinItems": lambda error, _place: f"must have at least {error.kind.value} entries",
    "MaxItems": lambda error, _place: f"must have at most {error.kind.value} entries",
    "MinProperties": lambda error, _place: f"must have at least {error.kind.value} entries",
    "MaxProperties": lambda error, _place: f"must have at most {error.kind.value} entries",
    "MinLength": lambda error, _place: f"must have at least {error.kind.value} characters",
    "MaxLength": lambda error, _place: f"must have at most {error.kind.value} characters",
    "UniqueItems": lambda _error, _place: "has an entry twice",
    "PropertyNames": lambda _error, _place: "has a name that is not allowed here",
}
