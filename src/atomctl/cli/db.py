"""`atomctl db`: the database's schema."""

from __future__ import annotations

from typing import Any

import click

from atomctl.cli.confirming import dry_run_option
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit, say
from atomctl.settings import load_settings


@click.group("db")
def command() -> None:
    """Migrate the database and show its state."""


@command.command(
    "migrate",
    epilog=examples(
        "ATOM_DATABASE_URL=postgresql://admin@db.example/atom ATOM_DATABASE_CREDENTIALS=/etc/atom/db atomctl db migrate"
    ),
)
@dry_run_option
@output_option
def migrate_(dry_run: bool, output: Format) -> None:
    """Bring the database to this program's schema; with an administrator's login also make the roles.

    The embedded database is migrated by `atomctl up`.
    """
    from atomctl.db.migrate import migrate, status
    from atomctl.wiring import database

    address, admin = database(load_settings())
    after = status(address) if dry_run else migrate(address, admin)
    emit("schema", {"name": after.current, "head": after.head, "pending": list(after.pending)}, output, text=_page)
    say("Nothing was changed." if dry_run else "Next: atomctl server, atomctl worker")


@command.command("status", epilog=examples("atomctl db status", "atomctl db status -o json"))
@output_option
def status_(output: Format) -> None:
    """Show which migrations ran and which are pending."""
    from atomctl.db.migrate import status
    from atomctl.wiring import database

    found = status(database(load_settings())[0])
    emit("schema", {"name": found.current, "head": found.head, "pending": list(found.pending)}, output, text=_page)


def _page(schema: dict[str, Any]) -> str:
    pending = ", ".join(schema["pending"]) or "nothing"
    return f"schema {schema['name'] or 'empty'}, this program has {schema['head']}; pending: {pending}"


@command.command("isolation", epilog=examples("atomctl db isolation", "atomctl db isolation -o json"))
@output_option
def isolation(output: Format) -> None:
    """Review the live schema as the server's own role: is every table of tenants protected?

    Each relation must carry row level security, enabled and forced, with exactly the generated policy, or stand on the
    reviewed list with a reason. Changes nothing.
    """
    from atomctl.db.connections import connect
    from atomctl.db.isolation.catalogue import read_schema
    from atomctl.db.isolation.review import review
    from atomctl.db.roles import DatabaseRole
    from atomctl.wiring import database

    address, _ = database(load_settings())
    with connect(address.dsn(DatabaseRole.APP)) as connection:
        report = review(read_schema(connection))
    report.raise_if_broken()
    document = {"name": address.dbname, "holds": report.holds, "relations": sorted(report.relations)}
    emit("isolation", document, output, text=lambda d: f"isolated: {len(d['relations'])} relations, no deviation")
