"""Objects in a real S3 server: written once, read whole, and every failure by its own name."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.servers.s3 import S3Server

from atomctl.canonical import digest
from atomctl.errors import AtomError, Code
from atomctl.objects import codes
from atomctl.objects.s3 import DIGEST, S3Store
from atomctl.objects.s3_client import S3Place

KEY = "packages/ab/abcdef"
Places = Callable[..., S3Place]


def _refusal(code: Code, action: Callable[[], object]) -> AtomError:
    with pytest.raises(AtomError) as caught:
        action()
    assert caught.value.code is code, caught.value
    return caught.value


def test_what_was_put_comes_back(store: S3Store) -> None:
    assert not store.exists(KEY)
    store.put(KEY, b"bytes")
    assert store.exists(KEY)
    assert store.get(KEY) == b"bytes"
    assert not store.exists("packages/ab")


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
def test_objects_of_any_size_come_back(store: S3Store, size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    store.put(KEY, data)
    assert store.get(KEY) == data


def test_the_same_bytes_again_are_a_success_and_others_a_conflict(store: S3Store) -> None:
    store.put(KEY, b"bytes")
    store.put(KEY, b"bytes")
    _refusal(codes.CONFLICT, lambda: store.put(KEY, b"others"))
    assert store.get(KEY) == b"bytes"


def test_of_many_writers_of_one_key_one_wins_and_the_others_see_what_it_wrote(store: S3Store) -> None:
    start = threading.Barrier(6)

    def write(number: int) -> bool:
        start.wait(10)
        try:
            store.put(KEY, b"writer %d" % number)
        except AtomError as error:
            return error.code is not codes.CONFLICT
        return True

    with ThreadPoolExecutor(6) as threads:
        won = [number for number, good in enumerate(threads.map(write, range(6))) if good]
    assert len(won) == 1
    assert store.get(KEY) == b"writer %d" % won[0]


def test_keys_are_listed_in_the_order_of_their_bytes(store: S3Store) -> None:
    for name in ("b", "a/2", "a/10", "a-1"):
        store.put(name, b"")
    assert list(store.keys("")) == ["a-1", "a/10", "a/2", "b"]
    assert list(store.keys("a/")) == ["a/10", "a/2"]
    assert list(store.keys("a/", after="a/10")) == ["a/2"]
    assert list(store.keys("none/")) == []


def test_nothing_under_a_key_is_missing(store: S3Store) -> None:
    _refusal(codes.MISSING, lambda: store.get(KEY))


@pytest.mark.parametrize("key", ["", "/a", "../a", "a//b", "a/.hidden"])
def test_what_is_no_key_is_never_sent(store: S3Store, key: str) -> None:
    for action in (lambda: store.get(key), lambda: store.exists(key), lambda: store.put(key, b"")):
        _refusal(codes.BAD_KEY, action)


def test_an_object_changed_behind_the_server_is_corrupt(store: S3Store, s3: S3Server) -> None:
    store.put(KEY, b"bytes")
    file = s3.folder / "objects" / store.place.bucket / KEY
    file.write_bytes(b"bytez")
    _refusal(codes.CORRUPT, lambda: store.get(KEY))
    _refusal(codes.CORRUPT, lambda: store.put(KEY, b"bytes"))


def test_an_object_somebody_else_wrote_is_not_ours(store: S3Store, s3: S3Server) -> None:
    client = s3.client()
    client.put_object(Bucket=store.place.bucket, Key=KEY, Body=b"theirs")
    _refusal(codes.NONSENSE, lambda: store.get(KEY))
    client.put_object(Bucket=store.place.bucket, Key=KEY, Body=b"theirs", Metadata={DIGEST: digest(b"ours")})
    _refusal(codes.CORRUPT, lambda: store.get(KEY))
    client.close()


def test_a_missing_bucket_has_its_own_name_everywhere(place: Places) -> None:
    store = S3Store(place(bucket="never-made"))
    for action in (lambda: store.get(KEY), lambda: store.exists(KEY), lambda: store.put(KEY, b"")):
        _refusal(codes.NO_BUCKET, action)


@pytest.mark.parametrize("wrong", ["access_key", "secret_key"])
def test_wrong_credentials_are_refused_and_not_repeated_in_the_message(place: Places, wrong: str) -> None:
    store = S3Store(place(**{wrong: "not-the-right-one"}))
    for action in (lambda: store.get(KEY), lambda: store.exists(KEY), lambda: store.put(KEY, b"")):
        error = _refusal(codes.REFUSED, action)
        assert "not-the-right-one" not in f"{error} {error.hint}"


def test_an_address_that_is_none_is_a_setting_to_correct(place: Places) -> None:
    _refusal(codes.INCOMPLETE, lambda: S3Store(place(endpoint="not an address")).get(KEY))


def test_a_server_that_is_gone_is_unavailable_and_back_again_it_is_used(tmp_path: Path) -> None:
    with S3Server(tmp_path) as server:
        keys = {"access_key": server.access_key, "secret_key": server.secret_key}
        bucket = server.create_bucket("objects")
        store = S3Store(S3Place(bucket=bucket, endpoint=server.endpoint, timeout=1.0, attempts=1, **keys))
        store.put(KEY, b"bytes")
        server.stop()
        for action in (lambda: store.get(KEY), lambda: store.exists(KEY), lambda: store.put("b", b"")):
            _refusal(codes.UNAVAILABLE, action)
        server.start()
        assert store.get(KEY) == b"bytes"
        server.pause()
        _refusal(codes.UNAVAILABLE, lambda: store.put("c", b"slow"))
        server.resume()
        store.put("c", b"slow")
        assert store.get("c") == b"slow"
