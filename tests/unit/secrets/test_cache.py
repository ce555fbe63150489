import threading
from datetime import timedelta
from uuid import UUID

import pytest
from tests.fakes.secret_store import FakeStore

from atomctl.errors import AtomError, Code
from atomctl.secrets import codes
from atomctl.secrets.cache import CachedSource

TENANT, OTHER = UUID(int=1), UUID(int=2)


@pytest.fixture
def store() -> FakeStore:
    store = FakeStore()
    store.write(TENANT, "db", {"password": "first-value"}, expected_version=0)
    return store


def memory(store: FakeStore, most: int = 10) -> CachedSource:
    return CachedSource(store, now=lambda: store.now, most=most)


def refused(source: CachedSource, tenant: UUID = TENANT, path: str = "db") -> Code:
    with pytest.raises(AtomError) as caught:
        source.read(tenant, path)
    return caught.value.code


def test_a_store_that_answers_is_asked_every_time(store: FakeStore) -> None:
    source = memory(store)
    assert source.read(TENANT, "db").values == {"password": "first-value"}
    store.write(TENANT, "db", {"password": "second-value"}, expected_version=1)
    found = source.read(TENANT, "db")
    assert (found.version, found.values, found.fresh) == (2, {"password": "second-value"}, True)


@pytest.mark.parametrize("away", [codes.DOWN, codes.SLOW, codes.SERVER_ERROR])
def test_a_store_that_is_away_is_outlived_for_five_minutes_and_no_longer(store: FakeStore, away: Code) -> None:
    source = memory(store)
    source.read(TENANT, "db")
    store.failing = away
    store.now += timedelta(minutes=4, seconds=59)
    found = source.read(TENANT, "db")
    assert (found.values, found.fresh) == ({"password": "first-value"}, False)
    store.now += timedelta(seconds=1)
    assert refused(source) is away
    assert source.expire() == 0


def test_a_short_lease_ends_what_is_kept_sooner(store: FakeStore) -> None:
    store.lease = timedelta(seconds=30)
    source = memory(store)
    source.read(TENANT, "db")
    store.failing = codes.DOWN
    store.now += timedelta(seconds=29)
    assert not source.read(TENANT, "db").fresh
    store.now += timedelta(seconds=1)
    assert refused(source) is codes.DOWN


@pytest.mark.parametrize(
    "said", [codes.SEALED, codes.DENIED, codes.NOT_FOUND, codes.EXPIRED, codes.NONSENSE, codes.WRAPPED_USED]
)
def test_a_store_that_refuses_has_the_last_word_and_is_remembered(store: FakeStore, said: Code) -> None:
    source = memory(store)
    source.read(TENANT, "db")
    store.failing = said
    assert refused(source) is said
    store.failing = codes.DOWN
    assert refused(source) is codes.DOWN


def test_what_was_never_read_is_not_in_memory(store: FakeStore) -> None:
    source = memory(store)
    source.read(TENANT, "db")
    store.failing = codes.DOWN
    assert refused(source, OTHER) is codes.DOWN
    assert refused(source, TENANT, "other") is codes.DOWN


def test_memory_is_bounded_and_forgets_what_was_read_longest_ago(store: FakeStore) -> None:
    source = memory(store, most=3)
    for name in "abcd":
        store.write(TENANT, name, {"password": f"value-of-{name}"}, expected_version=0)
        source.read(TENANT, name)
    assert source.expire() == 3
    store.failing = codes.DOWN
    assert refused(source, TENANT, "a") is codes.DOWN
    assert source.read(TENANT, "b").values == {"password": "value-of-b"}


def test_a_write_makes_memory_forget_every_spelling_of_the_path(store: FakeStore) -> None:
    source = memory(store)
    source.read(TENANT, "db")
    source.read(TENANT, f"secret/{TENANT}/db")
    source.write(TENANT, "db", {"password": "second-value"}, expected_version=1)
    store.failing = codes.DOWN
    assert refused(source) is codes.DOWN
    assert refused(source, TENANT, f"secret/{TENANT}/db") is codes.DOWN


def test_when_the_process_ends_nothing_is_kept(store: FakeStore) -> None:
    source = memory(store)
    source.read(TENANT, "db")
    stop = threading.Event()
    stop.set()
    source.keep(stop)
    assert source.expire() == 0
    source.read(TENANT, "db")
    source.close()
    assert store.closed
    assert source.expire() == 0
