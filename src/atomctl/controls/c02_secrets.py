"""Control 2: secrets come from the store, to whom they belong, and stay nowhere else."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from atomctl.access.model import Role
from atomctl.controls.canary import found_in_copy, found_in_files, holds, new_canary, places
from atomctl.controls.exporting import Exporting
from atomctl.controls.model import Category, Control, Mapping, Probe, Side
from atomctl.controls.needs import API, BACKUP_PROGRAMS, SCRATCH_VAULT, SUPERUSER, VAULT
from atomctl.controls.notebook import Notebook
from atomctl.controls.people import probe_tenants
from atomctl.controls.samples import Company, company, package, packed
from atomctl.controls.scratch_vault import scratch_vault
from atomctl.controls.site import Site
from atomctl.errors import AtomError
from atomctl.secrets import codes
from atomctl.secrets.vault import VaultSource
from atomctl.secrets.vault_settings import VaultSettings
from atomctl.settings import Settings

_PATH, _FIELD = "probe/canary", "value"

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


@dataclass(slots=True)
class _Stage:
    site: Site
    company: Company
    stranger: UUID
    source: VaultSource
    canary: str = field(default_factory=new_canary, repr=False)
    planted: str = field(default_factory=new_canary, repr=False)
    """Another one, which the stage itself lets slip: a search that does not find it proves nothing."""


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
        first = stage.source.write(tenant, _PATH, {_FIELD: new_canary()}, expected_version=0)
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
    found = places(stage.site, stage.company.tenant.id, stage.canary, book)
    return "; ".join(["the run's log", *found] if holds(log, stage.canary) else found) or "nowhere"


def _exported(stage: _Stage, book: Notebook) -> str:
    """The tenant exports its runs; no byte of any file is the canary's."""
    exporter = stage.company.tenant.person("probe-exporter", Role.SECURITY)
    with tempfile.TemporaryDirectory(prefix="atom-probe-canary-") as folder:
        exporting = Exporting(exporter, Path(folder))
        _, ended = exporting.run(book, exporting.argv("runs", formats="jsonl"))
        files = [path for path in (Path(folder) / "runs").rglob("*") if path.is_file()]
        if ended != "ok" or not any(path.suffix == ".jsonl" and path.stat().st_size for path in files):
            return f"nothing was exported: {ended}"
        return "; ".join(found_in_files(files, stage.canary)) or "nowhere"


def _let_slip(stage: _Stage, book: Notebook) -> str:
    """The same search for another canary, which lies where it must not: in a run's reason."""
    stage.company.push(package("probe-leak")).must()
    body = {"workflow": "probe-leak", "parameters": {}, "reason": f"it is {stage.planted}"}
    stage.company.owner.post("runs", body)
    return "found" if places(stage.site, stage.company.tenant.id, stage.planted, book) else "not found"


def _backed_up(stage: _Stage, book: Notebook) -> str:
    """What a backup is made of holds the one that was let slip, and so would hold the canary."""
    found = found_in_copy(stage.site.address, (stage.canary, stage.planted), book)
    names = {stage.planted: "the one let slip", stage.canary: "the canary"}
    return " and ".join(name for canary, name in names.items() if canary in found) or "neither"


_N, _P = Side.NEGATIVE, Side.POSITIVE
CONTROL = Control(
    number=2,
    name="secrets",
    title="Vault secrets",
    promise="Secrets are read from the store by their own tenant alone, and stay in no log, table, backup or export.",
    category=Category.SUPPLY_CHAIN,
    mapping=Mapping(("CC6.1", "CC6.7"), ("A.5.17", "A.8.24"), ("IA-5", "SC-12", "SC-28")),
    needs=(API, VAULT, SUPERUSER, SCRATCH_VAULT, BACKUP_PROGRAMS),
    stage=_stage,
    probes=(
        Probe("a wrapped secret id logs in", _P, "0 versions", _wrapped_login),
        Probe("a canary is written, rotated and read", _P, "version 2 of 2 is what was written", _rotated),
        Probe("a step reads it, and it is left", _P, "nowhere", _used, seconds=90),
        Probe("the run is exported, and it is left", _P, "nowhere", _exported, seconds=90),
        Probe("a secret id is not unwrapped twice", _N, codes.WRAPPED_USED.id, _wrapped_twice),
        Probe("a write on an old version is refused", _N, codes.CONFLICT.id, _stale),
        Probe("another tenant's path is refused", _N, codes.FOREIGN_PATH.id, _foreign_path),
        Probe("a sealed store is told as sealed", _N, codes.SEALED.id, _sealed),
        Probe("a canary that was let slip is found", _N, "found", _let_slip),
        Probe("a backup holds that one alone", _N, "the one let slip", _backed_up, seconds=240),
    ),
)
