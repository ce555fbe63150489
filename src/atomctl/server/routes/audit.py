"""`/audit`: the log, proofs, verification, export. Nothing here changes it."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final, TypeAlias, TypeVar
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from atomctl.access.permissions import Resource, Verb, require
from atomctl.audit import codes as audit_codes
from atomctl.audit.anchor import newest_of
from atomctl.audit.anchored import Anchored, judge
from atomctl.audit.evidence import Evidence
from atomctl.audit.export import export_bundle
from atomctl.audit.gather import gather
from atomctl.audit.live import verify_live
from atomctl.audit.log import list_entries, waiting
from atomctl.audit.model import DEPLOYMENT
from atomctl.audit.proofs import last_checkpoint, prove_consistency, prove_entry
from atomctl.audit.verdict import AuditVerdict
from atomctl.audit.verify import verify_bundle
from atomctl.db.session import Connection
from atomctl.errors import AtomError
from atomctl.server.acting import Caller, CallerOf
from atomctl.server.documents.audit import EntryDocument, EntryPage
from atomctl.server.pages import PagingOf
from atomctl.server.waiting import wait_until

router = APIRouter(prefix="/audit", tags=["audit"])

_SEQUENCER_SECONDS: Final = 5.0
"""How long an answer waits for the sequencer to sign what was just recorded."""
_CHUNK: Final = 256 * 1024

_T = TypeVar("_T")
_Json: TypeAlias = dict[str, Any]
OfRun = Annotated[UUID | None, Query(description="Only this run's entries.")]


@router.get("/entries")
def show_entries(caller: CallerOf, paging: PagingOf, run: OfRun = None, subject: str | None = None) -> EntryPage:
    """Entries, the newest first; of one run or subject if asked."""
    require(caller.actor, Verb.READ, Resource.AUDIT)
    tenant_id = caller.actor.tenant_id
    with caller.transaction() as conn:
        found = list_entries(conn, tenant_id, before=paging.key(int), run_id=run, subject=subject, limit=paging.fetch)
        behind = waiting(conn, tenant_id, run_id=run)
    page, following = paging.cut(found, lambda entry: entry.index)
    return EntryPage(items=[EntryDocument.of(entry) for entry in page], next=following, waiting=behind)


@router.get("/entries/{entry_id}/proof")
def show_proof(caller: CallerOf, entry_id: UUID) -> _Json:
    """The proof that an entry is under the newest signed checkpoint (`atom.audit-proof/v1`)."""
    require(caller.actor, Verb.READ, Resource.AUDIT)
    return _patiently(caller, lambda conn: prove_entry(conn, caller.actor.tenant_id, entry_id)).to_json()


@router.get("/checkpoint", response_class=Response)
def show_checkpoint(caller: CallerOf) -> Response:
    """The newest signed checkpoint, a C2SP signed note: to be kept elsewhere."""
    require(caller.actor, Verb.READ, Resource.TENANT)
    row = _patiently(caller, lambda conn: last_checkpoint(conn, caller.actor.tenant_id))
    return Response(bytes(row["note"]), media_type="text/plain; charset=utf-8")


@router.get("/consistency")
def show_consistency(caller: CallerOf, old: Annotated[int, Query(ge=1)], new: Annotated[int, Query(ge=1)]) -> _Json:
    """The proof that the log of `new` entries begins with that of `old` entries; hashes in base64, nearest first."""
    require(caller.actor, Verb.READ, Resource.AUDIT)
    with caller.transaction() as conn:
        proof = prove_consistency(conn, caller.actor.tenant_id, old, new)
    return {"old": old, "new": new, "proof": [base64.b64encode(node).decode() for node in proof]}


@router.get("/anchor")
def show_anchor(caller: CallerOf) -> _Json:
    """The newest anchor and what leads from it to this tenant's log; `evidence` is null where nothing is anchored."""
    require(caller.actor, Verb.READ, Resource.AUDIT)
    evidence = _evidence(caller)
    return {"configured": caller.services.anchors is not None, "evidence": evidence.to_json() if evidence else None}


@router.get("/verify")
def verify(caller: CallerOf, run: OfRun = None) -> _Json:
    """What verification finds in the whole log, or in one run's entries (`atom.audit-verdict/v1`)."""
    require(caller.actor, Verb.READ, Resource.AUDIT)
    trusted = caller.services.audit_keys
    # Read before the log is: the log must have grown from what was anchored then.
    evidence = _evidence(caller) if run is None else None
    anchored = judge(evidence, caller.actor.tenant_id, trusted) if evidence else Anchored(None)

    def look(conn: Connection) -> AuditVerdict:
        if run is None:
            known = [anchored.checkpoint] if anchored.checkpoint is not None else []
            verdict = verify_live(conn, caller.actor.tenant_id, trusted=trusted, anchored=known)
            return verdict.with_findings(anchored.findings)
        with tempfile.TemporaryDirectory(prefix="atom-verify-") as folder:
            path = Path(folder) / "run.atomaudit"
            with path.open("wb") as out:
                export_bundle(conn, caller.actor.tenant_id, run_id=run, out=out)
            return verify_bundle(path, trusted=trusted)

    return _patiently(caller, look).to_json()


@router.get("/export", response_class=StreamingResponse)
def export(caller: CallerOf, run: OfRun = None) -> StreamingResponse:
    """The log or one run's entries as a bundle that anybody can verify offline."""
    require(caller.actor, Verb.EXPORT, Resource.AUDIT)

    def write(conn: Connection) -> BinaryIO:
        with tempfile.TemporaryDirectory(prefix="atom-export-") as folder:
            path = Path(folder) / "bundle.atomaudit"
            with path.open("wb") as out:
                export_bundle(conn, caller.actor.tenant_id, run_id=run, out=out)
            # The folder goes now; the bytes go when the answer has been sent and the file is closed.
            return path.open("rb")

    name = f"{run or caller.actor.tenant_id}.atomaudit"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_chunks(_patiently(caller, write)), media_type="application/x-ndjson", headers=headers)


def _evidence(caller: Caller) -> Evidence | None:
    """What leads from the newest anchor to the caller's log; None where nothing is anchored.

    Raises:
        AtomError: OBJ codes the bucket cannot be read: whoever asked for anchors is not told that there are none.
    """
    store, keys = caller.services.anchors, caller.services.audit_keys
    anchor = newest_of(store, keys) if store is not None else None
    if anchor is None:
        return None
    with caller.services.sessions.tenant(DEPLOYMENT) as conn:
        return gather(conn, caller.actor.tenant_id, anchor)


def _patiently(caller: Caller, read: Callable[[Connection], _T]) -> _T:
    """What `read` finds once the sequencer has signed what it needs.

    Raises:
        AtomError: AUD712 it has not within `_SEQUENCER_SECONDS`, and whatever else `read` raises.
    """

    def look() -> _T | AtomError:
        try:
            with caller.transaction() as conn:
                return read(conn)
        except AtomError as error:
            if error.code != audit_codes.NOT_YET:
                raise
            return error

    found = wait_until(look, lambda answer: not isinstance(answer, AtomError), _SEQUENCER_SECONDS)
    if isinstance(found, AtomError):
        raise found
    return found


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk
