"""Canonical JSON is one byte string per value, and digests are written one way."""

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from atomctl import canonical

# An integral float from 2**53 on is written as RFC 8785 says, but reads back as an integer nobody may write again.
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-(2.0**53) + 1, 2.0**53 - 1)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_canonical_json_reads_back_as_the_same_value(value: object) -> None:
    assert json.loads(canonical.canonical_json(value)) == value


@given(st.dictionaries(st.text(), st.integers(0, 9)))
def test_the_order_of_keys_does_not_matter(value: dict[str, int]) -> None:
    turned = dict(reversed(list(value.items())))
    assert canonical.digest_json(value) == canonical.digest_json(turned)


@given(values)
def test_the_fast_path_writes_what_the_reference_writes(value: object) -> None:
    assert canonical.canonical_json(value) == rfc8785.dumps(value)  # type: ignore[arg-type]  # any JSON value


@given(st.text(), st.text())
def test_a_lone_surrogate_is_refused_on_both_paths(left: str, right: str) -> None:
    for value in ([f"{left}\ud800{right}"], [f"{left}\ud800{right}", 1.5]):
        with pytest.raises(ValueError, match=r".+"):
            canonical.canonical_json(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, {1: 2}, {"a": object()}])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        canonical.canonical_json(value)


def test_the_published_vector_of_rfc_8785_comes_out_byte_for_byte() -> None:
    """RFC 8785, section 3.2.2 and 3.2.3."""
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": '€$\u000f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    expected = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert canonical.canonical_json(value).decode() == expected


@given(st.binary(max_size=300), st.integers(1, 50))
def test_a_digest_does_not_depend_on_how_the_bytes_arrive(data: bytes, size: int) -> None:
    chunks = [data[i : i + size] for i in range(0, len(data), size)]
    assert canonical.digest_chunks(chunks) == canonical.digest(data)
    assert canonical.parse_digest(canonical.digest(data)) == canonical.digest(data)
    assert canonical.raw_digest(canonical.digest(data)) == canonical.sha256(data)


@pytest.mark.parametrize(
    "text", ["", "sha256:", "sha256:" + "g" * 64, "SHA256:" + "a" * 64, "sha256:" + "A" * 64, "a" * 64]
)
def test_what_is_not_written_as_a_digest_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a digest"):
        canonical.parse_digest(text)
