"""Full or incremental, and why."""

from __future__ import annotations

import dataclasses

import pytest
from tests.fakes.statements import MakeStatement

from atomctl.backup import codes
from atomctl.backup.model import Kind, Parent
from atomctl.backup.plan import LONGEST_CHAIN, Wanted, make_plan
from atomctl.backup.shelf import Shelved
from atomctl.canonical import digest
from atomctl.errors import AtomError


def shelved(make: MakeStatement, parent: Shelved | None = None, **server: object) -> Shelved:
    named = Parent(parent.statement.id, parent.digest) if parent else None
    return Shelved(make(parent=named, **server), digest(b"signed"))


def chain(make: MakeStatement, length: int) -> list[Shelved]:
    sets: list[Shelved] = []
    for _ in range(length):
        sets.insert(0, shelved(make, sets[0] if sets else None))
    return sets


def test_a_full_one_is_taken_when_asked_for(make_statement: MakeStatement) -> None:
    sets = chain(make_statement, 2)
    plan = make_plan(Wanted.FULL, sets[0].statement.server, True, sets)
    assert (plan.kind, plan.parent) == (Kind.FULL, None)


@pytest.mark.parametrize("wanted", [Wanted.INCREMENTAL, Wanted.BEST])
def test_an_incremental_one_builds_on_the_newest(make_statement: MakeStatement, wanted: Wanted) -> None:
    sets = chain(make_statement, 3)
    plan = make_plan(wanted, sets[0].statement.server, True, sets)
    assert (plan.kind, plan.parent) == (Kind.INCREMENTAL, sets[0])


def test_the_schedule_begins_a_new_chain_in_time(make_statement: MakeStatement) -> None:
    sets = chain(make_statement, LONGEST_CHAIN)
    server = sets[0].statement.server
    assert make_plan(Wanted.BEST, server, True, sets).kind is Kind.FULL
    assert make_plan(Wanted.BEST, server, True, sets[1:]).kind is Kind.INCREMENTAL
    assert make_plan(Wanted.INCREMENTAL, server, True, sets).kind is Kind.INCREMENTAL


@pytest.mark.parametrize(
    ("change", "summarizes", "why"),
    [
        ({"version": 160010}, True, "PostgreSQL 16 takes full backups only"),
        ({}, False, "summarize_wal is off"),
        ({"system_id": "1"}, True, "no earlier set"),
        ({"timeline": 2}, True, "before a restore or an upgrade"),
        ({"version": 190000}, True, "before a restore or an upgrade"),
    ],
)
def test_an_obstacle_means_full_or_a_refusal_that_names_it(
    make_statement: MakeStatement, change: dict[str, object], summarizes: bool, why: str
) -> None:
    sets = chain(make_statement, 1)
    server = dataclasses.replace(sets[0].statement.server, **change)  # type: ignore[arg-type]  # fields of the right types
    plan = make_plan(Wanted.BEST, server, summarizes, sets)
    assert plan.kind is Kind.FULL
    assert why in plan.why
    with pytest.raises(AtomError) as caught:
        make_plan(Wanted.INCREMENTAL, server, summarizes, sets)
    assert caught.value.code is codes.NOT_INCREMENTAL
    assert why in caught.value.why


def test_a_set_of_another_server_on_the_shelf_is_passed_over(make_statement: MakeStatement) -> None:
    own = shelved(make_statement)
    other = shelved(make_statement, system_id="1")
    assert make_plan(Wanted.BEST, own.statement.server, True, [other, own]).parent == own
