"""Stores in buckets of a real S3 server."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from tests.servers.s3 import S3Server

from atomctl.objects.s3 import S3Store
from atomctl.objects.s3_client import S3Place
from atomctl.objects.s3_locked import S3LockedStore

_numbers = itertools.count()


@pytest.fixture
def place(s3: S3Server) -> Callable[..., S3Place]:
    """A new bucket (`lock=True`: with Object Lock); other arguments differ from how it is reached well."""

    def make(*, lock: bool = False, **other: Any) -> S3Place:
        bucket = other.pop("bucket", None) or s3.create_bucket(f"objects-{next(_numbers)}", lock=lock)
        keys = {"access_key": s3.access_key, "secret_key": s3.secret_key}
        return S3Place(bucket=bucket, **{"endpoint": s3.endpoint, "timeout": 5.0, "attempts": 1, **keys, **other})

    return make


@pytest.fixture
def store(place: Callable[..., S3Place]) -> S3Store:
    return S3Store(place())


@pytest.fixture
def locked(place: Callable[..., S3Place]) -> S3LockedStore:
    return S3LockedStore(place(lock=True))
