"""`atomctl secrets`: what steps may read, in the store that is configured. No command prints a value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from atomctl.cli.confirming import dry_run_option
from atomctl.cli.connection import settings_in_force
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit, emit_many, say
from atomctl.errors import AtomError

if TYPE_CHECKING:
    from atomctl.secrets.model import SecretSource
    from atomctl.secrets.service import Change
    from atomctl.settings import Settings


@click.group("secrets")
@click.option("--tenant", type=click.UUID, metavar="ID", help="Whose secrets; the first tenant of this home otherwise.")
@click.pass_context
def command(ctx: click.Context, tenant: UUID | None) -> None:
    """Store and rotate what steps read; never show it."""
    ctx.meta[__name__] = tenant


@command.command(
    "put",
    epilog=examples(
        "atomctl secrets put db/main password=- < password.txt",
        "atomctl secrets put tls/web --from-file key=web.key --from-file cert=web.crt",
        "atomctl secrets put db/main user=- password=-    asks for both, at a terminal",
    ),
)
@click.argument("path")
@click.argument("fields", nargs=-1, metavar="NAME=-...")
@click.option("--from-file", "files", multiple=True, metavar="NAME=FILE", help="Read a field's value from a file.")
@dry_run_option
@output_option
def put(path: str, fields: tuple[str, ...], files: tuple[str, ...], dry_run: bool, output: Format) -> None:
    """Put fields into a secret, as a new version; fields that are not named stay as they are.

    Values come from standard input, a prompt or files. Written is on top of the version that was read: if somebody else
    writes meanwhile, nothing is changed.
    """
    from atomctl.cli.secret_values import read_values
    from atomctl.secrets.service import with_fields

    values = read_values(fields, files)
    with _opened() as (source, tenant):
        _finish(source, tenant, with_fields(source, tenant, path, values), dry_run=dry_run, output=output)


@command.command("rotate", epilog=examples("atomctl secrets rotate db/main password"))
@click.argument("path")
@click.argument("name", metavar="FIELD")
@click.option(
    "--bytes", "size", type=click.IntRange(16, 1024), default=32, show_default=True, help="How many random bytes."
)
@dry_run_option
@output_option
def rotate(path: str, name: str, size: int, dry_run: bool, output: Format) -> None:
    """Replace one field's value by a new random one, as a new version; the next step that starts reads it."""
    from atomctl.secrets.service import rotated

    with _opened() as (source, tenant):
        _finish(source, tenant, rotated(source, tenant, path, name, size), dry_run=dry_run, output=output)


@command.command("list", epilog=examples("atomctl secrets list", "atomctl secrets --tenant ID list -o name"))
@output_option
def list_(output: Format) -> None:
    """List the paths of the tenant's secrets."""
    with _opened() as (source, tenant):
        found = [{"name": path, "path": f"{source.mount}/{tenant}/{path}"} for path in source.paths(tenant)]
    emit_many("secret", found, output, text=lambda secret: str(secret["name"]), empty="No secrets are stored.")


@command.command("versions", epilog=examples("atomctl secrets versions db/main"))
@click.argument("path")
@output_option
def versions(path: str, output: Format) -> None:
    """List the versions of one secret that the store still knows."""
    from atomctl.secrets import codes

    with _opened() as (source, tenant):
        found = source.versions(tenant, path)
    if not found:
        raise AtomError(codes.NOT_FOUND, f"{path} has no version")
    documents = (
        {"name": str(each.version), "version": each.version, "created": each.created.isoformat(), "gone": each.gone}
        for each in found
    )
    emit_many("secret-version", documents, output, text=_version_line)


@contextmanager
def _opened() -> Iterator[tuple[SecretSource, UUID]]:
    """The configured store, and whose secrets are meant; the login is given back at the end.

    Raises:
        AtomError: SEC001 no store is configured, SEC020 its settings cannot be used, SEC024 no tenant is known.
    """
    from atomctl.secrets import codes
    from atomctl.wiring import secret_source

    settings = settings_in_force()
    source = secret_source(settings)
    if source is None:
        raise AtomError(
            codes.NOT_CONFIGURED, "the setting `secrets` is none", hint="ATOM_SECRETS=local atomctl secrets"
        )
    try:
        yield source, click.get_current_context().meta[__name__] or _first_tenant(settings)
    finally:
        source.close()


def _first_tenant(settings: Settings) -> UUID:
    from atomctl.secrets import codes

    try:
        return UUID((settings.home / "tenant").read_text().strip())
    except (OSError, ValueError) as error:
        raise AtomError(codes.NO_TENANT, f"{settings.home} names no tenant") from error


def _finish(source: SecretSource, tenant: UUID, change: Change, *, dry_run: bool, output: Format) -> None:
    version = change.follows + 1 if dry_run else change.write(source, tenant)
    document = {"name": change.path, "version": version, "fields": sorted(change.fields)}
    emit("secret", document, output, text=lambda secret: f"{secret['name']} version {secret['version']}")
    say("Nothing was changed." if dry_run else f"Next: atomctl secrets versions {change.path}")


def _version_line(version: dict[str, Any]) -> str:
    return f"{version['version']}  {version['created']}{'  gone' if version['gone'] else ''}"
