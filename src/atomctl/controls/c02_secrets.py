"""Control 2: secrets come from the store, to whom they belong, and stay nowhere else."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from atomctl.controls.model import Category, Control, Mapping, Probe, Side
from atomctl.controls.needs import API, SCRATCH_VAULT, SUPERUSER, VAULT
from atomctl.controls.notebook import Notebook
from atomctl.controls.people import probe_tenants
from atomctl.controls.samples import Company, company, package, packed
from atomctl.controls.scratch_vault import scratch_vault
from atomctl.controls.site import Site
from atomctl.db import queries
from atomctl.errors import AtomError
from atomctl.runs.secret_forms import forms
from atomctl.secrets import codes
from atomctl.secrets.vault import VaultSource
from atomctl.secrets.vault_settings import VaultSettings
from atomctl.settings import Settings

_PATH, _FIELD = "probe/canary", "value"
_LOG_LIMIT = 64 << 20
_sql: Any = queries.load(__file__)

_MANIFEST = """\
apiVersion: atom/v1
kind: WorkflowPackage
metadata: {{name: {name}, version: 1.0.0}}
spec:
  runtime: {{type: shell}}
  safety: {{mode: manual, approval_required: true, dry_run_required: false}}
  secrets: {{canary: {{path: "{path}", key: value}}}}
  handlers:
    - {{name: show, type: shell, config: {{script: scripts/show.sh, secrets: [canary]}}}}
"""
_SHOW = """\
#!/bin/sh
set -eu
wc -c < "$ATOM_SECRET_CANARY_FILE"
cat "$ATOM_SECRET_CANARY_FILE"
base64 < "$ATOM_SECRET_CANARY_FILE"
od -An -v -tx1 "$ATOM_SECRET_CANARY_FILE" | tr -d ' \\n'
"""


def _new_canary() -> str:
    """A secret that looks different in base64, hex, URL and JSON form, and that occurs nowhere by chance."""
    return f"canary/{secrets.token_hex(12)}+&%={secrets.token_hex(4)}"


@dataclass(slots=True)
class _Stage:
    site: Site
    company: Company
    stranger: UUID
    source: VaultSource
    canary: str = field(default_factory=_new_canary, repr=False)


@contextmanager
def _stage(site: Site, book: Notebook) -> Iterator[_Stage]:
    assert isinstance(site.secrets, VaultSource), "the control needs a Vault"
    with probe_tenants(site, book) as make:
        tenant, stranger = make(), make()
        source = VaultSource(settings_of(site.settings))
        try:
            yield _Stage(site, company(tenant), stranger.id, source)
        finally:
            source.close()


def settings_of(settings: Settings, **changed: Any) -> VaultSettings:
    """How the configured store is reached, with some fields exchanged."""
    given = {
        "address": settings.vault_addr or "",
        "mount": settings.secrets_mount,
        "namespace": settings.vault_namespace,
        "ca_file": settings.vault_cacert,
        "token": settings.vault_token,
        "role_id": settings.vault_role_id,
        "secret_id": settings.vault_secret_id,
    }
    return VaultSettings(**{**given, **changed})


def _asked(stage: _Stage, book: Notebook, what: str, ask: Callable[[], object]) -> str:
    """What the store said, in a word: the refusal's code, else the answer."""
    try:
        answer = str(ask())
    except AtomError as error:
        answer = error.code.id
    book.note("secret store", _version(stage), what.encode(), answer.encode())
    return answer


def _version(stage: _Stage) -> str:
    """What the store calls itself."""
    health = stage.source.session.ask("its version", lambda client: client.sys.read_health_status(method="GET"))
    body = health if isinstance(health, dict) else health.json()
    return str(body.get("version", "unknown"))


def _wrapped(stage: _Stage) -> str:
    """A wrapping token of a new secret id for the very role that is logged in."""

    def make(client: Any) -> str:
        role = client.auth.token.lookup_self()["data"]["meta"]["role_name"]
        answer = client.auth.approle.generate_secret_id(role_name=role, wrap_ttl="60s")
        return str(answer["wrap_info"]["token"])

    return str(stage.source.session.ask("a wrapped secret id", make))


def _versions(source: VaultSource, tenant: UUID) -> str:
    return f"{len(source.versions(tenant, _PATH))} versions"


def _wrapped_login(stage: _Stage, book: Notebook) -> str:
    fresh = VaultSource(settings_of(stage.site.settings, secret_id=_wrapped(stage)))
    try:
        return _asked(stage, book, "a wrapped login", lambda: _versions(fresh, stage.company.tenant.id))
    finally:
        fresh.close()


def _wrapped_twice(stage: _Stage, book: Notebook) -> str:
    token = _wrapped(stage)
    first, second = (VaultSource(settings_of(stage.site.settings, secret_id=token)) for _ in range(2))
    try:
        first.versions(stage.company.tenant.id, _PATH)
        return _asked(stage, book, "a second login", lambda: _versions(second, stage.company.tenant.id))
    finally:
        first.close()
        second.close()


def _rotated(stage: _Stage, book: Notebook) -> str:
    tenant = stage.company.tenant.id

    def rotate() -> str:
        first = stage.source.write(tenant, _PATH, {_FIELD: _new_canary()}, expected_version=0)
        second = stage.source.write(tenant, _PATH, {_FIELD: stage.canary}, expected_version=first)
        read = stage.source.read(tenant, _PATH)
        same = read.values[_FIELD] == stage.canary
        return f"version {second} of {read.version} is {'what was written' if same else 'something else'}"

    return _asked(stage, book, "write, rotate, read", rotate)


def _stale(stage: _Stage, book: Notebook) -> str:
    tenant = stage.company.tenant.id
    return _asked(
        stage,
        book,
        "a write on an old version",
        lambda: stage.source.write(tenant, _PATH, {_FIELD: "stale"}, expected_version=1),
    )


def _foreign_path(stage: _Stage, _: Notebook) -> str:
    """A package that names another tenant's secret is not run."""
    path = f"{stage.site.settings.secrets_mount}/{stage.stranger}/probe/canary"
    stage.company.push(_reader("probe-thief", path)).must()
    return stage.company.run("probe-thief").seen


def _reader(name: str, path: str) -> Any:
    return packed({"wpk.yaml": _MANIFEST.format(name=name, path=path), "scripts/show.sh": _SHOW})


def _sealed(stage: _Stage, book: Notebook) -> str:
    """A scratch store of the same kind is sealed between two reads."""
    tenant = stage.company.tenant.id
    with scratch_vault() as server:
        source = VaultSource(VaultSettings(address=server.address, mount="secret", token=server.token))
        source.write(tenant, _PATH, {_FIELD: "scratch"}, expected_version=0)
        source.read(tenant, _PATH)
        server.seal()
        return _asked(stage, book, "a read of a sealed store", lambda: source.read(tenant, _PATH).version)


def _used(stage: _Stage, book: Notebook) -> str:
    """A step reads the canary and prints it, in every form it can; what is left of it anywhere is looked for."""
    stage.company.push(_reader("probe-reader", _PATH)).must()
    run = stage.company.run("probe-reader").must()
    stage.company.approve(run).must()
    ended = stage.company.ended(run["id"])
    log = stage.company.owner.ask("GET", f"runs/{run['id']}/logs").granted()
    length = str(len(stage.canary)).encode()
    if ended["state"] != "SUCCEEDED" or not re.search(rb"\b" + length + rb"\b", log):
        return f"the step did not read it: {ended['state']} {ended['error']}"
    places = [*(["the run's log"] if _holds(log, stage.canary) else []), *_places(stage, stage.canary, book)]
    return "; ".join(places) or "nowhere"


def _planted(stage: _Stage, book: Notebook) -> str:
    """The same search for another canary, which lies where it must not: in a run's reason."""
    other = _new_canary()
    stage.company.push(package("probe-leak")).must()
    body = {"workflow": "probe-leak", "parameters": {}, "reason": f"it is {other}"}
    stage.company.owner.post("runs", body)
    return "found" if _places(stage, other, book) else "not found"


def _places(stage: _Stage, canary: str, book: Notebook) -> list[str]:
    """Where the canary is found, in any form: the tenant's rows, the engine's, its audit log, the processes' logs."""
    assert stage.site.admin is not None, "the control needs an administrator"
    with stage.site.admin.connect() as admin:
        rows = list(_sql.places_of(admin, tenant_id=stage.company.tenant.id, needles=_needles(canary)))
        book.note("PostgreSQL", str(admin.info.server_version), b"the canary in every table", str(rows).encode())
    found = [row["relation"] for row in rows if row["found"] != "0"]
    if len(rows) < _LEAST_TABLES:
        raise LookupError(f"only {len(rows)} tables could be searched")
    for file in sorted((stage.site.settings.home / "logs").glob("*.log")):
        with file.open("rb") as stream:
            if _holds(stream.read(_LOG_LIMIT), canary):
                found.append(str(file))
    return found


_LEAST_TABLES = 20


def _holds(data: bytes, canary: str) -> bool:
    return any(form in data for form in forms(canary))


def _needles(canary: str) -> list[str]:
    """Every form of the canary as it stands in a row printed as text: bytes in hex, backslashes doubled."""
    plain = {form.decode() for form in forms(canary)}
    return sorted({*plain, *(text.encode().hex() for text in plain), *(text.replace("\\", "\\\\") for text in plain)})


_N, _P = Side.NEGATIVE, Side.POSITIVE
CONTROL = Control(
    number=2,
    name="secrets",
    title="Vault secrets",
    promise="Secrets are read from the store by their own tenant alone, and stay in no log, table or audit entry.",
    category=Category.SUPPLY_CHAIN,
    mapping=Mapping(("CC6.1", "CC6.7"), ("A.5.17", "A.8.24"), ("IA-5", "SC-12", "SC-28")),
    needs=(API, VAULT, SUPERUSER, SCRATCH_VAULT),
    stage=_stage,
    probes=(
        Probe("a wrapped secret id logs in", _P, "0 versions", _wrapped_login),
        Probe("a canary is written, rotated and read", _P, "version 2 of 2 is what was written", _rotated),
        Probe("a step reads it, and it is left", _P, "nowhere", _used, seconds=90),
        Probe("a secret id is not unwrapped twice", _N, codes.WRAPPED_USED.id, _wrapped_twice),
        Probe("a write on an old version is refused", _N, codes.CONFLICT.id, _stale),
        Probe("another tenant's path is refused", _N, codes.FOREIGN_PATH.id, _foreign_path),
        Probe("a sealed store is told as sealed", _N, codes.SEALED.id, _sealed),
        Probe("a canary that was let slip is found", _N, "found", _planted),
    ),
)
