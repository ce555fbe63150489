"""A bundle in a stranger's hands: what was done to it is seen, and said by its own name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from atomctl.audit import bundle, codes
from atomctl.audit.checkpoint import Checkpoint, origin_of, sign_checkpoint
from atomctl.audit.keys import FileKey
from atomctl.audit.leaf import leaf_bytes
from atomctl.audit.merkle import CompactRange, extend, inclusion_proof, leaf_hash
from atomctl.audit.model import Entry, entry_bytes
from atomctl.audit.note import VerifierKey
from atomctl.audit.verdict import AuditVerdict, Outcome
from atomctl.audit.verify import verify_bundle
from atomctl.errors import AtomError, Code, ExitCode

KEY = FileKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
FORGER = FileKey(Ed25519PrivateKey.from_private_bytes(bytes(32)))
TENANT = UUID("01900000-0000-7000-8000-000000000001")
RUN = UUID("01900000-0000-7000-8000-0000000000ff")
ORIGIN = origin_of(KEY.public, TENANT)
TRUSTED = (KEY.vkey,)
SIZE = 40
OF_RUN = (3, 4, 17, 39)


def _leaf(index: int, minute: int | None = None, thing: object = None) -> bytes:
    entry = Entry(
        action="test.happened",
        subject=f"thing/{thing if thing is not None else index}",
        run_id=RUN if index in OF_RUN else None,
    )
    data = entry_bytes(entry, entry_id=UUID(int=index + 1), tenant_id=TENANT, commitments={})
    return leaf_bytes(data, index, f"2026-01-02T03:{index if minute is None else minute:02d}:00.000000Z")


LEAVES = [_leaf(index) for index in range(SIZE)]


def _note(leaves: Sequence[bytes], signer: FileKey = KEY, origin: str = ORIGIN) -> bytes:
    root = extend(CompactRange(), map(leaf_hash, leaves)).root
    return sign_checkpoint(Checkpoint(origin, len(leaves), root), signer)


def _header(note: bytes, entries: int = SIZE, run: UUID | None = None, signer: FileKey = KEY) -> bytes:
    return bundle.header_line(
        bundle.Header(
            origin=ORIGIN,
            run=str(run) if run else None,
            entries=entries,
            vkey=str(VerifierKey(ORIGIN, signer.public)),
            checkpoint=note.decode(),
        )
    )


def _line(leaf: bytes) -> bytes:
    return bundle.entry_line(leaf, leaf_hash(leaf))


def _proof(index: int) -> tuple[bytes, ...]:
    hashes = [leaf_hash(leaf) for leaf in LEAVES]
    return inclusion_proof(index, SIZE, lambda h, i: _perfect(hashes, h, i))


def _perfect(hashes: list[bytes], height: int, index: int) -> bytes:
    part = hashes[index << height : (index + 1) << height]
    return part[0] if height == 0 else extend(CompactRange(), part).root


@dataclass
class File:
    """A bundle of the whole log, or of a run, as lines that a test may do anything to."""

    path: Path
    lines: list[bytes]

    def verify(self, trusted: Sequence[VerifierKey] = TRUSTED, witnessed: Sequence[bytes] = ()) -> AuditVerdict:
        self.path.write_bytes(b"".join(self.lines))
        return verify_bundle(self.path, trusted=trusted, witnessed=witnessed)


@pytest.fixture
def whole(tmp_path: Path) -> File:
    return File(tmp_path / "log.atomaudit", [_header(_note(LEAVES)), *map(_line, LEAVES)])


@pytest.fixture
def of_run(tmp_path: Path) -> File:
    lines = [bundle.entry_line(LEAVES[i], leaf_hash(LEAVES[i]), _proof(i)) for i in OF_RUN]
    return File(tmp_path / "run.atomaudit", [_header(_note(LEAVES), len(OF_RUN), RUN), *lines])


def _codes(file: File, *, witnessed: Sequence[bytes] = ()) -> list[Code]:
    verdict = file.verify(witnessed=witnessed)
    assert verdict.outcome is Outcome.BROKEN
    assert verdict.exit_code is ExitCode.AUDIT_BROKEN
    return [item.code for item in verdict.findings]


def test_a_whole_log_is_verified(whole: File) -> None:
    verdict = whole.verify()
    assert verdict.outcome is Outcome.VERIFIED
    assert (verdict.code, verdict.exit_code, verdict.entries) == (None, ExitCode.OK, SIZE)
    assert verdict.warnings == (codes.UNANCHORED,)
    verdict.raise_if_broken()


def test_a_runs_entries_are_verified_without_the_rest_of_the_log(of_run: File) -> None:
    verdict = of_run.verify()
    assert verdict.outcome is Outcome.VERIFIED
    assert (verdict.entries, verdict.run) == (len(OF_RUN), str(RUN))


def test_without_a_key_from_elsewhere_the_signer_is_unknown_and_that_is_no_ok(whole: File) -> None:
    verdict = whole.verify(trusted=())
    assert verdict.outcome is Outcome.SELF_CONSISTENT
    assert verdict.code is codes.SIGNER_UNKNOWN
    assert verdict.exit_code is ExitCode.UNTRUSTED


def test_a_forgers_bundle_is_self_consistent_and_refused_as_soon_as_a_key_is_given(whole: File) -> None:
    whole.lines[0] = _header(_note(LEAVES, FORGER), signer=FORGER)
    assert whole.verify(trusted=()).outcome is Outcome.SELF_CONSISTENT
    assert _codes(whole) == [codes.BAD_SIGNATURE]


def test_a_key_for_another_log_verifies_nothing(whole: File) -> None:
    verdict = whole.verify(trusted=[VerifierKey("elsewhere", KEY.public)])
    assert verdict.code is codes.BAD_SIGNATURE


def test_a_changed_checkpoint_is_not_signed(whole: File) -> None:
    whole.lines[0] = whole.lines[0].replace(b"\\n40\\n", b"\\n39\\n").replace(b'"entries":40', b'"entries":39')
    assert _codes(whole)[0] is codes.BAD_SIGNATURE


def test_a_header_that_contradicts_its_checkpoint_is_no_bundle(whole: File) -> None:
    for name, wrong in ((b'"entries":40', b'"entries":39'), (f'"origin":"{ORIGIN}"'.encode(), b'"origin":"elsewhere"')):
        whole.lines[0] = _header(_note(LEAVES)).replace(name, wrong)
        with pytest.raises(AtomError) as caught:
            whole.verify()
        assert caught.value.code is codes.BAD_BUNDLE


def test_a_changed_entry_is_named(whole: File) -> None:
    whole.lines[8] = whole.lines[8].replace(b"thing/7", b"thing/8")
    assert _codes(whole) == [codes.CHANGED]
    assert whole.verify().findings[0].index == 7


def test_a_changed_entry_with_a_fitting_hash_does_not_give_the_signed_root(whole: File) -> None:
    whole.lines[8] = _line(_leaf(7, thing="other"))
    assert _codes(whole) == [codes.CHANGED]


def test_a_changed_leaf_hash_is_a_change_too(whole: File) -> None:
    whole.lines[8] = bundle.entry_line(LEAVES[7], leaf_hash(LEAVES[8]))
    assert _codes(whole) == [codes.CHANGED]


def test_an_entry_taken_out_is_missing(whole: File) -> None:
    del whole.lines[8:11]
    assert _codes(whole) == [codes.MISSING]
    assert whole.verify().findings[0].why == "entry 7 to 9 is not there"


def test_the_first_entries_can_be_missing_too(whole: File) -> None:
    del whole.lines[1]
    assert _codes(whole) == [codes.MISSING]


@pytest.mark.parametrize("left", [0, 1, SIZE - 1])
def test_a_log_cut_off_at_the_end_is_truncated(left: int, whole: File) -> None:
    del whole.lines[1 + left :]
    assert _codes(whole) == [codes.TRUNCATED]


def test_a_file_cut_in_the_middle_of_a_line_is_not_whole(whole: File) -> None:
    whole.lines[-1] = whole.lines[-1][:100]
    assert _codes(whole) == [codes.CHANGED]


def test_entries_in_another_order_are_reordered(whole: File) -> None:
    whole.lines[8], whole.lines[12] = whole.lines[12], whole.lines[8]
    assert codes.REORDERED in _codes(whole)
    assert codes.CHANGED not in _codes(whole)
    assert codes.MISSING not in _codes(whole)


def test_an_entry_that_stands_there_twice_is_duplicated(whole: File) -> None:
    whole.lines.insert(9, whole.lines[8])
    assert _codes(whole) == [codes.DUPLICATED]


def test_an_entry_put_in_place_of_another_is_a_duplicate_and_a_gap(whole: File) -> None:
    whole.lines[9] = whole.lines[8]
    assert _codes(whole) == [codes.DUPLICATED, codes.MISSING]


def test_an_entry_older_than_the_one_before_it_is_backdated(whole: File) -> None:
    whole.lines[8] = _line(_leaf(7, minute=2))
    assert _codes(whole) == [codes.BACKDATED]


def test_entries_beyond_the_checkpoint_are_not_covered_by_it(whole: File) -> None:
    whole.lines.append(_line(_leaf(SIZE)))
    assert _codes(whole) == [codes.CHANGED]


def test_a_checkpoint_kept_elsewhere_that_fits_anchors_the_log(whole: File) -> None:
    for size in (1, 17, SIZE):
        verdict = whole.verify(witnessed=[_note(LEAVES[:size])])
        assert verdict.outcome is Outcome.VERIFIED
        assert verdict.warnings == ()


def test_two_signed_histories_are_a_fork(whole: File, of_run: File) -> None:
    other = [*LEAVES[:10], _leaf(10, thing="other"), *LEAVES[11:]]
    assert _codes(whole, witnessed=[_note(other)]) == [codes.FORKED]
    assert _codes(whole, witnessed=[_note(LEAVES[:5]), _note(other[:20])]) == [codes.FORKED]
    assert _codes(of_run, witnessed=[_note(other)]) == [codes.FORKED]


def test_a_checkpoint_of_a_longer_log_cannot_be_compared_and_anchors_nothing(whole: File) -> None:
    verdict = whole.verify(witnessed=[_note([*LEAVES, _leaf(SIZE)])])
    assert (verdict.outcome, verdict.warnings) == (Outcome.VERIFIED, (codes.UNANCHORED,))


@pytest.mark.parametrize("note", [_note(LEAVES, FORGER), _note(LEAVES, origin="elsewhere"), b"garbage"])
def test_a_checkpoint_kept_elsewhere_has_to_be_one_of_this_log(note: bytes, whole: File) -> None:
    with pytest.raises(AtomError) as caught:
        whole.verify(witnessed=[note])
    assert caught.value.code in {codes.BAD_NOTE, codes.BAD_SIGNATURE}


def test_a_changed_entry_of_a_run_is_not_under_the_checkpoint(of_run: File) -> None:
    forged = _leaf(4, thing="other")
    of_run.lines[2] = bundle.entry_line(forged, leaf_hash(forged), _proof(4))
    assert _codes(of_run) == [codes.CHANGED]


@pytest.mark.parametrize("damage", ["proof", "leaf", "data", "line"])
def test_a_damaged_line_of_a_run_is_changed(damage: str, of_run: File) -> None:
    leaf, proof = LEAVES[4], list(_proof(4))
    of_run.lines[2] = {
        "proof": bundle.entry_line(leaf, leaf_hash(leaf), proof[::-1]),
        "leaf": bundle.entry_line(leaf, leaf_hash(b"x"), proof),
        "data": bundle.entry_line(leaf + b" ", leaf_hash(leaf), proof),
        "line": b"garbage\n",
    }[damage]
    assert _codes(of_run) == [codes.CHANGED]


def test_entries_of_a_run_are_counted_and_in_order(of_run: File) -> None:
    lines = of_run.lines
    of_run.lines = lines[:-1]
    assert _codes(of_run) == [codes.MISSING]
    of_run.lines = [lines[0], lines[2], lines[1], *lines[3:]]
    assert _codes(of_run) == [codes.REORDERED]
    of_run.lines = [*lines[:2], lines[1], *lines[2:]]
    assert _codes(of_run) == [codes.DUPLICATED]


def test_an_entry_of_another_run_has_no_place_in_the_bundle(of_run: File) -> None:
    of_run.lines[1] = bundle.entry_line(LEAVES[2], leaf_hash(LEAVES[2]), _proof(2))
    with pytest.raises(AtomError, match="does not belong to run"):
        of_run.verify()


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"garbage\n",
        b"[]\n",
        b"{}\n",
        b'{"schema":"atom.audit-bundle/v9"}\n',
        b'{"schema":"atom.audit-bundle/v1","origin":1}\n',
        b"[" * 100_000 + b"\n",
        b"\xff\n",
    ],
)
def test_what_is_not_a_bundle_is_said_to_be_none(first: bytes, whole: File) -> None:
    whole.lines[0] = first
    with pytest.raises(AtomError) as caught:
        whole.verify()
    assert caught.value.code is codes.BAD_BUNDLE


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(AtomError) as caught:
        verify_bundle(tmp_path / "none.atomaudit")
    assert caught.value.code is codes.BAD_BUNDLE


def test_every_line_of_a_bundle_is_json(whole: File, of_run: File) -> None:
    for line in (*whole.lines, *of_run.lines):
        json.loads(line)
    assert json.loads(whole.lines[1])["data"]["index"] == 0


def test_a_log_rewritten_as_a_whole_gives_a_bounded_answer(whole: File) -> None:
    whole.lines[1:] = [line.replace(b"thing/", b"other/") for line in whole.lines[1:]] * 10
    verdict = whole.verify()
    assert verdict.outcome is Outcome.BROKEN
    assert len(verdict.findings) <= 100


def test_the_verdict_is_a_document_that_says_all_this(whole: File) -> None:
    whole.lines[8] = whole.lines[8].replace(b"thing/7", b"thing/8")
    document = whole.verify().to_json()
    assert document["schema"] == "atom.audit-verdict/v1"
    assert (document["outcome"], document["code"], document["size"]) == ("broken", "AUD701", SIZE)
    assert document["findings"] == [{"code": "AUD701", "why": "entry 7 is not what its leaf hash says", "index": 7}]
    with pytest.raises(AtomError, match="AUD701"):
        whole.verify().raise_if_broken()
