"""What an audit entry says: who did what to which subject, on which digests, why, and how it ended."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from atomctl.canonical import Digest, Json, canonical_json, digest

DEPLOYMENT = UUID(int=0)
"""The tenant id of the deployment's own log, whose leaves are the tenants' checkpoints."""

MAX_LEAF = 65_535
"""Bytes of a leaf: C2SP tlog-tiles gives the length in front of an entry 16 bits."""

MAX_ENTRY = MAX_LEAF - 100
"""Bytes of an entry as it is recorded; index and time, added by the sequencer, take the rest."""

_ACTION = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
# PostgreSQL's jsonb holds no NUL, UTF-8 no lone surrogate; both come in with hostile input and must not stop an entry.
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


class Result(enum.StrEnum):
    """How what the entry describes ended."""

    OK = "ok"
    REFUSED = "refused"
    """ATOM said no; `code` says why."""
    FAILED = "failed"
    """It was allowed, and did not work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened, before it is recorded.

    Values that may hold secrets are masked by the caller. Whatever names a person (address, e-mail, user name, free
    text a person typed about somebody) belongs in `personal`: the log then holds a salted commitment, and the value
    can be erased later while every proof stays.

    Attributes:
        action: `noun.verb`, such as `package.publish`.
        subject: `kind/id` of what it was done to, such as `run/0190…`.
        result: how it ended.
        actor: the principal who did it; None for the system itself.
        run_id: the run it belongs to, so that a run's evidence can be exported; set for entries about approvals and
            packages too when they concern a run. Taken from `subject` when that is `run/<id>`.
        digests: what it was done on, by name (`package`, `plan`, …).
        code: the ATOM code of a refusal or failure.
        why: the reason in one sentence.
        detail: what else an auditor needs; replaced by its digest when the entry would be too large.
        personal: personal values by field name, at most 1,024 bytes each.

    Raises:
        ValueError: an action that is not `noun.verb` or a subject that is not `kind/id`.
    """

    action: str
    subject: str
    result: Result = Result.OK
    actor: UUID | None = None
    run_id: UUID | None = None
    digests: Mapping[str, Digest] = field(default_factory=dict)
    code: str | None = None
    why: str | None = None
    detail: Mapping[str, Json] = field(default_factory=dict)
    personal: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _ACTION.fullmatch(self.action):
            raise ValueError(f"an action is noun.verb in lower case, got {self.action!r}")
        kind, slash, name = self.subject.partition("/")
        if not (kind and slash and name):
            raise ValueError(f"a subject is kind/id, got {self.subject!r}")

    @property
    def run(self) -> UUID | None:
        """The run this entry belongs to."""
        if self.run_id is None and self.subject.startswith("run/"):
            return _uuid_or_none(self.subject.removeprefix("run/"))
        return self.run_id


def entry_bytes(entry: Entry, *, entry_id: UUID, tenant_id: UUID, commitments: Mapping[str, Digest]) -> bytes:
    """The canonical JSON that is recorded; absent fields are left out.

    `detail` is replaced by `{"omitted": {"bytes": n, "digest": …}}` when the whole would exceed `MAX_ENTRY`; the result
    can still be larger if the rest alone is.
    """
    document = _document(entry, entry_id, tenant_id, commitments)
    data = canonical_json(document)
    if len(data) <= MAX_ENTRY or "detail" not in document:
        return data
    detail = canonical_json(document["detail"])
    document["detail"] = {"omitted": {"bytes": len(detail), "digest": digest(detail)}}
    return canonical_json(document)


def _document(entry: Entry, entry_id: UUID, tenant_id: UUID, commitments: Mapping[str, Digest]) -> dict[str, Json]:
    optional: dict[str, Json] = {
        "actor": str(entry.actor) if entry.actor else None,
        "run": str(entry.run) if entry.run else None,
        "digests": {name: str(value) for name, value in entry.digests.items()} or None,
        "code": entry.code,
        "why": entry.why,
        "detail": dict(entry.detail) or None,
        "personal": {name: str(value) for name, value in commitments.items()} or None,
    }
    document: dict[str, Json] = {
        "v": 1,
        "id": str(entry_id),
        "tenant": str(tenant_id),
        "action": entry.action,
        "subject": entry.subject,
        "result": entry.result.value,
    }
    document.update((name, value) for name, value in optional.items() if value is not None)
    return {name: writable(value) for name, value in document.items()}


def writable(value: Json) -> Json:
    """`value` with NUL and lone surrogates in its texts replaced by U+FFFD, which every store and reader accepts."""
    if isinstance(value, str):
        return _UNWRITABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [writable(item) for item in value]
    if isinstance(value, dict):
        return {_UNWRITABLE.sub("\ufffd", name): writable(item) for name, item in value.items()}
    return value


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
