"""Which name and version a push is about, before anything of it is believed."""

from __future__ import annotations

import pytest
from tests.fakes.packages import harmless, new_key, signed

from atomctl.errors import AtomError
from atomctl.registry import codes
from atomctl.registry.coordinates import checked, claimed_coordinates, require_same
from atomctl.registry.model import Coordinates
from atomctl.trust.signers.release import sign_blob
from atomctl.wpk.archive import unpack

HELLO = Coordinates("hello", "1.0.0")


def test_a_release_statement_is_asked_first_so_a_broken_archive_can_be_called_tampered() -> None:
    packed = harmless()
    assert claimed_coordinates(b"broken", [signed(new_key(), packed)]) == HELLO


def test_without_a_statement_the_manifest_says_it() -> None:
    packed = harmless()
    assert claimed_coordinates(packed.data, [sign_blob(new_key(), packed.digest), b"not a bundle", b""]) == HELLO


def test_when_neither_can_be_read_the_reason_is_the_archives() -> None:
    with pytest.raises(AtomError) as caught:
        claimed_coordinates(b"broken", [b"{}"])
    assert caught.value.code == codes.NO_COORDINATES


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("Hello", "1.0.0"),
        ("hello_world", "1.0.0"),
        ("-hello", "1.0.0"),
        ("hello\n", "1.0.0"),
        ("", "1.0.0"),
        ("h" * 64, "1.0.0"),
        ("hello/../x", "1.0.0"),
        ("hello", "1.0"),
        ("hello", "v1.0.0"),
        ("hello", "1.0.0\n"),
        ("hello", "01.0.0"),
        ("hello", ""),
    ],
)
def test_a_name_is_a_label_and_a_version_is_semver(name: str, version: str) -> None:
    with pytest.raises(AtomError) as caught:
        checked(Coordinates(name, version))
    assert caught.value.code == codes.NO_COORDINATES


def test_a_package_is_what_it_is_published_as_or_nothing() -> None:
    package = unpack(harmless().data)
    require_same(package, HELLO)
    for other in (Coordinates("hello", "1.0.1"), Coordinates("hallo", "1.0.0")):
        with pytest.raises(AtomError) as caught:
            require_same(package, other)
        assert caught.value.code == codes.COORDINATES
