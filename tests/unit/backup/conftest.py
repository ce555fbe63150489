"""A shelf in memory, the key that signs, and statements to put on it."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.fakes import statements
from tests.fakes.locked_memory import LockedMemory
from tests.fakes.statements import MakeStatement

from atomctl.audit.keys import FileKey


@pytest.fixture
def signer() -> FileKey:
    return FileKey(Ed25519PrivateKey.generate())


@pytest.fixture
def store() -> LockedMemory:
    return LockedMemory()


@pytest.fixture
def make_statement() -> MakeStatement:
    return statements.make_statement
