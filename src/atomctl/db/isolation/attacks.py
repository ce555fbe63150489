"""The ways in which one tenant could reach another's rows, each tried for what it is worth.

An attack says what leaked, or that it could not prove anything: where a tenant does not even reach its own row, a
refusal is no evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from atomctl.db.isolation import statements
from atomctl.db.isolation.attacker import Attacker, Outcome, Visitor
from atomctl.db.isolation.model import TENANT, Column, Relation
from atomctl.db.isolation.samples import Sample
from atomctl.db.roles import OWNER


@dataclass(frozen=True, slots=True)
class Target:
    """A relation that holds one row of `own` and one of `other`, and who attacks it.

    `new_own` and `new_other` are rows of the same tenants that are not there yet.
    """

    relation: Relation
    attacker: Attacker
    visitor: Visitor
    own: Sample
    other: Sample
    new_own: Sample
    new_other: Sample

    @property
    def mine(self) -> frozenset[str]:
        """The tenants whose rows the visitor may reach."""
        return frozenset({str(self.own.tenant)} if self.visitor is Visitor.TENANT else ())

    @property
    def both(self) -> tuple[str, str]:
        """The two tenants; every statement names them, so that a leak on a live system touches no other row."""
        return str(self.own.tenant), str(self.other.tenant)

    def may(self, privilege: str) -> bool:
        """Whether the role may do it to the whole relation."""
        return self.relation.may(self.attacker.role, privilege)

    @property
    def writable(self) -> Column | None:
        """A column the role may update; not the tenant's own, where there is another."""
        found = self.relation.columns_for(self.attacker.role, "UPDATE")
        return min(found, key=lambda column: column.name == TENANT, default=None)


Attack = Callable[[Target], Iterator[str]]


def _reached(target: Target, outcome: Outcome, *, allowed: bool) -> Iterator[str]:
    """The rule for reading and writing what is there: the visitor's own row if the role may, else nothing."""
    if not outcome.tenants <= target.mine:
        yield "another tenant's row was shown"
    elif outcome.error is not None and not outcome.refused:
        yield f"could not be tried: {outcome.words}"
    elif outcome.touched > len(target.mine):
        yield f"reached {outcome.words}"
    elif allowed and target.mine and outcome.touched != 1:
        yield f"did not reach its own row, so nothing is proven: {outcome.words}"
    elif not allowed and not outcome.refused:
        yield f"was not refused for lack of a grant: {outcome.words}"


def _rejected(outcome: Outcome, *, allowed: bool) -> Iterator[str]:
    """The rule for writing a foreign row: refused by the policy, or for lack of a grant where there is none."""
    if not (outcome.refused_by_policy if allowed else outcome.refused):
        yield f"was not refused: {outcome.words}"


def select(target: Target) -> Iterator[str]:
    """Reads both tenants' rows."""
    outcome = target.attacker.attempt(statements.select(target.relation, target.both))
    yield from _reached(target, outcome, allowed=target.may("SELECT") or _may_see_tenant(target))


def _may_see_tenant(target: Target) -> bool:
    return any(column.name == TENANT for column in target.relation.columns_for(target.attacker.role, "SELECT"))


def copy_out(target: Target) -> Iterator[str]:
    """Copies both tenants' rows."""
    outcome = target.attacker.copy_out(statements.copy_out(target.relation, target.both))
    yield from _reached(target, outcome, allowed=target.may("SELECT") or _may_see_tenant(target))


def insert(target: Target) -> Iterator[str]:
    """Inserts a row under another tenant's id, and one of its own as the control."""
    allowed = target.may("INSERT")
    foreign = statements.insert(target.relation, target.new_other.row(target.relation))
    yield from _rejected(target.attacker.attempt(foreign), allowed=allowed)
    own = target.attacker.attempt(statements.insert(target.relation, target.new_own.row(target.relation)))
    # What fails behind the policy, such as a key that exists, has passed it.
    if target.mine and allowed and own.refused:
        yield f"its own row was refused, so nothing is proven: {own.words}"
    if not target.mine:
        yield from _rejected(own, allowed=allowed)


def insert_returning(target: Target) -> Iterator[str]:
    """Inserts a row under another tenant's id and asks to see it."""
    row = target.new_other.row(target.relation)
    outcome = target.attacker.attempt(statements.insert(target.relation, row, statements.returning()))
    yield from _rejected(outcome, allowed=target.may("INSERT") and target.may("SELECT"))


def upsert(target: Target) -> Iterator[str]:
    """Inserts another tenant's existing row again, to learn of it or to overwrite it."""
    row = target.other.row(target.relation)
    for column in {None, target.writable}:
        tail = statements.on_conflict(target.relation, column)
        outcome = target.attacker.attempt(statements.insert(target.relation, row, tail))
        yield from _rejected(outcome, allowed=target.may("INSERT") and column is None)


def update(target: Target) -> Iterator[str]:
    """Writes both tenants' rows, also asking to see them."""
    column = target.writable or target.relation.columns[0]
    for tail in (statements.NOTHING, statements.returning()):
        outcome = target.attacker.attempt(statements.update(target.relation, column, target.both, tail))
        yield from _reached(target, outcome, allowed=target.writable is not None and target.may("SELECT"))


def move(target: Target) -> Iterator[str]:
    """Gives both tenants' rows to the other one."""
    outcome = target.attacker.attempt(statements.move(target.relation, target.other.tenant, target.both))
    columns = target.relation.columns_for(target.attacker.role, "UPDATE")
    if any(column.name == TENANT for column in columns) and target.visitor is Visitor.TENANT:
        yield from _rejected(outcome, allowed=True)
    elif outcome.error is None and outcome.touched:
        yield f"moved {outcome.words}"


def delete(target: Target) -> Iterator[str]:
    """Deletes both tenants' rows."""
    outcome = target.attacker.attempt(statements.delete(target.relation, target.both))
    yield from _reached(target, outcome, allowed=target.may("DELETE"))


def copy_in(target: Target) -> Iterator[str]:
    """Loads a row under another tenant's id past INSERT."""
    row = target.new_other.row(target.relation)
    outcome = target.attacker.copy_in(statements.copy_in(target.relation, row), tuple(row.values()))
    if outcome.error is None:
        yield "was not refused"


def truncate(target: Target) -> Iterator[str]:
    """Empties the relation; the owner may, but nobody logs in as the owner."""
    if target.attacker.role != OWNER:
        yield from _rejected(target.attacker.attempt(statements.truncate(target.relation)), allowed=False)


ON_TABLES: tuple[Attack, ...] = (
    select,
    copy_out,
    insert,
    insert_returning,
    upsert,
    update,
    move,
    delete,
    copy_in,
    truncate,
)
ON_VIEWS: tuple[Attack, ...] = (select, copy_out)
