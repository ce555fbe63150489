"""What verification of a log says: whether it holds, who signed it, and each thing that is wrong."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable
from dataclasses import dataclass

from atomctl.audit import codes
from atomctl.audit.chain import Epoch
from atomctl.audit.checkpoint import Checkpoint
from atomctl.canonical import Json
from atomctl.errors import AtomError, Code, ExitCode

FINDINGS_AT_MOST = 100
"""Findings that are kept; a log that was rewritten as a whole needs no more."""

# The most telling first: a wrong signature explains everything below it, a changed root says the least.
_RANK = {
    code.id: rank
    for rank, code in enumerate(
        (
            codes.BAD_SIGNATURE,
            codes.FORKED,
            codes.DUPLICATED,
            codes.REORDERED,
            codes.MISSING,
            codes.TRUNCATED,
            codes.BACKDATED,
            codes.CHANGED,
        )
    )
}


class Outcome(enum.StrEnum):
    """The answer in one word."""

    VERIFIED = "verified"
    """Everything fits a checkpoint signed by a key that was trusted beforehand."""
    SELF_CONSISTENT = "self-consistent"
    """Everything fits, but nobody said beforehand whose signature to expect."""
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and at which index if it has one."""

    code: Code
    why: str
    index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerdict:
    """What verification found.

    Attributes:
        checkpoint: what the entries were compared with.
        entries: how many entries were checked.
        vkey: the verifier key whose signature was checked, as text.
        signer_known: whether that key was given by the caller, and not only by what was verified.
        anchored: whether a checkpoint kept elsewhere was compared and fits.
        run: the run whose entries these are; None for a whole log. A run's entries are shown to be in the log, not to
            be all there are: only the whole log shows that.
        findings: what is wrong, the most telling first.
        epochs: the restores the log has been through; each may have lost entries, and says so.
    """

    checkpoint: Checkpoint
    entries: int
    vkey: str
    signer_known: bool
    anchored: bool
    run: str | None
    findings: tuple[Finding, ...]
    epochs: tuple[Epoch, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """The answer in one word."""
        if self.findings:
            return Outcome.BROKEN
        return Outcome.VERIFIED if self.signer_known else Outcome.SELF_CONSISTENT

    @property
    def code(self) -> Code | None:
        """The most telling finding's code; AUD710 if all fits and the signer is unknown; None if it is verified."""
        if self.findings:
            return self.findings[0].code
        return None if self.signer_known else codes.SIGNER_UNKNOWN

    @property
    def exit_code(self) -> ExitCode:
        """What a process that was asked returns; a self-consistent log is not 0."""
        return self.code.exit if self.code else ExitCode.OK

    @property
    def warnings(self) -> tuple[Code, ...]:
        """What does not make the answer wrong and has to be said with it."""
        return () if self.anchored or self.findings else (codes.UNANCHORED,)

    def raise_if_broken(self) -> None:
        """Returns if the log holds, known signer or not.

        Raises:
            AtomError: AUD701 to AUD708, the most telling finding.
        """
        if self.findings:
            raise AtomError(self.findings[0].code, self.findings[0].why)

    def with_findings(self, findings: Iterable[Finding]) -> AuditVerdict:
        """The verdict, with what else is wrong."""
        found = by_weight([*self.findings, *findings])
        return dataclasses.replace(self, findings=found, anchored=self.anchored and not found)

    def to_json(self) -> dict[str, Json]:
        """The verdict as a document, schema `atom.audit-verdict/v1`."""
        return {
            "schema": "atom.audit-verdict/v1",
            "outcome": self.outcome.value,
            "code": self.code.id if self.code else None,
            "origin": self.checkpoint.origin,
            "size": self.checkpoint.size,
            "root": self.checkpoint.root.hex(),
            "entries": self.entries,
            "run": self.run,
            "signer": {"key": self.vkey, "known": self.signer_known},
            "anchored": self.anchored,
            "warnings": [code.id for code in self.warnings],
            "findings": [{"code": item.code.id, "why": item.why, "index": item.index} for item in self.findings],
            "epochs": [
                {"origin": item.origin, "restored": item.first, "lost": item.lost, "why": item.reason}
                for item in self.epochs
            ],
        }


def by_weight(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, the most telling first, at most `FINDINGS_AT_MOST`."""
    return tuple(sorted(findings, key=lambda item: _RANK[item.code.id])[:FINDINGS_AT_MOST])
