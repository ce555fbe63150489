"""Control 6: what belongs to another tenant is, for whoever asks, not there."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from atomctl.access.model import Role
from atomctl.controls.model import Category, Control, Probe, Side
from atomctl.controls.model import Mapping as Mapped
from atomctl.controls.needs import API
from atomctl.controls.notebook import Notebook
from atomctl.controls.people import Person, ProbeTenant, probe_tenants
from atomctl.controls.samples import Company, company, package, push_body
from atomctl.controls.site import Site
from atomctl.db.ids import new_id

_TENANTS, _ROUNDS, _THREADS = 8, 6, 16
_LEAST_ROUTES = 20
_SIGNAL_SECONDS = 30.0
_SAME = "404 for every id, as if it were made up"
_BODIES: Mapping[str, Mapping[str, object]] = {
    "yank": {"reason": "a probe"},
    "override": {"reason": "a probe"},
    "exception": {"reason": "a probe"},
    "votes": {"choice": "approve"},
    "withdraw": {"reason": "a probe"},
    "retire": {"reason": "a probe"},
    "revoke": {"reason": "a probe"},
    "cancel": {},
    "resume": {},
    "rerun": {},
    "resolve": {"step": "say-hello", "action": "done", "reason": "a probe"},
    "acknowledge": {"comment": "a probe"},
    "close": {"comment": "a probe"},
    "label": {"label": "noise"},
}


@dataclass(frozen=True, slots=True)
class _Stage:
    site: Site
    own: Company
    stranger: Person
    """Of another tenant, with every role."""
    crowd: tuple[ProbeTenant, ...]
    routes: tuple[tuple[str, str], ...]
    ids: Mapping[str, str]
    """One of everything, in the own tenant, by the name of the path's parameter."""


@contextmanager
def _stage(site: Site, book: Notebook) -> Iterator[_Stage]:
    with probe_tenants(site, book) as make:
        own = company(make())
        stranger = make().person("probe-stranger", *Role)
        crowd = tuple(make() for _ in range(_TENANTS))
        yield _Stage(site, own, stranger, crowd, tuple(_routes(own.owner)), _everything(own))


def _routes(person: Person) -> Iterator[tuple[str, str]]:
    """Every route with an id in its path, as the server itself publishes them."""
    for path, methods in person.get("openapi.json")["paths"].items():
        if "{" in path:
            yield from ((method.upper(), path.removeprefix("/api/v1/")) for method in methods)


def _everything(own: Company) -> dict[str, str]:
    own.push(package("probe-hello")).must()
    run = own.run("probe-hello").must()
    own.owner.ask("POST", "packages", push_body(package("probe-unsigned").data, []))
    return {
        "name": "probe-hello",
        "version": "1.0.0",
        "role": "viewer",
        "run_id": run["id"],
        "approval_id": run["approval_id"],
        "key_id": own.key.public_key.key_id,
        "principal_id": own.owner.get("auth/whoami")["principal"]["id"],
        "entry_id": _first(own.auditor, "audit/entries"),
        "signal_id": _first(own.auditor, "signals"),
    }


def _first(person: Person, path: str) -> str:
    """The id of the newest item, once there is one: entries and signals follow what caused them in a moment."""
    deadline = time.monotonic() + _SIGNAL_SECONDS
    while not (items := person.get(path, limit=1)["items"]) and time.monotonic() < deadline:
        time.sleep(0.2)
    return str(items[0]["id"])


def _nowhere(ids: Mapping[str, str]) -> dict[str, str]:
    """Ids of nothing at all."""
    made_up = {name: str(new_id()) for name in ids}
    return made_up | {"name": ids["name"], "version": "9.9.9", "role": "viewer", "key_id": "sha256:" + "0" * 64}


def _foreign_ids(stage: _Stage, _: Notebook) -> str:
    """Each route with an id of the own tenant, asked by the stranger, beside the same with an id of nothing."""
    nowhere, wrong = _nowhere(stage.ids), []
    for method, path in stage.routes:
        body = _BODIES.get(path.rsplit("/", 1)[1], {}) if method in {"POST", "PATCH"} else None
        foreign = stage.stranger.ask(method, path.format(**stage.ids), body)
        absent = stage.stranger.ask(method, path.format(**nowhere), body)
        if foreign.status != 404 or foreign != absent:
            wrong.append(f"{method} {path}: {foreign.status}")
    if len(stage.routes) < _LEAST_ROUTES:
        wrong.append(f"only {len(stage.routes)} routes were found")
    return "; ".join(wrong) or _SAME


def _exports(stage: _Stage, _: Notebook) -> str:
    """What streams: the log of a run, the audit log's entries and export of a run."""
    run, other, wrong = stage.ids["run_id"], str(new_id()), []
    for path in ("audit/export", "audit/entries", "audit/verify"):
        foreign, absent = (stage.stranger.ask("GET", path, run=run_id) for run_id in (run, other))
        if _without(foreign.body, run) != _without(absent.body, other) or foreign.status != absent.status:
            wrong.append(f"{path}: {foreign.status}")
    return "; ".join(wrong) or "the same as for a run that is not there"


def _without(body: bytes, name: str) -> bytes:
    return body.replace(name.encode(), b"ID")


def _own(stage: _Stage, _: Notebook) -> str:
    """The same routes, read by those they belong to."""
    wrong = []
    for method, path in stage.routes:
        reader = stage.own.auditor if path.startswith(("audit/", "signals/")) else stage.own.owner
        if method == "GET" and (answer := reader.ask("GET", path.format(**stage.ids))).status != 200:
            wrong.append(f"{path}: {answer.status}")
    return "; ".join(wrong) or "200 for every id"


def _lists(stage: _Stage, _: Notebook) -> str:
    paths = ("packages", "workflows", "runs", "approvals", "trust/keys", "trust/rules/versions")
    foreign = [path for path in paths if stage.stranger.get(path)["items"]]
    return ", ".join(foreign) or "every list is empty"


def _interleaved(stage: _Stage, _: Notebook) -> str:
    """Many tenants at once on the server's few connections."""
    people = [(tenant, tenant.person("probe-crowd", Role.VIEWER)) for tenant in stage.crowd]

    def meets_itself(pair: tuple[ProbeTenant, Person]) -> bool:
        tenant, person = pair
        said: dict[str, Any] = person.get("auth/whoami")
        return bool(said["tenant"]["id"] == str(tenant.id))

    with ThreadPoolExecutor(_THREADS) as pool:
        met = list(pool.map(meets_itself, people * _ROUNDS))
    return "every answer is its own tenant's" if all(met) else f"{met.count(False)} answers of {len(met)} are not"


_N, _P = Side.NEGATIVE, Side.POSITIVE
CONTROL = Control(
    number=6,
    name="cross-tenant",
    title="Cross-tenant access",
    promise="On every route, an id of another tenant is answered, byte for byte, like one that does not exist.",
    category=Category.TENANCY,
    mapping=Mapped(("CC6.1", "CC6.3", "C1.1"), ("A.5.15", "A.8.3"), ("AC-3", "AC-6", "SC-4")),
    needs=(API,),
    stage=_stage,
    probes=(
        Probe("the own id is found on every route", _P, "200 for every id", _own, seconds=90),
        Probe("interleaved tenants meet themselves alone", _P, "every answer is its own tenant's", _interleaved),
        Probe("another tenant's id is found on no route", _N, _SAME, _foreign_ids, seconds=120),
        Probe("another tenant's run is in no export", _N, "the same as for a run that is not there", _exports),
        Probe("no list shows what is another tenant's", _N, "every list is empty", _lists),
    ),
)
