"""Control 1: nothing runs that nobody trusted has signed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from atomctl.canonical import raw_digest
from atomctl.controls import cosign
from atomctl.controls.model import Category, Control, Mapping, Probe, Side
from atomctl.controls.needs import API, TWIN
from atomctl.controls.notebook import Notebook
from atomctl.controls.people import probe_tenants
from atomctl.controls.samples import Company, company, new_key, package, push_body, register, release, trust_ids
from atomctl.controls.site import Site
from atomctl.trust import codes as trust


@dataclass(frozen=True, slots=True)
class _Stage:
    site: Site
    company: Company
    book: Notebook


@contextmanager
def _stage(site: Site, book: Notebook) -> Iterator[_Stage]:
    with probe_tenants(site, book) as make:
        yield _Stage(site, company(make()), book)


def _signed(stage: _Stage, _: Notebook) -> str:
    return stage.company.push(package()).seen


def _signed_by_cosign(stage: _Stage, book: Notebook) -> str:
    owner, made = stage.company.owner, package("probe-cosign")
    signed = cosign.sign(stage.site.settings, made.data, book)
    key_id = register(owner, signed.public_pem)
    trust_ids(owner, stage.company.key.public_key.key_id, key_id)
    body = push_body(made.data, [signed.bundle], name="probe-cosign", version="1.0.0")
    return owner.ask("POST", "packages", body).seen


def _unsigned(stage: _Stage, _: Notebook) -> str:
    return stage.company.owner.ask("POST", "packages", push_body(package("probe-unsigned").data, [])).seen


def _wrong_key(stage: _Stage, _: Notebook) -> str:
    made = package("probe-stranger")
    return stage.company.push(made, release(new_key(), made)).seen


def _flipped_byte(stage: _Stage, _: Notebook) -> str:
    made = package("probe-flipped")
    data = bytearray(made.data)
    data[data.index(b"hello")] ^= 1
    body = push_body(bytes(data), [release(stage.company.key, made)])
    return stage.company.owner.ask("POST", "packages", body).seen


def _revoked_key(stage: _Stage, _: Notebook) -> str:
    owner, key = stage.company.owner, new_key()
    key_id = register(owner, key.public_key.to_pem())
    trust_ids(owner, stage.company.key.public_key.key_id, key_id)
    now = datetime.now(UTC).isoformat()
    owner.post(f"trust/keys/{key_id}/revoke", {"reason": "a probe of a control", "revoked_from": now})
    made = package("probe-revoked")
    return stage.company.push(made, release(key, made)).seen


def _swapped(stage: _Stage, book: Notebook) -> str:
    """On the twin: what was signed and approved is exchanged in the store before the worker reads it."""
    twin = stage.site.twin.site()
    with probe_tenants(twin, book) as make:
        victim = company(make())
        made = package("probe-swapped")
        victim.push(made).must()
        run = victim.run("probe-swapped").must()
        name = raw_digest(made.digest).hex()
        stored = twin.settings.home / "objects" / "packages" / name[:2] / name
        stored.write_bytes(package("probe-swapped").data)
        victim.approve(run).must()
        ended = victim.ended(run["id"])
        return f"{ended['state']} {ended['error']['code'] if ended['error'] else ''}".rstrip()


_N, _P = Side.NEGATIVE, Side.POSITIVE
CONTROL = Control(
    number=1,
    name="signatures",
    title="Signature enforcement",
    promise="A package is accepted only with a signature that the rules trust, and runs only as it was signed.",
    category=Category.SUPPLY_CHAIN,
    mapping=Mapping(("CC6.8", "CC8.1"), ("A.8.19", "A.8.32"), ("CM-14", "SI-7", "SR-4")),
    needs=(API, TWIN),
    stage=_stage,
    probes=(
        Probe("a signed package is accepted", _P, "ok", _signed),
        Probe("a package signed by cosign is accepted", _P, "ok", _signed_by_cosign, applies=cosign.why_not),
        Probe("an unsigned package is refused", _N, trust.UNSIGNED.id, _unsigned),
        Probe("a signature of a key nobody registered is refused", _N, trust.KEY_UNKNOWN.id, _wrong_key),
        Probe("a package with one flipped byte is refused", _N, trust.DIGEST_MISMATCH.id, _flipped_byte),
        Probe("a signature of a revoked key is refused", _N, trust.KEY_REVOKED.id, _revoked_key),
        Probe("a package exchanged in the store is not run", _N, "BLOCKED RUN603", _swapped, seconds=150),
    ),
)
