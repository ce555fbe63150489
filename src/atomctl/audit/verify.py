"""Verifying an exported bundle. Reads one file, connects to nothing, and trusts nothing that stands in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from atomctl.audit import bundle, codes
from atomctl.audit.chain import Chain, Epoch, EpochWatch
from atomctl.audit.checkpoint import Checkpoint, key_for, parse_checkpoint
from atomctl.audit.leaf import entry_of, place_of
from atomctl.audit.merkle import leaf_hash, verify_inclusion
from atomctl.audit.names import LogName
from atomctl.audit.note import Note, VerifierKey, parse_vkey, signed_by
from atomctl.audit.roots import Roots
from atomctl.audit.verdict import AuditVerdict, Finding, by_weight
from atomctl.audit.walk import Walk
from atomctl.errors import AtomError


@dataclass(frozen=True, slots=True)
class _Signer:
    """Whose signature is expected on the checkpoint; no key if a caller's keys do not cover the log."""

    key: VerifierKey | None
    known: bool


def verify_bundle(
    path: Path,
    *,
    trusted: Sequence[VerifierKey] = (),
    witnessed: Sequence[bytes] = (),
    anchored: Sequence[bytes] = (),
) -> AuditVerdict:
    """Verifies the bundle in the file `path`.

    Args:
        path: an `.atomaudit` file.
        trusted: the keys that may have signed it, from a source other than the file; a deployment's key also covers the
            logs of its tenants. Without any, the best answer is "self-consistent, signer unknown".
        witnessed: signed checkpoints of the same log that were kept elsewhere.
        anchored: the same, of which it is known that they are older than the bundle.

    Returns:
        The verdict. A bundle that is older than a witnessed checkpoint cannot be compared with it; one that ends before
        an anchored checkpoint was cut off.

    Raises:
        AtomError: AUD714 it is not a bundle or cannot be read; AUD717 or AUD708 a witnessed checkpoint is not one, is
            of another log, or is not signed.
    """
    try:
        with path.open("rb") as stream:
            return _verify(stream, trusted, witnessed, anchored)
    except OSError as error:
        raise AtomError(codes.BAD_BUNDLE, f"{path} cannot be read: {error.strerror}") from error


def _verify(
    stream: BinaryIO, trusted: Sequence[VerifierKey], witnessed: Sequence[bytes], anchored: Sequence[bytes]
) -> AuditVerdict:
    header = bundle.read_header(stream)
    checkpoint, note = _checkpoint(header)
    signer = _expected_signer(header, trusted)
    older = tuple(read_witnessed(item, checkpoint.origin, signer.key) for item in anchored)
    others = (*older, *(read_witnessed(item, checkpoint.origin, signer.key) for item in witnessed))
    findings = [*signature_findings(checkpoint, note, signer.key), *cut_off(checkpoint, older)]
    epochs: tuple[Epoch, ...] = ()
    if header.run is None:
        entries, found, fits, epochs = _verify_log(stream, checkpoint, others)
    else:
        entries, found, fits = _verify_run(stream, header, checkpoint, others)
    return AuditVerdict(
        checkpoint=checkpoint,
        entries=entries,
        vkey=str(signer.key) if signer.key else header.vkey,
        signer_known=signer.known,
        anchored=fits and not findings,
        run=header.run,
        findings=by_weight([*findings, *found]),
        epochs=epochs,
    )


def _checkpoint(header: bundle.Header) -> tuple[Checkpoint, Note]:
    checkpoint, note = parse_checkpoint(header.checkpoint.encode())
    if checkpoint.origin != header.origin:
        raise AtomError(codes.BAD_BUNDLE, f"the header is of {header.origin}, its checkpoint of {checkpoint.origin}")
    if header.run is None and checkpoint.size != header.entries:
        raise AtomError(
            codes.BAD_BUNDLE, f"the header names {header.entries} entries, its checkpoint {checkpoint.size}"
        )
    return checkpoint, note


def _expected_signer(header: bundle.Header, trusted: Sequence[VerifierKey]) -> _Signer:
    if trusted:
        return _Signer(key_for(header.origin, trusted), known=True)
    return _Signer(key_for(header.origin, [parse_vkey(header.vkey)]), known=False)


def signature_findings(checkpoint: Checkpoint, note: Note, key: VerifierKey | None) -> Iterator[Finding]:
    """What is wrong with the signature of a checkpoint."""
    if key is None:
        yield Finding(codes.BAD_SIGNATURE, f"none of the keys given is for the log {checkpoint.origin}")
    elif not signed_by(note, key):
        yield Finding(codes.BAD_SIGNATURE, f"the checkpoint of {checkpoint.size} entries is not signed by {key}")


def read_witnessed(data: bytes, origin: str, key: VerifierKey | None) -> Checkpoint:
    """A checkpoint that was kept elsewhere, of the same log in this epoch or an earlier one.

    Raises:
        AtomError: AUD717 it is not a checkpoint or of another log than `origin`, AUD708 it is not signed by `key`.
    """
    checkpoint, note = parse_checkpoint(data)
    if not same_log(checkpoint.origin, origin):
        raise AtomError(codes.BAD_NOTE, f"the checkpoint kept elsewhere is of {checkpoint.origin}, not of {origin}")
    if key is None or not signed_by(note, VerifierKey(checkpoint.origin, key.public, key.type)):
        raise AtomError(codes.BAD_SIGNATURE, "the checkpoint kept elsewhere is not signed by the expected key")
    return checkpoint


def same_log(left: str, right: str) -> bool:
    """Whether two origins name one log, in whichever epochs."""
    try:
        return LogName.parse(left).in_epoch(1) == LogName.parse(right).in_epoch(1)
    except ValueError:
        return left == right


def cut_off(checkpoint: Checkpoint, older: Iterable[Checkpoint]) -> Iterator[Finding]:
    """Checkpoints that are older than `checkpoint` and cover more entries under the same name."""
    for other in older:
        if other.origin == checkpoint.origin and other.size > checkpoint.size:
            why = f"the log is signed at {checkpoint.size} entries, {other.size} were anchored before"
            yield Finding(codes.TRUNCATED, why, checkpoint.size)


def _verify_log(
    stream: BinaryIO, checkpoint: Checkpoint, others: Sequence[Checkpoint]
) -> tuple[int, list[Finding], bool, tuple[Epoch, ...]]:
    walk, watch = Walk(), EpochWatch()
    roots = Roots(other.size for other in (*others, checkpoint))
    roots.follow(walk.leaves(watch.items(bundle.read_entries(stream))))
    walk.finish(checkpoint.size)
    chain = Chain(watch.seen, checkpoint.origin)
    if walk.findings:
        return walk.seen, walk.findings, False, chain.epochs
    if roots.at(checkpoint.size) != checkpoint.root:
        why = "the entries do not give the root of the signed checkpoint"
        return walk.seen, [Finding(codes.CHANGED, why)], False, chain.epochs
    return walk.seen, *compare(roots, others, chain), chain.epochs


def compare(roots: Roots, others: Iterable[Checkpoint], chain: Chain) -> tuple[list[Finding], bool]:
    """Forks that checkpoints kept elsewhere show, and whether one was compared and fits.

    Args:
        roots: the roots of a log that holds.
        others: signed checkpoints of the same log.
        chain: the names the log has had.
    """
    findings: list[Finding] = []
    fits = False
    for other in others:
        root = roots.at(other.size)
        if other.origin != chain.name_at(other.size):
            findings += _renamed(other, chain)
        elif root is not None and root != other.root:
            why = f"a checkpoint kept elsewhere says {other.root.hex()} at {other.size} entries, this log {root.hex()}"
            findings.append(Finding(codes.FORKED, why, other.size))
        else:
            fits = fits or root == other.root
    return findings, fits and not findings


def _renamed(other: Checkpoint, chain: Chain) -> Iterator[Finding]:
    """What is wrong with a checkpoint under a name that the log did not have at that size: nothing if it was lost."""
    end = chain.end_of(other.origin)
    if end is None:
        why = f"a checkpoint kept elsewhere is of {other.origin}, and no epoch leads from there to {chain.origin}"
        yield Finding(codes.FORKED, why, other.size)
    elif end.anchored_size is not None and other.size > end.anchored_size:
        why = f"the restore says that {end.anchored_size} entries had been anchored, a checkpoint has {other.size}"
        yield Finding(codes.FORKED, why, end.first)


def _verify_run(
    stream: BinaryIO, header: bundle.Header, checkpoint: Checkpoint, others: Sequence[Checkpoint]
) -> tuple[int, list[Finding], bool]:
    findings: list[Finding] = []
    last, count = -1, 0
    for line in bundle.read_proved_entries(stream):
        count += 1
        index, problem = _judge(line, header, checkpoint, last)
        if problem:
            findings.append(problem)
        last = max(last, index)
    if count < header.entries:
        findings.append(Finding(codes.MISSING, f"{count} entries are there, the header names {header.entries}"))
    same_size = [other for other in others if (other.origin, other.size) == (checkpoint.origin, checkpoint.size)]
    forks = [
        Finding(
            codes.FORKED, f"a checkpoint kept elsewhere says {other.root.hex()} at {other.size} entries", other.size
        )
        for other in same_size
        if other.root != checkpoint.root
    ]
    return count, [*findings, *forks], bool(same_size) and not findings and not forks


def _judge(line: bundle.Line, header: bundle.Header, checkpoint: Checkpoint, last: int) -> tuple[int, Finding | None]:
    """The index of an entry of a run (that of the one before if it cannot be known), and what is wrong with it."""
    place, leaf = place_of(line.data), leaf_hash(line.data)
    if place is None or leaf != line.claimed:
        return last, Finding(codes.CHANGED, "an entry is not what its leaf hash says", last + 1)
    index = place.at
    if index == last:
        return index, Finding(codes.DUPLICATED, f"there are two entries {index}", index)
    if index < last:
        return index, Finding(codes.REORDERED, f"entry {index} stands behind entry {last}", index)
    if not verify_inclusion(leaf, index, checkpoint.size, line.proof, checkpoint.root):
        return index, Finding(codes.CHANGED, f"entry {index} is not under the signed checkpoint", index)
    if _run_of(line.data) != header.run:
        raise AtomError(codes.BAD_BUNDLE, f"entry {index} does not belong to run {header.run}")
    return index, None


def _run_of(leaf: bytes) -> object:
    try:
        return entry_of(leaf).get("run")
    except ValueError:
        return None
