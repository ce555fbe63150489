"""Synthetic tokens of every kind are found, and random ordinary text is not taken for one."""

from __future__ import annotations

import random
import re
import string

import pytest

from atomctl.rules.secret_scan import SecretKind, scan
from atomctl.rules.tokens import TOKEN_KINDS, TokenKind

SAMPLES = 60
ATOM = re.compile(r"\[(?P<set>[^\]]+)\]|\\(?P<escape>.)|\((?P<choice>[a-z|]+)\)|(?P<plain>.)")
COUNT = re.compile(r"\{(\d+)(?:,(\d*))?\}|([+*?])")


def expand(characters: str) -> str:
    """The members of a character set such as `A-Za-z0-9_-`."""
    spans = re.findall(r"(.)-(.)", characters)
    alone = re.sub(r".-.", "", characters)
    return alone + "".join(chr(code) for low, high in spans for code in range(ord(low), ord(high) + 1))


def sample(pattern: str, chance: random.Random) -> str:
    """A random text that the pattern describes; the patterns use no more of the syntax than this."""
    out, at = [], 0
    while at < len(pattern):
        atom = ATOM.match(pattern, at)
        assert atom is not None
        at = atom.end()
        count = COUNT.match(pattern, at)
        times = 1
        if count is not None:
            at = count.end()
            times = int(count.group(1)) if count.group(1) else 4
        if atom["escape"] == "b":
            continue
        if atom["choice"]:
            out.append(chance.choice(atom["choice"].split("|")))
        elif atom["set"]:
            out += chance.choices(expand(atom["set"]), k=times)
        else:
            out += (
                chance.choices(string.digits, k=times) if atom["escape"] == "d" else [atom["escape"] or atom["plain"]]
            )
    return "".join(out)


@pytest.mark.parametrize("kind", TOKEN_KINDS, ids=lambda kind: f"{kind.name}-{kind.keyword}")
def test_nearly_all_tokens_of_a_kind_are_found(kind: TokenKind) -> None:
    chance = random.Random(kind.keyword)
    missed = 0
    for _ in range(SAMPLES):
        token = sample(kind.pattern, chance)
        found = scan("a", f"value: '{token}'\n").found
        missed += not any(one.kind is SecretKind.TOKEN for one in found)
    assert missed <= SAMPLES * 0.02


def test_random_words_are_no_tokens() -> None:
    chance = random.Random(1)
    alphabet = string.ascii_letters + string.digits + "_-./:= "
    flagged = sum(bool(scan("a", "".join(chance.choices(alphabet, k=400))).found) for _ in range(500))
    assert flagged <= 2
