"""Verifies a finished export offline: signature, files, and every row, read again from each format."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomctl.audit.note import VerifierKey
from atomctl.canonical import Digest, Json, canonical_json
from atomctl.dataset import codes
from atomctl.dataset.consistency import require_consistent, require_fitting
from atomctl.dataset.manifest import Manifest, read_manifest
from atomctl.dataset.model import Format, Partition, Row
from atomctl.dataset.stages import content_digest, line_digest
from atomctl.dataset.workspace import CARD, MANIFEST, WORK, stored_file
from atomctl.errors import AtomError, Code, ExitCode

FINDINGS_AT_MOST = 20
_MANIFEST_LIMIT = 64 << 20


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with an export."""

    code: Code
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetVerdict:
    """What verification found; `rows_read` counts every row of every format."""

    manifest: Manifest
    digest: Digest
    signer_known: bool
    rows_read: int
    findings: tuple[Finding, ...]

    @property
    def code(self) -> Code | None:
        """The first finding's code; DAT816 if all fits and the signer is unknown; None if it is verified."""
        if self.findings:
            return self.findings[0].code
        return None if self.signer_known else codes.SIGNER_UNKNOWN

    @property
    def exit_code(self) -> ExitCode:
        """What a process that was asked returns."""
        return self.code.exit if self.code else ExitCode.OK

    @property
    def outcome(self) -> str:
        """The answer in one word: verified, self-consistent or broken."""
        if self.findings:
            return "broken"
        return "verified" if self.signer_known else "self-consistent"

    def raise_if_broken(self) -> None:
        """Returns if the export is whole, known signer or not.

        Raises:
            AtomError: DAT812 to DAT815, the first finding.
        """
        if self.findings:
            raise AtomError(self.findings[0].code, self.findings[0].why)

    def to_json(self) -> dict[str, Json]:
        """The verdict as a document, schema `atom.dataset-verdict/v1`."""
        return {
            "schema": "atom.dataset-verdict/v1",
            "outcome": self.outcome,
            "code": self.code.id if self.code else None,
            "digest": self.digest,
            "tenant": self.manifest.order["tenant"],
            "watermark": self.manifest.watermark,
            "partitions": len(self.manifest.partitions),
            "rows": self.manifest.rows,
            "rows_read": self.rows_read,
            "signer": {"key": str(self.manifest.signer), "known": self.signer_known},
            "findings": [{"code": each.code.id, "why": each.why} for each in self.findings],
        }


def verify_dataset(folder: Path, *, trusted: Sequence[VerifierKey] = ()) -> DatasetVerdict:
    """Verifies the export in `folder`; connects to nothing.

    Raises:
        AtomError: DAT810 there is no readable manifest, DAT811 its signature does not hold, DAT804 it holds Parquet and
            pyarrow is not installed.
    """
    try:
        with (folder / MANIFEST).open("rb") as stream:
            data = stream.read(_MANIFEST_LIMIT + 1)
    except OSError as error:
        raise AtomError(codes.NOT_A_DATASET, f"{folder / MANIFEST}: {error.strerror}") from error
    read = read_manifest(data, trusted)
    findings = verify_files(folder, read.manifest)
    count = 0
    if not findings:
        rows = RowCheck(folder, read.manifest)
        findings = list(rows.findings())
        count = rows.read
    return DatasetVerdict(
        manifest=read.manifest,
        digest=read.digest,
        signer_known=read.signer_known,
        rows_read=count,
        findings=tuple(findings[:FINDINGS_AT_MOST]),
    )


def verify_files(folder: Path, manifest: Manifest) -> list[Finding]:
    """What is wrong with the files: changed, missing, or named by nobody."""
    findings = []
    for file in manifest.files:
        try:
            found = stored_file(folder, file.path)
        except OSError:
            findings.append(Finding(codes.MISSING, f"{file.path} is not there"))
            continue
        if found != file:
            findings.append(Finding(codes.CHANGED, f"{file.path} is {found.digest}, the manifest says {file.digest}"))
    known = {file.path for file in manifest.files} | {MANIFEST, CARD}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_dir() and name not in known and not name.startswith(f"{WORK}/"):
            findings.append(Finding(codes.EXTRA, f"{name} is not in the manifest"))
    return findings


class RowCheck:
    """Reads every row of every format and holds it against schema, day, order and counts."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder, self._manifest = folder, manifest
        self.read = 0
        self._run_ids: set[str] = set()

    def findings(self) -> Iterator[Finding]:
        """What is wrong with the rows."""
        for partition in self._manifest.partitions:
            ids: set[str] = set()
            try:
                require_consistent(partition, self._manifest.order)
            except ValueError as error:
                yield Finding(codes.BAD_ROWS, str(error))
            for file in partition.files:
                try:
                    ids = self._check(partition, file.path)
                except ValueError as error:
                    yield Finding(codes.BAD_ROWS, f"{file.path}: {error}")
            if not ids.isdisjoint(self._run_ids):
                twice = min(ids & self._run_ids)
                yield Finding(codes.BAD_ROWS, f"run {twice} is in two partitions")
            self._run_ids |= ids

    def _check(self, partition: Partition, path: str) -> set[str]:
        """The ids of the file's runs.

        Raises:
            ValueError: a row or their sum is not what the manifest says.
        """
        lines, ids = [], set[str]()
        with (self._folder / path).open("rb") as stream:
            for row in _rows_of(path, stream):
                require_fitting(row, partition, self._manifest.order)
                ids.add(str(row["run_id"]))
                lines.append(line_digest(canonical_json(row)))
        self.read += len(lines)
        if len(ids) != len(lines):
            raise ValueError("a run stands twice")
        if (len(lines), content_digest(lines)) != (partition.rows, partition.content):
            raise ValueError(f"{len(lines)} rows that are not the {partition.rows} of the manifest")
        return ids


def _rows_of(path: str, stream: Iterable[bytes]) -> Iterator[Row]:
    if path.endswith(f".{Format.PARQUET}"):
        from atomctl.dataset.parquet import read_rows

        yield from read_rows(stream)  # type: ignore[arg-type]  # the open file it was given
        return
    for line in stream:
        yield json.loads(line)
