"""What every object store can do, and what a key looks like."""

from __future__ import annotations

import re
from typing import Protocol

from atomctl.errors import AtomError
from atomctl.objects.codes import BAD_KEY

_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}(/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}){0,15}")


class ObjectStore(Protocol):
    """Bytes under keys, each written once and never changed."""

    def put(self, key: str, data: bytes) -> None:
        """Stores `data` under `key`; it is durable and whole when this returns. The same bytes again are a success.

        Raises:
            AtomError: OBJ001 a bad key, OBJ002 the key holds other bytes, OBJ004 no room, OBJ005 not permitted.
        """

    def get(self, key: str) -> bytes:
        """The bytes under `key`.

        Raises:
            AtomError: OBJ001 a bad key, OBJ003 nothing is there, OBJ005 not permitted.
        """

    def exists(self, key: str) -> bool:
        """Whether something is stored under `key`.

        Raises:
            AtomError: OBJ001 a bad key, OBJ005 not permitted.
        """


def check_key(key: str) -> str:
    """`key`, if it is one: at most 16 parts joined by slashes, none of which is hidden or leads upwards.

    Raises:
        AtomError: OBJ001 it is not.
    """
    if not _KEY.fullmatch(key):
        raise AtomError(BAD_KEY, f"{key[:200]!r} is not an object key")
    return key
