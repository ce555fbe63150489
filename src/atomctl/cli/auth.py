"""`atomctl auth`: log in, and show who you are."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import click

from atomctl.cli import codes, contexts
from atomctl.cli.connection import open_client
from atomctl.cli.durations import Duration
from atomctl.cli.instance import Instance, first_tenant, issuer_key, load_instance
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit, say
from atomctl.errors import AtomError
from atomctl.settings import load_settings

ROLES = ("viewer", "author", "operator", "approver", "security", "admin", "auditor")


@click.group("auth")
def command() -> None:
    """Log in, and show who you are."""


@command.command(
    "login",
    epilog=examples(
        "atomctl auth login --as bob --role approver       a second person, for this machine's instance",
        "atomctl --context bob approvals                   act as that person",
    ),
)
@click.option("--as", "subject", required=True, metavar="NAME", help="Who: the subject of the token.")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(ROLES), help="May be repeated.")
@click.option("--lifetime", type=Duration(), default="12h", show_default=True, help="How long the token is valid.")
@click.option("--use", is_flag=True, help="Use this identity from now on.")
@output_option
def login(subject: str, roles: tuple[str, ...], lifetime: timedelta, use: bool, output: Format) -> None:
    """Issue a token of this machine's instance and save it as a context.

    It is the embedded issuer's key in the instance's home that makes this possible: whoever can read it administers the
    instance. An instance with an identity provider of its own takes that one's tokens, see `atomctl context add`.
    """
    home = load_settings().home
    save_identity(load_instance(home), home, subject, roles, lifetime)
    if use:
        contexts.use(contexts.folders(home)[0], subject)
    emit(
        "identity",
        {"name": subject, "roles": sorted(roles)},
        output,
        text=lambda i: f"{i['name']}: {', '.join(i['roles'])}",
    )
    say(f"Saved as context {subject}.\nNext: atomctl --context {subject} auth status")


def save_identity(instance: Instance, home: Path, subject: str, roles: tuple[str, ...], lifetime: timedelta) -> None:
    """A context of the name `subject` exists afterwards, with a fresh token of the embedded issuer."""
    from atomctl.access.issuer import EmbeddedIssuer
    from atomctl.access.model import Role

    issuer = EmbeddedIssuer(issuer_key(home))
    token = issuer.issue(UUID(instance.tenant_id), subject, [Role(role) for role in roles], lifetime)
    contexts.save(contexts.folders(home)[0], subject, api_url=instance.api_url, token=token)


@command.command(
    "token",
    epilog=examples(
        "atomctl auth token --as bob --role approver > bob.token      for bob, who works on another machine",
        "kubectl exec deploy/atom-server -- atomctl auth token --as bob --role approver > bob.token",
        "atomctl context add prod --api-url https://atom.example --token-file bob.token",
    ),
)
@click.option("--as", "subject", required=True, metavar="NAME", help="Who: the subject of the token.")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(ROLES), help="May be repeated.")
@click.option("--tenant", type=click.UUID, help="In which tenant (default: the first one of this home).")
@click.option("--lifetime", type=Duration(), default="12h", show_default=True, help="How long the token is valid.")
@output_option
def token(subject: str, roles: tuple[str, ...], tenant: UUID | None, lifetime: timedelta, output: Format) -> None:
    """Issue a token with the key in this home, and print it.

    It is saved nowhere. Unlike `auth login` it also works beside `atomctl server`, in a container for instance.
    """
    from atomctl.access.issuer import EmbeddedIssuer
    from atomctl.access.model import Role

    home = load_settings().home
    if not issuer_key(home).exists():  # a key made here would be believed by nobody
        raise AtomError(codes.NO_CONTEXT, f"{issuer_key(home)} is missing: this home belongs to no deployment")
    tenant_id = tenant or first_tenant(home)
    issued = EmbeddedIssuer(issuer_key(home)).issue(tenant_id, subject, [Role(role) for role in roles], lifetime)
    document = {"name": subject, "roles": sorted(roles), "tenant": str(tenant_id), "token": issued}
    emit("token", document, output, text=lambda t: t["token"])


@command.command("status", epilog=examples("atomctl auth status", "atomctl --context bob auth status -o json"))
@output_option
def status(output: Format) -> None:
    """Show who you are to the server, and until when."""
    with open_client() as client:
        identity = client.get("auth/whoami")
    emit(
        "identity",
        {"name": identity["principal"]["subject"], **identity},
        output,
        text=lambda i: (
            f"{i['name']} in tenant {i['tenant']['name']}\nroles: {', '.join(i['roles'])}\nuntil: {i['expires_at']}"
        ),
    )
