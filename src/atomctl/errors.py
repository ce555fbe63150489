"""The one error root, its codes and the exit codes.

Every refusal a user can meet is an `AtomError` that carries a `Code`. A code belongs to the stage that refuses:

    CFG0xx  settings and home        TRU1xx  signing keys        POL4xx  decision
    CLI0xx  command line             TRU2xx  verification        APR5xx  approval
    DBA0xx  database                 VAL3xx  validation          RUN6xx  runs and steps
    AUT0xx  login and permission     REG4xx  registry            AUD7xx  audit log
    API0xx  HTTP interface           WPK1xx  packages            OBJ0xx  object store
    SEC0xx  secret stores            BAK0xx  backups                  CTL9xx  the twelve controls
    DAT8xx  training-data export     KUB0xx  Kubernetes               INS8xx  signals
    EMB0xx  embeddings               KNO0xx  knowledge

Each domain declares its codes in its own `codes.py`, which imports nothing but this file, so that
`atomctl explain CODE` and the generated reference read all of them at the price of a few dataclasses.
Unknown, invalid and unsigned are three words and three codes.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

DOCS = "docs/reference/errors.md"


class ExitCode(enum.IntEnum):
    """What the process returns to the shell; scripts branch on it, so a value never changes its meaning."""

    OK = 0
    NO = 1
    """The question was answered, and the answer is no."""
    USAGE = 2
    SERVICE = 3
    """A service or the network did not answer; the same call may succeed later."""
    AUTH = 4
    CONFLICT = 5
    PENDING = 8
    """Not decided or not finished within the time given."""
    UNSIGNED = 10
    UNTRUSTED = 11
    TAMPERED = 12
    DENIED = 13
    AUDIT_BROKEN = 14
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Code:
    """A stable error code: what `atomctl explain` prints and what scripts match on."""

    id: str
    title: str
    """What happened, in a few words and without this occurrence's details."""
    meaning: str
    """When this is raised and what stays true afterwards, for somebody who looks the code up."""
    hint: str
    """The usual remedy, best a command to paste."""
    exit: ExitCode = ExitCode.NO
    status: int = 400
    """The HTTP status the API answers with."""
    retryable: bool = False
    """The same call may succeed later without any change; never true of a refusal."""

    @property
    def docs(self) -> str:
        """Where the generated reference describes this code."""
        return f"{DOCS}#{self.id.lower()}"


class AtomError(Exception):
    """Anything ATOM refuses or cannot do, with the reason and the remedy.

    Args:
        code: the stable code.
        why: this occurrence in one sentence: which file, name or value, what was got and what was expected.
            Never a secret value.
        hint: the remedy for this occurrence, where it is more exact than the code's own.
    """

    def __init__(self, code: Code, why: str, *, hint: str | None = None) -> None:
        super().__init__(why)
        self.code = code
        self.why = why
        self.hint = hint if hint is not None else code.hint

    def __str__(self) -> str:
        return f"{self.code.id}: {self.why}"

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (self.code, self.why, self.hint))

    def to_json(self) -> dict[str, str]:
        """The four fields every surface shows: `code`, `why`, `hint`, `docs`; `title` beside them."""
        return {
            "code": self.code.id,
            "title": self.code.title,
            "why": self.why,
            "hint": self.hint,
            "docs": self.code.docs,
        }


def _rebuild(code: Code, why: str, hint: str) -> AtomError:
    return AtomError(code, why, hint=hint)
