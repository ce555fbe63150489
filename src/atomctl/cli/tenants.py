"""`atomctl tenants`: the tenants of a deployment."""

from __future__ import annotations

from uuid import UUID

import click

from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit, say
from atomctl.settings import load_settings


@click.group("tenants")
def command() -> None:
    """Make tenants."""


@command.command(
    "create",
    epilog=examples(
        "TENANT=$(atomctl tenants create acme)",
        "atomctl auth token --tenant $TENANT --as ada --role admin > ada.token",
    ),
)
@click.argument("name")
@click.option("--id", "tenant_id", type=click.UUID, help="Its id (default: a new one); a repeat changes nothing.")
@output_option
def create(name: str, tenant_id: UUID | None, output: Format) -> None:
    """Make a tenant and print its id.

    The command works beside the instance, like `server` and `worker`: it needs the database's credentials. No role of
    any tenant makes tenants. The first entry of the new tenant's audit log says that it was made.
    """
    from atomctl.access.service import ensure_tenant
    from atomctl.db.ids import new_id
    from atomctl.db.session import Sessions
    from atomctl.wiring import database_address

    if not 0 < len(name.strip()) <= 100:
        raise click.BadParameter("1 to 100 characters", param_hint="NAME")
    wanted = tenant_id or new_id()
    opened = Sessions(database_address(load_settings()), min_size=0, name="atomctl tenants")
    with opened as sessions, sessions.tenant(wanted) as conn:
        made = ensure_tenant(conn, wanted, name.strip())
    document = {"name": made.name, "id": str(made.id), "created_at": made.created_at.isoformat()}
    emit("tenant", document, output, text=lambda tenant: tenant["id"])
    say(f"Next: atomctl auth token --tenant {made.id} --as NAME --role admin")
