"""What the catalogue says about schema `atom`, and what a check found, as frozen values."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from atomctl.errors import AtomError

TENANT = "tenant_id"


class Kind(enum.StrEnum):
    """`pg_class.relkind` of what can hold or show rows."""

    TABLE = "r"
    PARTITIONED = "p"
    VIEW = "v"
    MATERIALIZED_VIEW = "m"
    FOREIGN_TABLE = "f"
    SEQUENCE = "S"


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `writable` is false where PostgreSQL computes it."""

    name: str
    type: str
    category: str
    """`pg_type.typcategory`: S string, N number, D date and time, T interval, B boolean, A array, U other, ..."""
    not_null: bool
    writable: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """A row level security policy as the server deparses it; the role `public` stands for everybody."""

    name: str
    restrictive: bool
    command: str
    roles: frozenset[str]
    using: str | None
    check: str | None


@dataclass(frozen=True, slots=True)
class Grant:
    """A privilege on a relation or on some of its columns."""

    grantee: str
    privilege: str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A reference; `columns[i]` refers to `parent_columns[i]`."""

    name: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UniqueIndex:
    """A unique index, also one behind a key; an expression stands as an empty name."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, view or the like, with all that decides who reaches its rows."""

    name: str
    kind: Kind
    owner: str
    row_security: bool
    forced: bool
    options: frozenset[str]
    parent: str | None
    """The partitioned table it is a part of."""
    has_rules: bool
    columns: tuple[Column, ...]
    policies: tuple[Policy, ...]
    grants: frozenset[Grant]
    foreign_keys: tuple[ForeignKey, ...]
    unique: tuple[UniqueIndex, ...]
    checks: tuple[str, ...]

    @property
    def holds_rows(self) -> bool:
        """Whether rows are stored in it or in its partitions."""
        return self.kind in (Kind.TABLE, Kind.PARTITIONED)

    @property
    def tenant_column(self) -> Column | None:
        """The column that names the tenant, if it has one."""
        return next((column for column in self.columns if column.name == TENANT), None)

    def may(self, role: str, privilege: str) -> bool:
        """Whether `role` has `privilege` on the whole relation; its owner has every one."""
        return role == self.owner or Grant(role, privilege) in self.grants

    def columns_for(self, role: str, privilege: str) -> tuple[Column, ...]:
        """The writable columns on which `role` has `privilege`."""
        return tuple(
            column
            for column in self.columns
            if column.writable and (self.may(role, privilege) or Grant(role, privilege, column.name) in self.grants)
        )


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the schema."""

    signature: str
    owner: str
    definer: bool
    search_path: str | None
    public: bool
    """Whether everybody may execute it."""


@dataclass(frozen=True, slots=True)
class Schema:
    """Schema `atom` as it is."""

    relations: Mapping[str, Relation]
    functions: tuple[Function, ...]


@dataclass(frozen=True, slots=True)
class Breach:
    """One way in which rows could cross tenants, or in which a probe could not prove that they do not."""

    where: str
    """The relation or function."""
    probe: str
    """What was looked at or tried."""
    detail: str

    def __str__(self) -> str:
        return f"{self.where}: {self.probe}: {self.detail}"


@dataclass(frozen=True, slots=True)
class IsolationReport:
    """What a check of the schema or an attack on it found."""

    breaches: tuple[Breach, ...]
    relations: tuple[str, ...]
    """The relations that were looked at."""
    attempts: int = 0
    """Statements tried against them."""

    @property
    def holds(self) -> bool:
        """Whether nothing was found; a report about no relation proves nothing and does not hold."""
        return bool(self.relations) and not self.breaches

    def raise_if_broken(self) -> None:
        """Returns when the isolation holds.

        Raises:
            AtomError: DBA019 it does not.
        """
        from atomctl.db.codes import ISOLATION_BROKEN

        if not self.holds:
            why = "; ".join(map(str, self.breaches[:5])) or "no relation was found to look at"
            raise AtomError(ISOLATION_BROKEN, why)
