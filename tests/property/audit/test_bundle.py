"""Whatever is done to the lines of a bundle, the answer is never that it is verified."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from atomctl.audit import bundle
from atomctl.audit.checkpoint import Checkpoint, origin_of, sign_checkpoint
from atomctl.audit.keys import FileKey
from atomctl.audit.leaf import leaf_bytes, place_of
from atomctl.audit.merkle import CompactRange, extend, leaf_hash
from atomctl.audit.model import Entry, entry_bytes
from atomctl.audit.note import VerifierKey
from atomctl.audit.verdict import AuditVerdict, Outcome
from atomctl.audit.verify import verify_bundle
from atomctl.errors import AtomError

KEY = FileKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
TENANT = UUID("01900000-0000-7000-8000-000000000001")
ORIGIN = origin_of(KEY.public, TENANT)


def _leaf(index: int) -> bytes:
    entry = Entry(action="test.happened", subject=f"thing/{index}")
    data = entry_bytes(entry, entry_id=UUID(int=index), tenant_id=TENANT, commitments={})
    return leaf_bytes(data, index, f"2026-01-02T03:{index:02d}:00.000000Z")


LEAVES = [_leaf(index) for index in range(21)]
ROOT = extend(CompactRange(), map(leaf_hash, LEAVES)).root
HEADER = bundle.header_line(
    bundle.Header(
        origin=ORIGIN,
        run=None,
        entries=len(LEAVES),
        vkey=str(VerifierKey(ORIGIN, KEY.public)),
        checkpoint=sign_checkpoint(Checkpoint(ORIGIN, len(LEAVES), ROOT), KEY).decode(),
    )
)
LINES = [bundle.entry_line(leaf, leaf_hash(leaf)) for leaf in LEAVES]


def _verify(lines: Sequence[bytes], header: bytes = HEADER) -> AuditVerdict:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.atomaudit"
        path.write_bytes(b"".join((header, *lines)))
        return verify_bundle(path, trusted=[KEY.vkey])


def test_the_bundle_is_verified_as_it_is() -> None:
    assert _verify(LINES).outcome is Outcome.VERIFIED


@given(st.lists(st.sampled_from(LINES), max_size=30))
@settings(max_examples=80, deadline=None)
def test_any_other_sequence_of_its_lines_is_broken(lines: list[bytes]) -> None:
    assume(lines != LINES)
    assert _verify(lines).outcome is Outcome.BROKEN


@given(st.permutations(LINES))
@settings(max_examples=40, deadline=None)
def test_a_permutation_is_reordered_and_nothing_is_missing(lines: list[bytes]) -> None:
    assume(lines != LINES)
    found = {item.code.id for item in _verify(lines).findings}
    assert "AUD704" in found
    assert not {"AUD702", "AUD703", "AUD706"} & found


@given(st.integers(0, len(LINES) - 1), st.data())
@settings(max_examples=100, deadline=None)
def test_no_byte_of_an_entry_can_be_another(number: int, data: st.DataObject) -> None:
    line = LINES[number]
    at = data.draw(st.integers(0, len(line) - 1))
    new = data.draw(st.binary(max_size=3).filter(lambda found: found != line[at : at + 1]))
    changed = line[:at] + new + line[at + 1 :]
    assert _verify([*LINES[:number], changed, *LINES[number + 1 :]]).outcome is Outcome.BROKEN


@given(st.integers(0, len(HEADER) - 1), st.integers(1, 255))
@settings(max_examples=100, deadline=None)
def test_no_byte_of_the_signed_checkpoint_can_be_another(at: int, flip: int) -> None:
    start = HEADER.index(b"checkpoint") + 13
    assume(start <= at < HEADER.index(b'"', start))
    changed = HEADER[:at] + bytes([HEADER[at] ^ flip]) + HEADER[at + 1 :]
    # Either it is no checkpoint any more, or one that was not signed.
    with suppress(AtomError):
        assert _verify(LINES, changed).outcome is Outcome.BROKEN


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_bytes_that_are_no_leaf_have_no_place(data: bytes) -> None:
    assert place_of(data) is None


@given(st.binary(max_size=100), st.integers(0, 2**62), st.datetimes())
@settings(max_examples=50, deadline=None)
def test_a_leaf_says_the_place_it_was_given(entry: bytes, index: int, moment: object) -> None:
    text = str(moment)[:10] + "T03:04:05.123456Z"
    place = place_of(leaf_bytes(entry, index, text))
    assert place == (index, text)
