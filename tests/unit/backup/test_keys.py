"""The backup key: made once, private, bound to the set whose data key it wraps."""

from __future__ import annotations

from pathlib import Path

import pytest

from atomctl.backup import codes
from atomctl.backup.keys import FileWrapper, WrappedKey, create_key, key_id, read_key
from atomctl.db.ids import new_id
from atomctl.errors import AtomError, Code

DATA_KEY = b"d" * 32


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "backup.key"
    create_key(path)
    return path


def refusal(path: Path) -> Code:
    with pytest.raises(AtomError) as caught:
        read_key(path)
    return caught.value.code


def test_a_new_key_is_private_and_never_replaced(file: Path) -> None:
    before = file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    create_key(file)
    assert file.read_bytes() == before


def test_a_data_key_is_unwrapped_for_its_own_set_alone(file: Path) -> None:
    wrapper, set_id = FileWrapper(file), new_id()
    wrapped = wrapper.wrap(DATA_KEY, set_id)
    assert wrapper.unwrap(wrapped, set_id) == DATA_KEY
    assert DATA_KEY not in wrapped.data
    with pytest.raises(AtomError) as caught:
        wrapper.unwrap(wrapped, new_id())
    assert caught.value.code is codes.CHANGED


def test_two_wraps_of_one_key_share_nothing(file: Path) -> None:
    wrapper, set_id = FileWrapper(file), new_id()
    assert wrapper.wrap(DATA_KEY, set_id).data != wrapper.wrap(DATA_KEY, set_id).data


def test_another_key_is_not_a_change(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    create_key(other)
    set_id = new_id()
    with pytest.raises(AtomError) as caught:
        FileWrapper(other).unwrap(FileWrapper(file).wrap(DATA_KEY, set_id), set_id)
    assert caught.value.code is codes.WRONG_KEY
    assert key_id(read_key(file)) in caught.value.why


@pytest.mark.parametrize("size", [0, 5, 12, 28])
def test_a_wrapped_key_that_was_cut_is_a_change(file: Path, size: int) -> None:
    wrapper, set_id = FileWrapper(file), new_id()
    wrapped = wrapper.wrap(DATA_KEY, set_id)
    with pytest.raises(AtomError) as caught:
        wrapper.unwrap(WrappedKey(wrapped.key_id, wrapped.data[:size]), set_id)
    assert caught.value.code is codes.CHANGED


def test_a_missing_key_is_its_own_refusal(tmp_path: Path) -> None:
    assert refusal(tmp_path / "backup.key") is codes.KEY_MISSING


def test_a_key_that_others_can_read_is_refused(file: Path) -> None:
    file.chmod(0o640)
    assert refusal(file) is codes.KEY_UNUSABLE


@pytest.mark.parametrize("text", ["", "atom-backup-key-v1 AAAA", "AAAA", "atom-backup-key-v1 !", "\x00\xff"])
def test_what_is_no_key_is_refused(file: Path, text: str) -> None:
    file.write_text(text)
    assert refusal(file) is codes.KEY_UNUSABLE


def test_the_keys_id_says_nothing_about_it(file: Path) -> None:
    key = read_key(file)
    assert len(key_id(key)) == 16
    assert key.hex()[:8] not in key_id(key)
