from __future__ import annotations

import itertools

import pytest

from atomctl.trust.versions import Version


def test_the_specifications_own_chain_is_in_order() -> None:
    before = ["alpha", "alpha.1", "alpha.beta", "beta", "beta.2", "beta.11", "rc.1"]
    chain = [f"1.0.0-{word}" for word in before] + ["1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0-0", "2.0.0"]
    for lower, higher in itertools.pairwise(chain):
        assert Version.parse(lower) < Version.parse(higher), (lower, higher)


def test_build_metadata_does_not_count() -> None:
    assert Version.parse("1.2.3+build.5") == Version.parse("1.2.3")


@pytest.mark.parametrize(
    "text", ["", "1", "1.2", "01.2.3", "1.2.3-", "1.2.3-01", "v1.2.3", "1.2.3 ", "1.2.3+", "1.2.3-a..b", "1.2.3\n"]
)
def test_what_is_not_a_semantic_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a semantic version"):
        Version.parse(text)


def test_an_endless_version_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="not a semantic version"):
        Version.parse("1.2.3-" + "a." * 100_000)


@pytest.mark.parametrize("text", ["1.2.3", "0.0.0-rc.1", "10.20.30-a-b.7"])
def test_a_version_is_written_as_it_was_read(text: str) -> None:
    assert str(Version.parse(text)) == text
