"""Control 11: what happened stays on record; whoever changes the record is found out."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from atomctl.audit import codes
from atomctl.audit.bundle import read_header
from atomctl.audit.keys import FileKey, load_key
from atomctl.audit.verify import verify_bundle
from atomctl.controls.model import Category, Control, Mapping, Probe, Side
from atomctl.controls.needs import API, AUDIT_BUCKET, TWIN
from atomctl.controls.notebook import Notebook
from atomctl.controls.people import probe_tenants
from atomctl.controls.samples import Company, company, package
from atomctl.controls.site import Site
from atomctl.db import queries
from atomctl.db.connections import connect
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Connection
from atomctl.objects.opening import audit_store
from atomctl.objects.probe import probe_lock

_TABLES = ("audit_inbox", "audit_entries", "audit_tiles", "audit_heads", "audit_checkpoints", "personal_values")
_LEAST_ENTRIES = 6
_SECONDS = 30.0
_attacks: Any = queries.load(__file__, "attacks.sql")


@dataclass(frozen=True, slots=True)
class _Stage:
    site: Site
    company: Company


@contextmanager
def _stage(site: Site, book: Notebook) -> Iterator[_Stage]:
    with probe_tenants(site, book) as make:
        yield _Stage(site, company(make()))


def _export(victim: Company) -> bytes:
    """The whole log of the tenant, once everything recorded is sequenced and signed.

    Raises:
        AtomError: CTL902 the export was refused.
        TimeoutError: the sequencer has not come to it.
    """
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        page = victim.auditor.get("audit/entries", limit=1)
        if page["items"] and not page["waiting"]:
            bundle = victim.auditor.ask("GET", "audit/export").granted()
            if read_header(io.BytesIO(bundle)).entries > page["items"][0]["index"]:
                return bundle
        time.sleep(0.2)
    raise TimeoutError("the sequencer does not sign what was recorded")


def _verified(victim: Company, key: FileKey) -> str:
    """What the offline verification of the tenant's exported log says, in one word."""
    with tempfile.TemporaryDirectory(prefix="atom-audit-") as folder:
        bundle = Path(folder) / "log.atomaudit"
        bundle.write_bytes(_export(victim))
        verdict = verify_bundle(bundle, trusted=[key.vkey])
    if verdict.entries < _LEAST_ENTRIES:
        return f"only {verdict.entries} entries"
    return f"{verdict.code.id} {verdict.code.title}" if verdict.findings and verdict.code else verdict.outcome.value


def _untouched(stage: _Stage, _: Notebook) -> str:
    return _verified(stage.company, load_key(stage.site.audit_key))


def _live(stage: _Stage, _: Notebook) -> str:
    return str(stage.company.auditor.get("audit/verify")["outcome"])


def _rewrite(attack: str) -> Callable[[_Stage, Notebook], str]:
    """The API server's own role tries one statement on each table of the log, in the tenant, rolled back."""

    def act(stage: _Stage, book: Notebook) -> str:
        allowed = []
        with connect(stage.site.address.dsn(DatabaseRole.APP)) as connection:
            _attacks.choose_tenant(connection, tenant=str(stage.company.tenant.id))
            for table in _TABLES:
                answer = _try(connection, f"{attack}_{table}" if attack != "replica_role" else attack)
                request = f"{attack} {table} as atom_app".encode()
                book.note("PostgreSQL", str(connection.info.server_version), request, answer.encode())
                if answer != "refused":
                    allowed.append(f"{table}: {answer}")
        return "; ".join(allowed) or "refused"

    return act


def _try(connection: Connection, name: str) -> str:
    try:
        with connection.transaction(force_rollback=True):
            getattr(_attacks, name)(connection)
    except psycopg.errors.InsufficientPrivilege:
        return "refused"
    except psycopg.Error as error:
        return f"not refused, but {error.sqlstate}"
    return "allowed"


def _tamper(edit: str) -> Callable[[_Stage, Notebook], str]:
    """On the twin: a superuser edits a log, and the next bundle exported from it is verified offline."""

    def act(stage: _Stage, book: Notebook) -> str:
        twin = stage.site.twin.site()
        assert twin.admin is not None, "an embedded database has an administrator"
        with probe_tenants(twin, book) as make, twin.admin.connect() as admin:
            victim = company(make())
            victim.push(package()).must()
            before = _export(victim)
            changed = _edit(admin, edit, victim.tenant.id, before)
            book.note("PostgreSQL", str(admin.info.server_version), edit.encode(), str(changed).encode())
            return _verified(victim, load_key(twin.audit_key))

    return act


def _edit(admin: Connection, edit: str, tenant_id: UUID, before: bytes) -> int:
    """Does it as only a superuser can, with every trigger switched off; the rows it changed."""
    with admin.transaction():
        _attacks.superuser(admin)
        if edit == "forge_signature":
            return _forge(admin, tenant_id)
        rows: int = getattr(_attacks, edit)(admin, tenant_id=tenant_id)
    if not rows:
        raise LookupError(f"{edit} changed nothing in a log of {len(before)} bytes")
    return rows


def _forge(admin: Connection, tenant_id: UUID) -> int:
    """Every checkpoint of the tenant is signed anew, by a key that is not the deployment's."""
    from atomctl.audit.checkpoint import parse_checkpoint, sign_checkpoint
    from atomctl.audit.keys import create_key

    rows = list(_attacks.checkpoints(admin, tenant_id=tenant_id))
    with tempfile.TemporaryDirectory(prefix="atom-forger-") as folder:
        forger = create_key(Path(folder) / "forger.key")
    for row in rows:
        note = sign_checkpoint(parse_checkpoint(bytes(row["note"]))[0], forger)
        _attacks.replace_note(admin, tenant_id=tenant_id, size=row["size"], note=note)
    return len(rows)


def _locked(stage: _Stage, book: Notebook, *, attacked: bool) -> str:
    """What the bucket of the anchors really enforces; the objects attacked were made for it."""
    store = audit_store(stage.site.settings)
    if store is None:
        raise LookupError("S3_AUDIT_BUCKET is not set")
    report = probe_lock(store)
    book.note(f"S3 at {report.place}", report.server or "unnamed", b"six attacks", str(report.to_json()).encode())
    if not attacked:
        return "extended" if report.extended else "not extended"
    broken = ", ".join(report.broken) if report.results else "it cannot lock"
    return broken or f"all {len(report.results)} held"


_N, _P = Side.NEGATIVE, Side.POSITIVE
_WRITES = {
    "update": "UPDATE",
    "delete": "DELETE",
    "truncate": "TRUNCATE",
    "upsert": "ON CONFLICT DO UPDATE",
    "drop": "DROP TABLE",
    "trigger_off": "switching a trigger off",
    "replica_role": "taking the replica's role",
}
_EDITS = {
    "change_entry": ("a changed entry", codes.CHANGED),
    "remove_entry": ("a removed entry", codes.MISSING),
    "cut_off": ("a log that was cut off", codes.TRUNCATED),
    "swap_entries": ("entries that changed places", codes.REORDERED),
    "repeat_entry": ("an entry that stands twice", codes.DUPLICATED),
    "forge_signature": ("a checkpoint of another key", codes.BAD_SIGNATURE),
}
CONTROL = Control(
    number=11,
    name="audit",
    title="Immutable audit",
    promise="No role of ATOM's rewrites the log; what a superuser changes is found offline; anchors cannot be removed.",
    category=Category.RECORDS,
    mapping=Mapping(("CC4.1", "CC7.2", "CC7.3"), ("A.8.15", "A.5.28", "A.5.33"), ("AU-9", "AU-10", "AU-11")),
    needs=(API, TWIN, AUDIT_BUCKET),
    stage=_stage,
    probes=(
        Probe("the live log verifies", _P, "verified", _live),
        Probe("an exported log verifies offline", _P, "verified", _untouched),
        Probe("a retention can be extended", _P, "extended", partial(_locked, attacked=False)),
        *(
            Probe(f"{what} is refused to the server's role", _N, "refused", _rewrite(how))
            for how, what in _WRITES.items()
        ),
        *(
            Probe(f"{what} is found offline", _N, f"{code.id} {code.title}", _tamper(edit), seconds=150)
            for edit, (what, code) in _EDITS.items()
        ),
        Probe("six attacks on a locked object fail", _N, "all 6 held", partial(_locked, attacked=True)),
    ),
)
