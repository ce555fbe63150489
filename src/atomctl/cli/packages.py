"""`atomctl packages`: what was pushed."""

from __future__ import annotations

import json
from typing import Any

import click

from atomctl.cli import codes
from atomctl.cli.confirming import confirm, dry_run_option, yes_option
from atomctl.cli.connection import open_client
from atomctl.cli.identifiers import short
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit, emit_many, say, table
from atomctl.client import segment
from atomctl.errors import AtomError


@click.group("packages")
def command() -> None:
    """Show, yank and override packages."""


def address(text: str) -> str:
    """The API path of `NAME@VERSION`."""
    name, _, version = text.partition("@")
    if not name or not version:
        raise AtomError(codes.USAGE, f"{text!r} is not NAME@VERSION")
    return f"packages/{segment(name)}/{segment(version)}"


def line(package: dict[str, Any]) -> str:
    """One package on one line."""
    marks = f"  [{', '.join(package['marks'])}]" if package.get("marks") else ""
    return f"{package['name']}  {package['state']:<8}  risk {package['score']:>3}  {package['digest']}{marks}"


def document(package: dict[str, Any]) -> dict[str, Any]:
    """The package as it is printed: its `name` names the version too, since that is what one pastes."""
    return {**package, "workflow": package["name"], "name": f"{package['name']}@{package['version']}"}


def page(package: dict[str, Any]) -> str:
    """One package with who signed it and why it was decided so."""
    signers = ", ".join(short(signer["key_id"]) for signer in package["verdict"]["signers"]) or "nobody"
    return "\n".join(
        [
            f"{package['name']}  {package['state']}",
            f"  digest      {package['digest']}",
            f"  pushed      {package['pushed_at']}  ({package['size']} bytes)",
            f"  signed by   {signers}",
            f"  decision    {package['decision']['outcome']}, risk {package['score']} of 100",
            *(
                f"    because   {reason if isinstance(reason, str) else reason.get('why', reason)}"
                for reason in package["decision"]["reasons"]
            ),
            *_parameters(package.get("manifest", {})),
        ]
    )


def _parameters(manifest: dict[str, Any]) -> list[str]:
    """What a run of it may be given; a star marks what it must be given."""
    schema = manifest.get("spec", {}).get("parameters") or {}
    required = schema.get("required", ())
    rows = [
        (
            f"  {'*' if name in required else ' '} {name}",
            field.get("type", "any"),
            _default(field),
            field.get("description", ""),
        )
        for name, field in schema.get("properties", {}).items()
    ]
    return ["", table(rows, ("    parameter", "type", "default", ""))] if rows else []


def _about(field: dict[str, Any]) -> str:
    return str(field.get("description", ""))


def _default(field: dict[str, Any]) -> str:
    return json.dumps(field["default"], ensure_ascii=False) if "default" in field else "-"


@command.command("list", epilog=examples("atomctl packages list --name restart-web"))
@click.option("--name", help="Only versions of this workflow.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most this many.")
@output_option
def list_packages(name: str | None, limit: int, output: Format) -> None:
    """List package versions, newest first."""
    with open_client() as client:
        found = (document(package) for package in client.pages("packages", name=name, limit=limit))
        emit_many("package", found, output, text=line, empty="No package was pushed yet.\nNext: atomctl push FILE")


@command.command("show", epilog=examples("atomctl packages show restart-web@1.0.0"))
@click.argument("package", metavar="NAME@VERSION")
@output_option
def show(package: str, output: Format) -> None:
    """Show one package: signers, risk, decision."""
    with open_client() as client:
        emit("package", document(client.get(address(package))), output, text=page)


@command.command(
    "yank", epilog=examples('atomctl packages yank restart-web@1.0.0 --reason "restarts the wrong service"')
)
@click.argument("package", metavar="NAME@VERSION")
@click.option("--reason", required=True, help="Why, for the record.")
@yes_option
@dry_run_option
@output_option
def yank(package: str, reason: str, yes: bool, dry_run: bool, output: Format) -> None:
    """Take a version out of use for good; its bytes and its history stay."""
    with open_client() as client:
        found = client.get(address(package))
        if not dry_run:
            confirm(f"{package} cannot be put in use again, nor its version be pushed anew. Yank it?", yes)
            found = client.post(f"{address(package)}/yank", {"reason": reason})
        emit("package", document(found), output, text=line)
    say("Nothing was changed." if dry_run else f"Yanked. Runs of {package} are refused from now on.")


@command.command(
    "override",
    epilog=examples('atomctl packages override node-drain@1.0.0 --reason "needs host access; reviewed in change 4711"'),
)
@click.argument("package", metavar="NAME@VERSION")
@click.option("--reason", required=True, help="Why the block should not hold, for the two who decide.")
@output_option
def override(package: str, reason: str, output: Format) -> None:
    """Ask for an override of a block: one admin and one security vote, valid for 24 h."""
    with open_client() as client:
        approval = client.post(f"{address(package)}/override", {"reason": reason})
    emit("approval", {"name": approval["id"], **approval}, output, text=lambda a: f"{short(a['id'])}  {a['state']}")
    say(f"Next, as an admin and as somebody with the security role: atomctl approve {short(approval['id'])}")


@command.command("download", epilog=examples("atomctl packages download restart-web@1.0.0"))
@click.argument("package", metavar="NAME@VERSION")
@click.option("--out", type=click.Path(dir_okay=False), help="Where to write it (default: NAME-VERSION.wpk).")
@output_option
def download(package: str, out: str | None, output: Format) -> None:
    """Download a package's bytes, exactly as they were signed."""
    from pathlib import Path

    target = Path(out or f"{package.replace('@', '-')}.wpk")
    with open_client() as client:
        size = client.download(f"{address(package)}/archive", target)
    emit("file", {"name": str(target), "size": size}, output, text=lambda f: f["name"])
