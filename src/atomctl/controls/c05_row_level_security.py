"""Control 5: the database itself keeps tenants apart, whatever a statement says."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from atomctl.controls.model import Category, Control, Mapping, Probe, Side
from atomctl.controls.needs import API, SUPERUSER
from atomctl.controls.notebook import Notebook
from atomctl.controls.people import ProbeTenant, probe_tenants
from atomctl.controls.site import Site
from atomctl.db.connections import connect
from atomctl.db.isolation.catalogue import read_schema
from atomctl.db.isolation.model import IsolationReport
from atomctl.db.isolation.probe import attack
from atomctl.db.isolation.review import review
from atomctl.db.isolation.sabotage import one_of_each, unnoticed
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Sessions

_Connection = psycopg.Connection[dict[str, Any]]
_SHOWN = 5
_HOLDS = "nothing crosses"


@dataclass(frozen=True, slots=True)
class _Stage:
    site: Site
    own: ProbeTenant
    other: ProbeTenant


@contextmanager
def _stage(site: Site, book: Notebook) -> Iterator[_Stage]:
    with probe_tenants(site, book) as make:
        yield _Stage(site, make(), make())


def _note(book: Notebook, connection: _Connection, asked: str, answer: str) -> None:
    book.note("PostgreSQL", str(connection.info.server_version), asked.encode(), answer.encode())


def _words(report: IsolationReport) -> str:
    if report.holds:
        return _HOLDS
    return "; ".join(map(str, report.breaches[:_SHOWN])) or "there was no relation to look at"


def _own_row(stage: _Stage, book: Notebook) -> str:
    """The live role sees the tenant it chose, and no other."""
    return _visible(stage, book, choose=True)


def _no_tenant(stage: _Stage, book: Notebook) -> str:
    return _visible(stage, book, choose=False)


def _visible(stage: _Stage, book: Notebook, *, choose: bool) -> str:
    with Sessions(stage.site.address, min_size=0, max_size=1, name="atomctl controls") as sessions:
        opened = sessions.tenant(stage.own.id) if choose else sessions.deployment()
        with opened as connection:
            rows = connection.execute("SELECT tenant_id FROM atom.tenants").fetchall()
            _note(book, connection, f"tenants as seen by {stage.own.name if choose else 'nobody'}", str(rows))
    names = {stage.own.id: "its own", stage.other.id: "another's"}
    return ", ".join(names.get(row["tenant_id"], "a stranger's") for row in rows) or "nothing"


def _reviewed(stage: _Stage, book: Notebook) -> str:
    """The live catalogue, read by the live role."""
    with connect(stage.site.address.dsn(DatabaseRole.APP)) as connection:
        report = review(read_schema(connection))
        _note(book, connection, "review of schema atom as atom_app", _words(report) + str(report.relations))
    return _words(report)


def _as_superuser(act: Callable[[_Connection], str], asked: str) -> Callable[[_Stage, Notebook], str]:
    def run(stage: _Stage, book: Notebook) -> str:
        assert stage.site.admin is not None, "the control needs an administrator"
        with stage.site.admin.connect() as connection:
            answer = act(connection)
            _note(book, connection, asked, answer)
        return answer

    return run


def _sabotaged(connection: _Connection) -> str:
    """Each kind of sabotage, on a table that chance picks: over the weeks it comes to all of them."""
    acts = one_of_each(read_schema(connection), secrets.choice)
    return "; ".join(unnoticed(connection, acts)[:_SHOWN]) or "every act is noticed"


_N, _P = Side.NEGATIVE, Side.POSITIVE
CONTROL = Control(
    number=5,
    name="row-level-security",
    title="Row level security",
    promise="In every table, view and function of the live schema, a role reaches rows of the tenant it chose alone.",
    category=Category.TENANCY,
    mapping=Mapping(("CC6.1", "C1.1"), ("A.5.15", "A.8.3"), ("AC-3", "AC-4", "SC-4")),
    needs=(API, SUPERUSER),
    stage=_stage,
    probes=(
        Probe("the live role sees its own tenant and no other", _P, "its own", _own_row),
        Probe("every relation is protected or on the reviewed list", _P, _HOLDS, _reviewed),
        Probe("without a tenant there are no rows", _N, "nothing", _no_tenant),
        Probe(
            "no statement in any role reaches another tenant's row",
            _N,
            _HOLDS,
            _as_superuser(lambda connection: _words(attack(connection)), "attack on schema atom"),
            seconds=240,
        ),
        Probe(
            "every kind of sabotage, rolled back, is noticed",
            _N,
            "every act is noticed",
            _as_superuser(_sabotaged, "sabotage of schema atom, rolled back"),
            seconds=240,
        ),
    ),
)
