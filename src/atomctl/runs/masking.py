"""Takes secrets out of a stream of bytes, however the stream is cut and however the secret was encoded on the way.

A net, not a wall: it knows the encodings of `secret_forms`. What a step encrypts, compresses or spells differently
passes. Line ends are looked past, so base64 wrapped at 76 columns is found.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from functools import cached_property

import ahocorasick

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.runs.secret_forms import MINIMUM, forms
from atomctl.runs.steps import codes

MASK = b"***"
_LINE_ENDS = b"\r\n"
_LINE_END = re.compile(rb"[\r\n]")
_PROBE = 6


class Patterns:
    """The forms of all secrets, ready to be searched for. Shared by the maskers of one run; never changes.

    Args:
        secrets: the values; text, as a step gets them.

    Raises:
        AtomError: RUN663 a secret has fewer than 6 characters.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._automaton = ahocorasick.Automaton()
        self.longest = 0
        for secret in secrets:
            if len(secret) < MINIMUM or len(secret.strip()) < MINIMUM:
                raise AtomError(codes.SHORT_SECRET, f"a secret has fewer than {MINIMUM} characters")
            for form in forms(secret):
                self._automaton.add_word(form.decode("latin-1"), len(form))
                self.longest = max(self.longest, len(form))
        if self.longest:
            self._automaton.make_automaton()

    def spans(self, text: str, covered: int) -> list[tuple[int, int]]:
        """Where secrets are in `text`, merged where they overlap; the first `covered` characters are one already."""
        found = [(0, covered)] if covered else []
        found += [(end + 1 - length, end + 1) for end, length in self._automaton.iter(text)]
        found.sort()
        merged: list[tuple[int, int]] = []
        for start, end in found:
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged

    def open_end(self, text: str) -> int:
        """Where the longest end of `text` begins that a secret could begin with; its length if there is none."""
        for start in range(max(0, len(text) - self.longest + 1), len(text)):
            # A short look first: nearly every start is wrong, and copying long ends is what would cost.
            if self._automaton.match(text[start : start + _PROBE]) and self._automaton.match(text[start:]):
                return start
        return len(text)


class Masker:
    """Replaces each secret in one stream by `***`. Holds back only what may still become a secret.

    Args:
        secrets: the values, or patterns made of them before.

    Raises:
        AtomError: RUN663 a secret has fewer than 6 characters.
    """

    def __init__(self, secrets: Iterable[str] | Patterns) -> None:
        self._patterns = secrets if isinstance(secrets, Patterns) else Patterns(secrets)
        self._held = b""
        self._covered = 0
        """How many characters at the head of `_held` belong to a secret for which `***` was written already."""

    def fork(self) -> Masker:
        """A masker with the same secrets for another stream."""
        return Masker(self._patterns)

    def feed(self, data: bytes) -> bytes:
        """What can be shown now that `data` has come."""
        if not self._patterns.longest:
            return data
        return self._advance(self._held + data, final=False)

    def flush(self) -> bytes:
        """The rest; the masker can be used for another stream afterwards."""
        rest = self._advance(self._held, final=True) if self._held else b""
        self._held, self._covered = b"", 0
        return rest

    def text(self, text: str) -> str:
        """`text` without the secrets."""
        masker = self.fork()
        raw = text.encode(errors="surrogatepass")
        return (masker.feed(raw) + masker.flush()).decode(errors="replace")

    def json(self, value: Json) -> Json:
        """`value` without the secrets: in texts, names, and numbers that spell one."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.json(item) for item in value]
        if isinstance(value, dict):
            return {self.text(name): self.json(item) for name, item in value.items()}
        if isinstance(value, bool) or value is None:
            return value
        return value if self.text(str(value)) == str(value) else MASK.decode()

    def _advance(self, data: bytes, *, final: bool) -> bytes:
        """Shows `data` up to where a secret may still be open, and holds the rest."""
        squeezed = data.translate(None, _LINE_ENDS).decode("latin-1")
        places = _Places(data)
        cut = len(squeezed) if final else self._patterns.open_end(squeezed)
        shown, position, covered = [], 0, 0
        for start, end in self._patterns.spans(squeezed, self._covered):
            if start >= cut:
                break
            shown.append(data[position : places.of(start)])
            if start > 0 or not self._covered:
                shown.append(MASK)
            covered = max(0, end - cut)
            position = places.after(min(end, cut))
        edge = len(data) if cut == len(squeezed) else max(position, places.of(cut))
        shown.append(data[position:edge])
        self._held, self._covered = data[edge:], covered
        return b"".join(shown)


class _Places:
    """From positions in the text without line ends back to positions in the bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @cached_property
    def _ends(self) -> list[int]:
        """For each line end, how many other characters come before it. Most chunks hold no secret and need none."""
        return [found.start() - earlier for earlier, found in enumerate(_LINE_END.finditer(self._data))]

    def of(self, position: int) -> int:
        """Where the character `position` is; the end of the bytes for the one after the last."""
        return min(position + bisect_right(self._ends, position), len(self._data))

    def after(self, position: int) -> int:
        """Right behind the character before `position`."""
        return position + bisect_right(self._ends, position - 1) if position else 0
