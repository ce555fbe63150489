"""Control 4: what a package may do is decided by its risk, by two people where it matters, and for what they saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from atomctl.access.model import Role
from atomctl.approvals import codes as approvals
from atomctl.controls.model import Category, Control, Mapping, Probe, Side
from atomctl.controls.needs import API, TWIN
from atomctl.controls.notebook import Notebook
from atomctl.controls.people import probe_tenants
from atomctl.controls.samples import APPLY, READ, Company, company, package, push_body, release
from atomctl.controls.site import Site
from atomctl.db import queries
from atomctl.registry import codes as registry
from atomctl.rules import CATALOG
from atomctl.runs import codes as runs
from atomctl.wpk.archive import Packed

_sql: Any = queries.load(__file__)


@dataclass(frozen=True, slots=True)
class _Stage:
    site: Site
    company: Company


@contextmanager
def _stage(site: Site, book: Notebook) -> Iterator[_Stage]:
    with probe_tenants(site, book) as make:
        yield _Stage(site, company(make()))


def _low() -> Packed:
    return package("probe-low", handler=READ, approval=False)


def _medium() -> Packed:
    return package("probe-medium")


def _high() -> Packed:
    example = CATALOG["host-path"].bad
    return package("probe-high", handler=READ, approval=False, files={example.file: example.text})


def _critical() -> Packed:
    example = CATALOG["privileged-container"].bad
    return package("probe-critical", handler=APPLY, files={example.file: example.text})


def _decided(make: Callable[[], Packed]) -> Callable[[_Stage, Notebook], str]:
    def act(stage: _Stage, _: Notebook) -> str:
        decision = stage.company.push(make()).must()["decision"]
        places = (decision["approval"] or {}).get("votes", [])
        votes = " and ".join(f"{place['count']} of {place['role'] or 'anybody'}" for place in places)
        return f"{decision['outcome']}: {votes or 'no vote'}"

    return act


def _two_people(stage: _Stage, _: Notebook) -> str:
    stage.company.push(package("probe-approved")).must()
    run = stage.company.run("probe-approved").must()
    voted = stage.company.approve(run).must()
    stage.company.ended(run["id"])
    return f"{run['state']}, then {voted['state']}"


def _alone(stage: _Stage, _: Notebook) -> str:
    stage.company.push(package("probe-alone")).must()
    person = stage.company.tenant.person("probe-alone", Role.OPERATOR, Role.APPROVER)
    run = person.post("runs", {"workflow": "probe-alone", "parameters": {}})
    return person.ask("POST", f"approvals/{run['approval_id']}/votes", {"choice": "approve"}).seen


def _other_bytes(stage: _Stage, _: Notebook) -> str:
    """The approved version is pushed again with another content, signed by the same key."""
    first, second = package("probe-edited"), package("probe-edited", approval=False)
    stage.company.push(first).must()
    run = stage.company.run("probe-edited").must()
    stage.company.approve(run).must()
    stage.company.ended(run["id"])
    body = push_body(second.data, [release(stage.company.key, second)])
    return stage.company.owner.ask("POST", "packages", body).seen


def _edited_run(stage: _Stage, book: Notebook) -> str:
    """On the twin: after it was approved for what it said, a superuser changes what the run is to do."""
    twin = stage.site.twin.site()
    assert twin.admin is not None, "an embedded database has an administrator"
    with probe_tenants(twin, book) as make, twin.admin.connect() as admin:
        victim = company(make())
        victim.push(package("probe-edited")).must()
        run = victim.run("probe-edited").must()
        changed = _sql.change_approved_run(admin, tenant_id=victim.tenant.id, id=run["id"])
        book.note(
            "PostgreSQL", str(admin.info.server_version), b"another plan digest in the run", str(changed).encode()
        )
        victim.approve(run).must()
        ended = victim.ended(run["id"])
    return f"{ended['state']} {(ended['error'] or {}).get('code')}"


def _nobody_decides(stage: _Stage, book: Notebook) -> str:
    """On the twin: the database does not show the server what the decision is made from."""
    twin = stage.site.twin.site()
    assert twin.admin is not None, "an embedded database has an administrator"
    with probe_tenants(twin, book) as make, twin.admin.connect() as admin:
        victim = company(make())
        victim.push(_low()).must()
        _sql.hide_packages(admin)
        try:
            answer = victim.run("probe-low")
        finally:
            _sql.show_packages(admin)
        left = _sql.runs_of(admin, tenant_id=victim.tenant.id)
        book.note("PostgreSQL", str(admin.info.server_version), b"runs of the tenant", str(left).encode())
    return f"{'refused' if answer.status >= 500 else answer.seen}, {left} runs"


_N, _P = Side.NEGATIVE, Side.POSITIVE
CONTROL = Control(
    number=4,
    name="decision",
    title="Risk decision",
    promise="What a package needs before it runs follows from its risk; nobody decides alone, or what was not seen.",
    category=Category.DECISION,
    mapping=Mapping(("CC5.2", "CC8.1"), ("A.5.3", "A.8.32"), ("CM-3", "AC-5", "RA-3")),
    needs=(API, TWIN),
    stage=_stage,
    probes=(
        Probe("low risk runs without a vote", _P, "allow: no vote", _decided(_low)),
        Probe("medium risk needs one vote", _P, "require_approval: 1 of anybody", _decided(_medium)),
        Probe("a second person's vote lets it run", _P, "AWAITING_APPROVAL, then approved", _two_people, seconds=90),
        Probe("high risk needs security too", _N, "require_approval: 1 of security and 1 of anybody", _decided(_high)),
        Probe("critical risk is blocked", _N, "block: 1 of admin and 1 of security", _decided(_critical)),
        Probe("nobody approves what they requested", _N, approvals.NOT_SECOND_PERSON.id, _alone),
        Probe("an approved version cannot be replaced", _N, registry.CONFLICT.id, _other_bytes, seconds=90),
        Probe(
            "a run that was changed after the request is not run",
            _N,
            f"BLOCKED {runs.PLAN_CHANGED.id}",
            _edited_run,
            seconds=150,
        ),
        Probe("when nothing can be decided, nothing runs", _N, "refused, 0 runs", _nobody_decides, seconds=150),
    ),
)
