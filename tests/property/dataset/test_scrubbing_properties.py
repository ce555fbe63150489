"""No text and no encoding lets a secret through, and scrubbing is a function."""

import base64
import json
import string
import urllib.parse

from hypothesis import given, settings
from hypothesis import strategies as st

from atomctl.dataset.scrub.finders import luhn
from atomctl.dataset.scrub.policy import ScrubPolicy
from atomctl.dataset.scrub.scrubber import Scrubber
from atomctl.runs.masking import Masker

SCRUBBER = Scrubber(ScrubPolicy(bytes(32)))
ALPHABET = string.ascii_letters + string.digits
TOKENS = st.text(ALPHABET, min_size=36, max_size=36).filter(lambda text: len(set(text)) > 12).map("ghp_".__add__)
AROUND = st.text(max_size=60)
ENCODINGS = [
    lambda text: text,
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: base64.b64encode(b"ab" + text.encode() + b"c").decode(),
    lambda text: text.encode().hex(),
    lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    lambda text: "".join(f"\\u{ord(char):04X}" for char in text),
    lambda text: json.dumps({"deep": json.dumps(text)}),
    lambda text: urllib.parse.quote(base64.b64encode(text.encode()).decode()),
]


def scrubbed(text: str) -> str:
    values = sorted(value for value in SCRUBBER.hidden([text]) if len(value.strip()) >= 6)
    return SCRUBBER.text(text, Masker(values))


@given(token=TOKENS, before=AROUND, after=AROUND, encode=st.sampled_from(ENCODINGS))
@settings(max_examples=100, deadline=None)
def test_a_token_goes_whatever_stands_around_it(token: str, before: str, after: str, encode) -> None:  # type: ignore[no-untyped-def]  # one of ENCODINGS
    form = encode(token)
    left = scrubbed(f"{before} {form} {after}")
    assert form not in left
    assert token[4:20] not in left


@given(st.text(max_size=400))
@settings(max_examples=100, deadline=None)
def test_any_text_comes_out_the_same_each_time_and_twice_is_once(text: str) -> None:
    once = scrubbed(text)
    assert once == scrubbed(text)
    assert scrubbed(once) == once


@given(st.text(string.digits, min_size=12, max_size=18))
@settings(max_examples=100, deadline=None)
def test_every_number_with_its_check_digit_is_a_card(digits: str) -> None:
    number = next(digits + check for check in string.digits if luhn(digits + check))
    assert scrubbed(f"paid by {number} today") == "paid by <card> today"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=30),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
        max_leaves=12,
    )
)
@settings(max_examples=100, deadline=None)
def test_whatever_json_the_parameters_are_they_stay_json(value: object) -> None:
    row = SCRUBBER.row(
        {"parameters": {"service": value}, "logs": {"head": "", "tail": ""}, "steps": []}  # type: ignore[dict-item]  # JSON
    )
    assert json.loads(json.dumps(row)) == row
