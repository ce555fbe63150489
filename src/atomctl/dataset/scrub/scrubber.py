"""Takes out of a row what must not leave the tenant.

Two passes. The first reads all free texts of the row, in all their encodings, and collects the secrets themselves; the
second removes these from every text in every encoding (`runs.masking`), and replaces what else must not be shown by
what it is: `***` for a secret, `<card>`, and `<email:…>`, `<ip:…>`, `<opaque:…>` with a keyed pseudonym, so that two
rows about the same address can be told to be. The free texts are the parameters, the log and the steps' errors; every
other field of a row is a number, an id or a word of a closed set.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from atomctl.canonical import Json, keyed_digest
from atomctl.dataset.model import Row
from atomctl.dataset.scrub.finders import encoded_words, find
from atomctl.dataset.scrub.policy import TEXT_LIMIT, ScrubPolicy
from atomctl.dataset.scrub.readings import named_in, named_values, readings
from atomctl.dataset.scrub.spans import Kind, Span, merged
from atomctl.rules.secret_scan import names_secret
from atomctl.runs.masking import MASK, Masker
from atomctl.runs.secret_forms import MINIMUM

_MASK = MASK.decode()
_AROUND_MASK = re.compile(r"[A-Za-z0-9+/_-]*\*\*\*[A-Za-z0-9+/_-]*={0,2}")
"""A secret within a longer word of base64 leaves a few characters beside it that it also decided."""
_PSEUDONYM = 12


class Scrubber:
    """Scrubs rows of one tenant under one policy. Pure: the same row gives the same row."""

    def __init__(self, policy: ScrubPolicy) -> None:
        self._policy = policy

    def row(self, row: Row) -> Row:
        """The row without what must not be shown; `row` is not changed."""
        masker = Masker(_maskable([*self.hidden(_free_texts(row)), *named_in(row["parameters"])]))
        return {
            **row,
            **self._parameters(row["parameters"], masker),
            "logs": self._logs(row["logs"], masker),
            "steps": self._steps(row["steps"], masker),
        }

    def hidden(self, texts: Iterable[str]) -> set[str]:
        """The secrets in the texts, however they are encoded there."""
        found: set[str] = set()
        for text in texts:
            for reading in (text, *readings(text)):
                found |= {reading[span.start : span.end] for span in find(reading) if span.kind is Kind.SECRET}
                found.update(named_values(reading))
        return found

    def text(self, text: str, masker: Masker) -> str:
        """The text without the masker's secrets and without whatever else is found in it."""
        text = masker.text(text)
        if _MASK in text:
            text = _AROUND_MASK.sub(_MASK, text)
        shown, position = [], 0
        for span in merged([*find(text), *encoded_words(text)]):
            shown += [text[position : span.start], self._instead(text, span)]
            position = span.end
        return "".join([*shown, text[position:]])

    def _instead(self, text: str, span: Span) -> str:
        if span.kind is Kind.SECRET:
            return _MASK
        if span.kind is Kind.CARD:
            return "<card>"
        value = text[span.start : span.end].lower()
        tag = keyed_digest(self._policy.key, f"{span.kind.value} {value}".encode()).removeprefix("sha256:")
        return f"<{span.kind.value}:{tag[:_PSEUDONYM]}>"

    def _parameters(self, parameters: Json, masker: Masker) -> Row:
        """Those on the list, scrubbed; how many are not is told, their names are not."""
        given = parameters if isinstance(parameters, dict) else {}
        kept: Row = {
            name: self._value(name, value, masker)
            for name, value in given.items()
            if name in self._policy.parameters and not names_secret(name)
        }
        return {"parameters": kept, "parameters_withheld": len(given) - len(kept)}

    def _value(self, name: str, value: Json, masker: Masker) -> Json:
        if isinstance(value, dict):
            return {
                self.text(inner, masker)[:TEXT_LIMIT]: self._value(inner, item, masker) for inner, item in value.items()
            }
        if isinstance(value, list):
            return [self._value(name, item, masker) for item in value]
        if value is None or isinstance(value, bool):
            return value
        if names_secret(name):
            return _MASK
        if isinstance(value, str):
            return self.text(value, masker)[:TEXT_LIMIT]
        scrubbed = self.text(str(value), masker)
        return value if scrubbed == str(value) else scrubbed

    def _logs(self, logs: Json, masker: Masker) -> Json:
        assert isinstance(logs, dict), "the row was validated"
        return {name: self.text(value, masker) if isinstance(value, str) else value for name, value in logs.items()}

    def _steps(self, steps: Json, masker: Masker) -> Json:
        assert isinstance(steps, list), "the row was validated"
        return [self._step(step, masker) for step in steps]

    def _step(self, step: Json, masker: Masker) -> Json:
        assert isinstance(step, dict), "the row was validated"
        error = step["error"]
        return {**step, "error": self.text(error, masker)[:TEXT_LIMIT] if isinstance(error, str) else None}


def _free_texts(row: Row) -> Iterator[str]:
    """What people and programs wrote: the parameters as one text, the log, the errors."""
    yield "\n".join(_texts(row["parameters"]))
    logs, steps = row["logs"], row["steps"]
    assert isinstance(logs, dict), "the row was validated"
    assert isinstance(steps, list), "the row was validated"
    written = [logs["head"], logs["tail"], *(step["error"] for step in steps if isinstance(step, dict))]
    yield from (text for text in written if isinstance(text, str) and text)


def _texts(value: Json) -> Iterator[str]:
    """Every text in the value, names included; numbers too, which may spell a card."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _texts(item)


def _maskable(values: Iterable[str]) -> list[str]:
    """The values that are long enough not to occur by chance, in an order of their own."""
    return sorted({value for value in values if len(value.strip()) >= MINIMUM})
