"""A sealed version opens at its own place with its own key, and nowhere else and in no other form."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomctl.errors import AtomError
from atomctl.secrets import codes
from atomctl.secrets.paths import Location, locate
from atomctl.secrets.sealing import Content, seal, unseal

KEY = bytes(range(32))
TENANT, OTHER = UUID(int=1), UUID(int=2)
PLACE = locate("secret", TENANT, "db/main")
CREATED = datetime(2026, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
VALUES = st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,7}", fullmatch=True), TEXTS, min_size=1, max_size=4)


@given(VALUES, st.integers(1, 10**6))
@settings(deadline=None, max_examples=60)
def test_what_was_sealed_is_what_is_opened(values: dict[str, str], version: int) -> None:
    content = Content(CREATED, values)
    sealed = seal(KEY, PLACE, version, content)
    assert unseal(KEY, PLACE, version, sealed) == content
    assert seal(KEY, PLACE, version, content) != sealed


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_a_changed_byte_is_noticed_wherever_it_is(data: st.DataObject) -> None:
    sealed = bytearray(seal(KEY, PLACE, 1, Content(CREATED, {"a": "value"})))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(AtomError) as caught:
        unseal(KEY, PLACE, 1, bytes(sealed))
    assert caught.value.code is codes.DAMAGED


@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda tail: b"ATOMSEC1" + tail))
@settings(deadline=None, max_examples=100)
def test_bytes_that_nobody_sealed_are_refused(data: bytes) -> None:
    with pytest.raises(AtomError) as caught:
        unseal(KEY, PLACE, 1, data)
    assert caught.value.code is codes.DAMAGED


@pytest.mark.parametrize(
    ("key", "place", "version"),
    [
        (bytes(32), PLACE, 1),
        (KEY, PLACE, 2),
        (KEY, locate("secret", OTHER, "db/main"), 1),
        (KEY, locate("secret", TENANT, "db/other"), 1),
        (KEY, locate("kv", TENANT, "db/main"), 1),
    ],
)
def test_a_version_does_not_open_in_another_place(key: bytes, place: Location, version: int) -> None:
    sealed = seal(KEY, PLACE, 1, Content(CREATED, {"a": "value"}))
    with pytest.raises(AtomError) as caught:
        unseal(key, place, version, sealed)
    assert caught.value.code is codes.DAMAGED
