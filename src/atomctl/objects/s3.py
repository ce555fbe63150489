"""Objects in a bucket of an S3 server: each written once, under the condition that nothing is there."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from atomctl.canonical import digest, raw_digest, sha256
from atomctl.errors import AtomError
from atomctl.objects import codes
from atomctl.objects.model import check_key
from atomctl.objects.s3_client import S3Place, answered, connect, translated

DIGEST = "atom-sha256"
"""The name of the metadata that holds an object's digest; what has none was not written by ATOM."""

LARGEST = 1 << 30
"""Bytes of an object that is read; more is an answer of somebody else."""

_CHUNK = 1 << 20
_SLOWEST = 256 * 1024
"""Bytes per second below which a body that keeps dripping is given up."""
_TAKEN = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict"})


class S3Store:
    """An `ObjectStore` in one bucket."""

    def __init__(self, place: S3Place) -> None:
        self.place = place

    @cached_property
    def client(self) -> Any:
        """The connection pool, made at the first request."""
        return connect(self.place)

    def put(self, key: str, data: bytes) -> None:
        """Stores `data` under `key`; see `ObjectStore.put`. The answer is believed when the server shows the digest.

        Raises:
            AtomError: OBJ001, OBJ002, OBJ004, OBJ006 to OBJ010, OBJ012.
        """
        if not self._put_new(key, data):
            self._compare(key, data)

    def get(self, key: str) -> bytes:
        """The bytes under `key`; see `ObjectStore.get`. They have the digest they were stored with.

        Raises:
            AtomError: OBJ001, OBJ003, OBJ006 to OBJ012.
        """
        return self._read(check_key(key))

    def exists(self, key: str) -> bool:
        """Whether something is stored under `key`; see `ObjectStore.exists`.

        Raises:
            AtomError: OBJ001, OBJ006 to OBJ010, OBJ012.
        """
        # A listing names its bucket; a HEAD that finds nothing has no body, and any server at all could have sent it.
        return any(found == key for found in self._page(check_key(key), "", 1))

    def keys(self, prefix: str, *, after: str = "") -> Iterator[str]:
        """The keys that begin with `prefix` and come behind `after`, in the order of their bytes.

        Raises:
            AtomError: OBJ006 to OBJ010, OBJ012.
        """
        while page := self._page(prefix, after, 1000):
            yield from page
            after = page[-1]

    def _page(self, prefix: str, after: str, limit: int) -> list[str]:
        bucket = self.place.bucket
        with translated(str(self.place)):
            answer = self.client.list_objects_v2(Bucket=bucket, Prefix=prefix, StartAfter=after, MaxKeys=limit)
        if answer.get("Name") != bucket:
            raise AtomError(codes.NONSENSE, f"{self.place}: a listing of {answer.get('Name')!r} came back")
        return [str(item["Key"]) for item in answer.get("Contents", ())]

    def _put_new(self, key: str, data: bytes, **lock: Any) -> bool:
        """Whether the object was written now; False if something is under the key already."""
        from botocore.exceptions import ClientError

        checksum = base64.b64encode(sha256(data)).decode()
        request = {"Bucket": self.place.bucket, "Key": check_key(key), "Body": data, "ChecksumSHA256": checksum}
        with translated(f"{key} in {self.place}"):
            try:
                self.client.put_object(**request, IfNoneMatch="*", Metadata={DIGEST: digest(data)}, **lock)
            except ClientError as error:
                if answered(error) not in _TAKEN:
                    raise
                return False
        self._confirm(key, data)
        return True

    def _confirm(self, key: str, data: bytes) -> None:
        """A page that a proxy put in place of the answer looks like a success; the object's own digest does not."""
        with translated(f"{key} in {self.place}"):
            head = self.client.head_object(Bucket=self.place.bucket, Key=key)
        if head.get("Metadata", {}).get(DIGEST) != digest(data) or head.get("ContentLength") != len(data):
            raise AtomError(codes.NONSENSE, f"{key} in {self.place} was accepted and is not there as it was sent")

    def _compare(self, key: str, data: bytes) -> None:
        if self.get(key) != data:
            raise AtomError(codes.CONFLICT, f"{key} holds other bytes than the {len(data)} given")

    def _read(self, key: str, **version: str) -> bytes:
        what = f"{key} in {self.place}"
        with translated(what):
            answer = self.client.get_object(Bucket=self.place.bucket, Key=key, **version)
            with answer["Body"] as body:
                data = _whole(body, int(answer.get("ContentLength", 0)), self.place.timeout, what)
        said = answer.get("Metadata", {}).get(DIGEST)
        if said is None:
            raise AtomError(codes.NONSENSE, f"{what} carries no digest: ATOM did not write it")
        if raw_digest(said) != sha256(data):
            raise AtomError(codes.CORRUPT, f"{what} has {digest(data)}, was stored as {said}")
        return data


def _whole(body: Any, length: int, patience: float, what: str) -> bytes:
    """The body, if it comes within `patience` seconds and the time that its length takes at the slowest rate."""
    if length > LARGEST:
        raise AtomError(codes.NONSENSE, f"{what}: an object of {length} bytes, at most {LARGEST} are read")
    deadline = time.monotonic() + patience + length / _SLOWEST
    data = bytearray()
    while chunk := body.read1(_CHUNK):  # what has come, so that the clock is looked at
        data += chunk
        if len(data) > length or time.monotonic() > deadline:
            raise AtomError(codes.UNAVAILABLE, f"{what}: {len(data)} of {length} bytes came, too slowly or too many")
    if len(data) < length:
        raise AtomError(codes.UNAVAILABLE, f"{what}: the connection ended after {len(data)} of {length} bytes")
    return bytes(data)
