"""The roles ATOM has in PostgreSQL: who may log in, and what each is for."""

from __future__ import annotations

import enum


class DatabaseRole(enum.StrEnum):
    """A role that logs in. None of them owns a table or is a superuser; only the backup role has BYPASSRLS."""

    APP = "atom_app"
    """The API server: rows of one tenant at a time."""
    WORKER = "atom_worker"
    """The worker: rows of one tenant at a time, and the few reviewed functions that find work across tenants."""
    ENGINE = "atom_engine"
    """The durable engine: owns schema `engine`, has no right in schema `atom`."""
    SEQUENCER = "atom_sequencer"
    """The audit sequencer: audit tables of every tenant, nothing else."""
    MIGRATOR = "atom_migrator"
    """Runs migrations by taking the owner's role; serves nothing."""
    BACKUP = "atom_backup"
    """Takes backups: copies the whole server (REPLICATION), so it may as well count all rows; serves nothing."""


OWNER = "atom_owner"
"""Owns schema `atom` and everything in it; nobody logs in as it."""

RELAY = "atom_relay"
"""Owns the reviewed functions that look across tenants; nobody logs in as it."""

ADMIN = "atom_admin"
"""The superuser of the embedded server, and the name of the credentials file of an external administrator."""

SERVING = frozenset({DatabaseRole.APP, DatabaseRole.WORKER, DatabaseRole.SEQUENCER})
"""The roles a process may serve with."""

TENANT_BOUND = (DatabaseRole.APP, DatabaseRole.WORKER, DatabaseRole.MIGRATOR, OWNER)
"""The roles that `atom.protect()` binds to one tenant; every other role sees no row of a protected table."""

RESERVED = frozenset({*DatabaseRole, OWNER, RELAY})
"""The names no administrator may log in with."""
