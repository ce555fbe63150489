from __future__ import annotations

import base64
import json
import random
import urllib.parse

from hypothesis import given, settings
from hypothesis import strategies as st

from atomctl.runs.masking import Masker

printable = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["Cs", "Cc", "Zs"]), min_size=6
)
secrets = printable.filter(lambda text: len(text) <= 200 and len(set(text)) > 2)
noise = st.binary(max_size=2000)


def chunks_of(data: bytes, seed: int, low: int, high: int) -> list[bytes]:
    chance, pieces, at = random.Random(seed), [], 0
    while at < len(data):
        size = chance.randint(low, high)
        pieces.append(data[at : at + size])
        at += size
    return pieces


def run(masker: Masker, pieces: list[bytes]) -> bytes:
    return b"".join(masker.feed(piece) for piece in pieces) + masker.flush()


def squeezed(data: bytes) -> bytes:
    return data.replace(b"\n", b"").replace(b"\r", b"")


def shapes(secret: str) -> list[bytes]:
    raw = secret.encode()
    return [
        raw,
        raw.hex().encode(),
        raw.hex().upper().encode(),
        json.dumps(secret)[1:-1].encode(),
        urllib.parse.quote(secret, safe="").encode(),
    ]


@settings(max_examples=100, deadline=None)
@given(secrets, noise, noise, st.integers(0, 2**32), st.sampled_from([(1, 3), (64, 64), (1, 500), (65536, 65536)]))
def test_no_form_of_a_secret_gets_through_however_the_stream_is_cut(
    secret: str, before: bytes, after: bytes, seed: int, sizes: tuple[int, int]
) -> None:
    for shape in shapes(secret):
        out = run(Masker([secret]), chunks_of(before + shape + after, seed, *sizes))
        assert squeezed(shape) not in squeezed(out)
        assert b"***" in out


@settings(max_examples=60, deadline=None)
@given(secrets, noise, noise, st.integers(0, 2**32), st.sampled_from([0, 76, 64, 11]))
def test_no_base64_of_a_secret_gets_through_at_any_alignment_or_line_width(
    secret: str, before: bytes, after: bytes, seed: int, width: int
) -> None:
    raw = secret.encode()
    text = base64.b64encode(before + raw + after)
    first, last = -(-8 * len(before) // 6), 8 * (len(before) + len(raw)) // 6
    decided = text[first:last]
    if width:
        text = b"\n".join(text[at : at + width] for at in range(0, len(text), width))
    out = run(Masker([secret]), chunks_of(text, seed, 1, 200))
    assert decided not in squeezed(out)
    assert b"***" in out


@settings(max_examples=100, deadline=None)
@given(st.lists(secrets, max_size=3), noise, st.integers(0, 2**32))
def test_the_cut_of_a_stream_never_shows_in_what_comes_out(found: list[str], data: bytes, seed: int) -> None:
    data = data + b"".join(secret.encode() for secret in found) + data
    masker = Masker(found)
    assert run(masker.fork(), chunks_of(data, seed, 1, 70)) == run(masker.fork(), [data])


@settings(max_examples=100, deadline=None)
@given(noise, st.integers(0, 2**32))
def test_what_holds_no_secret_comes_out_as_it_went_in(data: bytes, seed: int) -> None:
    assert run(Masker(["\u0123secret\u0124secret"]), chunks_of(data, seed, 1, 70)) == data
