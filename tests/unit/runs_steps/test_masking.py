from __future__ import annotations

import base64
import json
import urllib.parse

import pytest

from atomctl.errors import AtomError
from atomctl.runs.masking import Masker
from atomctl.runs.steps import codes

SECRET = 'hunter2-"geheim"/äöü'


def masked(masker: Masker, *chunks: bytes) -> bytes:
    return b"".join(masker.feed(chunk) for chunk in chunks) + masker.flush()


def test_a_secret_becomes_three_stars() -> None:
    assert masked(Masker(["swordfish"]), b"the password is swordfish!\n") == b"the password is ***!\n"


def test_text_without_a_secret_passes_unchanged_and_at_once() -> None:
    masker = Masker(["swordfish"])
    assert masker.feed(b"line one\n\nline two\r\n") == b"line one\n\nline two\r\n"
    assert masker.flush() == b""


def test_only_what_may_become_a_secret_is_held_back() -> None:
    masker = Masker(["swordfish"])
    assert masker.feed(b"a sword") == b"a "
    assert masker.feed(b" is sharp") == b"sword is sharp"


def test_a_secret_cut_into_single_bytes_is_masked() -> None:
    text = b"x swordfish y"
    assert masked(Masker(["swordfish"]), *(text[i : i + 1] for i in range(len(text)))) == b"x *** y"


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        json.dumps({"log": json.dumps(SECRET)}),
        urllib.parse.quote(SECRET),
        urllib.parse.quote(SECRET, safe="").lower(),
        urllib.parse.quote_plus(SECRET),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        repr(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_every_encoding_of_a_secret_is_masked(shown: str) -> None:
    out = masked(Masker([SECRET]), f"before {shown} after".encode())
    assert b"***" in out
    assert b"hunter2" not in out
    assert out.startswith(b"before ")
    assert out.endswith(b" after")


@pytest.mark.parametrize("alignment", range(3))
@pytest.mark.parametrize("width", [76, 64, 5])
def test_base64_is_found_at_any_alignment_and_any_line_width(alignment: int, width: int) -> None:
    whole = base64.b64encode(b"#" * alignment + b"correct horse battery staple" * 3 + b"tail").decode()
    wrapped = "\n".join(whole[i : i + width] for i in range(0, len(whole), width))
    out = masked(Masker(["correct horse battery staple"]), wrapped.encode())
    kept = out.replace(b"***", b"").replace(b"\n", b"")
    assert len(kept) < 14  # what the secret's neighbours decide, and the tail


def test_each_line_of_a_key_is_masked_even_when_it_is_indented() -> None:
    pem = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nefghijklmnopqrstuvwxyz0123\n-----END KEY-----\n"
    out = masked(Masker([pem]), b"  key: |\n    MIIEvQIBADANBgkqhkiG9w0BAQ\n    efghijklmnopqrstuvwxyz0123\n")
    assert out == b"  key: |\n    ***\n    ***\n"


def test_overlapping_secrets_leave_nothing_of_either() -> None:
    assert masked(Masker(["abcdefgh", "efghijkl"]), b"-abcdefghijkl-") == b"-***-"


def test_an_endless_run_of_a_secrets_own_bytes_is_one_mask_and_holds_nothing_back() -> None:
    masker = Masker(["aaaaaa"])
    out = b"".join(masker.feed(b"a" * 1000) for _ in range(100))
    assert out + masker.flush() == b"***"


@pytest.mark.parametrize("secret", ["", "12345", " abcd  "])
def test_a_secret_too_short_to_be_masked_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(AtomError) as caught:
        Masker([secret])
    assert caught.value.code is codes.SHORT_SECRET
    assert "12345" not in caught.value.why


def test_json_is_masked_in_values_in_names_and_in_numbers_that_spell_a_secret() -> None:
    masker = Masker(["123456789", "swordfish"])
    value = masker.json({"swordfish": [1, 123456789, True, None, 1.5], "b": "x swordfish", "c": {"d": "ok"}})
    assert value == {"***": [1, "***", True, None, 1.5], "b": "x ***", "c": {"d": "ok"}}


def test_the_copy_for_another_stream_shares_the_secrets_and_not_the_state() -> None:
    first = Masker(["swordfish"])
    second = first.fork()
    assert first.feed(b"sword") == b""
    assert second.feed(b"fish") == b"fish"
    assert first.feed(b"fish") + first.flush() == b"***"
