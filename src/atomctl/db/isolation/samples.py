"""Rows made from the catalogue alone: one of each tenant for any table, consistent along foreign keys."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

from atomctl.db.ids import new_id
from atomctl.db.isolation.model import TENANT, Column, Relation, Schema

Place: TypeAlias = tuple[str, str]
"""A relation and one of its columns."""

_BY_CATEGORY = {
    "B": "true",
    "D": "2026-01-01",
    "T": "1 second",
    "A": "{}",
    "I": "127.0.0.1",
    "R": "empty",
}
_BY_TYPE = {"json": "{}", "jsonb": "{}", "bytea": "\\x00", "tsvector": "probe"}
_numbers = itertools.count(1000)


def linked_places(schema: Schema) -> Mapping[Place, Place]:
    """For each column that takes part in a foreign key, one column that stands for all that must be equal to it."""
    roots: dict[Place, Place] = {}

    def root(place: Place) -> Place:
        while (above := roots.setdefault(place, place)) != place:
            place = above
        return place

    for relation in schema.relations.values():
        for key in relation.foreign_keys:
            for column, parent_column in zip(key.columns, key.parent_columns, strict=True):
                roots[root((relation.name, column))] = root((key.parent, parent_column))
    return {place: root(place) for place in list(roots)}


@dataclass(frozen=True, slots=True)
class Sample:
    """The rows of one tenant: the same column always has the same value, as has whatever a foreign key ties to it.

    Two samples of one tenant share nothing but the tenant, so the second can be inserted beside the first.
    """

    tenant: UUID
    linked: Mapping[Place, Place]
    _values: dict[Place, str] = field(default_factory=dict)

    def row(self, relation: Relation) -> dict[str, str]:
        """A value, as text, for each writable column.

        Raises:
            LookupError: a column has a type for which there is no sample.
        """
        return {column.name: self._value(relation, column) for column in relation.columns if column.writable}

    def _value(self, relation: Relation, column: Column) -> str:
        if column.name == TENANT:
            return str(self.tenant)
        place = self.linked.get((relation.name, column.name), (relation.name, column.name))
        if place not in self._values:
            self._values[place] = _fresh(column)
        return self._values[place]


def _fresh(column: Column) -> str:
    base = column.type.partition("(")[0]
    if base == "uuid":
        return str(new_id())
    if base.rpartition(".")[2] == "halfvec":
        return str([1] * int(column.type.partition("(")[2].rstrip(")")))
    if base in _BY_TYPE:
        return _BY_TYPE[base]
    if column.category == "N":
        return str(next(_numbers))
    if column.category == "S":
        return f"probe-{next(_numbers)}"
    if column.category in _BY_CATEGORY:
        return _BY_CATEGORY[column.category]
    raise LookupError(f"no sample value for the type {column.type} of column {column.name}")
