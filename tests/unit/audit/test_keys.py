"""The log's signing key in a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from atomctl.audit import codes, keys
from atomctl.errors import AtomError


def test_a_new_key_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "audit.key"
    made = keys.create_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert keys.load_key(path).public == made.public
    assert keys.read_vkeys(path.with_suffix(".vkey").read_text()) == (made.vkey,)
    assert sorted(item.name for item in path.parent.iterdir()) == ["audit.key", "audit.vkey"]


def test_a_key_that_is_there_is_loaded_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "audit.key"
    first = keys.load_or_create_key(path)
    assert keys.load_or_create_key(path).public == first.public
    with pytest.raises(AtomError, match="AUD715"):
        keys.create_key(path)
    assert keys.load_key(path).public == first.public


def test_a_verifier_key_that_was_never_written_is_written_when_the_key_is_used(tmp_path: Path) -> None:
    path = tmp_path / "audit.key"
    made = keys.create_key(path)
    path.with_suffix(".vkey").unlink()
    assert keys.load_or_create_key(path).public == made.public
    assert keys.read_vkeys(path.with_suffix(".vkey").read_text()) == (made.vkey,)


def test_a_key_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "audit.key"
    keys.create_key(path)
    path.chmod(0o640)
    with pytest.raises(AtomError) as caught:
        keys.load_key(path)
    assert caught.value.code is codes.BAD_KEY
    assert caught.value.hint == f"chmod 600 {path}"


@pytest.mark.parametrize("kind", ["missing", "garbage", "another kind"])
def test_a_file_without_a_usable_key_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "audit.key"
    pem = generate_private_key(SECP256R1()).private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption())
    if kind != "missing":
        path.write_bytes(b"garbage" if kind == "garbage" else pem)
        path.chmod(0o600)
    with pytest.raises(AtomError) as caught:
        keys.load_key(path)
    assert caught.value.code is codes.BAD_KEY


def test_a_known_keys_file_may_hold_comments(tmp_path: Path) -> None:
    key = keys.create_key(tmp_path / "audit.key").vkey
    assert keys.read_vkeys(f"# the log of example.org\n\n{key}\n") == (key,)
    with pytest.raises(AtomError, match="AUD715"):
        keys.read_vkeys("not a key\n")
