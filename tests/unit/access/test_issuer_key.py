"""The embedded issuer's key file: made once, private, and refused when others could read it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from atomctl.access import codes
from atomctl.access.issuer import EmbeddedIssuer
from atomctl.access.tokens import Verifier
from atomctl.errors import AtomError

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "issuer.key"


def refused(path: Path) -> None:
    with pytest.raises(AtomError) as caught:
        EmbeddedIssuer(path)
    assert caught.value.code == codes.UNSAFE_KEY_FILE


def test_the_key_is_made_private_and_used_again(path: Path) -> None:
    first = EmbeddedIssuer(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    token = first.issue(UUID(int=1), "alice", [], timedelta(hours=1), now=NOW)
    assert Verifier([EmbeddedIssuer(path).trusted]).verify(token, NOW).subject == "alice"
    assert list(path.parent.iterdir()) == [path]


def test_the_published_half_holds_no_private_key(path: Path) -> None:
    keys = EmbeddedIssuer(path).trusted.keys
    assert all(not key.is_private for key in keys.keys.values())  # type: ignore[attr-defined]  # FixedKeys


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o700 | 0o004])
def test_a_key_file_that_others_can_read_is_refused(path: Path, mode: int) -> None:
    EmbeddedIssuer(path)
    path.chmod(mode)
    refused(path)


def test_a_key_file_that_is_a_link_or_a_folder_is_refused(path: Path) -> None:
    EmbeddedIssuer(path)
    path.rename(path.with_name("real"))
    path.symlink_to(path.with_name("real"))
    refused(path)
    path.unlink()
    path.mkdir(mode=0o600)
    refused(path)


def private(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey, password: bytes | None = None) -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a key",
        private(ec.generate_private_key(ec.SECP256R1())),
        private(Ed25519PrivateKey.generate(), b"secret"),
    ],
    ids=["empty", "text", "another curve", "encrypted"],
)
def test_a_file_that_holds_no_plain_ed25519_key_is_refused(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.touch(mode=0o600)
    path.write_bytes(content)
    refused(path)


def test_processes_that_start_at_once_agree_on_one_key(path: Path) -> None:
    found: list[str] = []
    start = threading.Barrier(4)

    def begin() -> None:
        start.wait()
        found.append(EmbeddedIssuer(path)._key_id)

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
