"""Thresholds count people: whoever they are, however often and with however many keys they sign."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.signing import Author, document, judge, rule

from atomctl.trust.distinct import places_filled
from atomctl.trust.versions import Version

PEOPLE = [Author(name) for name in ("alice", "bob", "carol", "dave")]
SECOND_KEYS = [Author(author.name) for author in PEOPLE]
EVERYBODY = PEOPLE + SECOND_KEYS
KEYS = [author.record() for author in EVERYBODY]
BUNDLES = [author.release() for author in EVERYBODY]
PLACES = st.lists(st.sets(st.sampled_from("abcde"), max_size=4), max_size=5)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, len(EVERYBODY) - 1), max_size=10), st.integers(1, 4))
def test_accepted_exactly_if_enough_different_people_signed(signers: list[int], threshold: int) -> None:
    trust = document(rule(*EVERYBODY, threshold=threshold))
    verdict = judge(*(BUNDLES[n] for n in signers), trust=trust, keys=KEYS)
    people = {EVERYBODY[n].name for n in signers}
    assert verdict.accepted is (len(people) >= threshold)


@settings(deadline=None, max_examples=60)
@given(st.sets(st.integers(0, len(EVERYBODY) - 1)), st.integers(0, len(EVERYBODY) - 1), st.integers(1, 3))
def test_one_more_signature_never_turns_yes_into_no(signers: set[int], more: int, threshold: int) -> None:
    trust = document(rule(*EVERYBODY, threshold=threshold))
    if judge(*(BUNDLES[n] for n in signers), trust=trust, keys=KEYS).accepted:
        assert judge(*(BUNDLES[n] for n in signers | {more}), trust=trust, keys=KEYS).accepted


@settings(deadline=None, max_examples=100)
@given(PLACES)
def test_the_matching_fills_as_many_places_as_trying_everything_does(places: list[set[str]]) -> None:
    best = 0
    for chosen in itertools.product(*([None, *sorted(place)] for place in places)):
        seated = [person for person in chosen if person is not None]
        if len(set(seated)) == len(seated):
            best = max(best, len(seated))
    assert places_filled([sorted(place) for place in places]) == best


PRERELEASE = st.lists(st.from_regex(r"0|[1-9][0-9]?|[a-z][a-z0-9-]?", fullmatch=True), max_size=3)
VERSION = st.builds(
    lambda numbers, words: Version(numbers[0], numbers[1], numbers[2], tuple(words)),
    st.tuples(st.integers(0, 3), st.integers(0, 12), st.integers(0, 3)),
    PRERELEASE,
)


@settings(deadline=None, max_examples=100)
@given(VERSION, VERSION, VERSION)
def test_versions_are_totally_ordered_and_written_as_read(a: Version, b: Version, c: Version) -> None:
    assert Version.parse(str(a)) == a
    assert (a < b) + (b < a) + (a == b) == 1
    if a < b < c:
        assert a < c
