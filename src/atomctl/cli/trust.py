"""`atomctl trust`: who may sign what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from atomctl.cli import codes
from atomctl.cli.confirming import confirm, yes_option
from atomctl.cli.connection import open_client
from atomctl.cli.identifiers import short
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.paths import EXISTING_FILE
from atomctl.cli.printing import emit, emit_many, say
from atomctl.client import segment
from atomctl.errors import AtomError


@click.group("trust")
def command() -> None:
    """Show and change who may sign what."""


@command.command("show", epilog=examples("atomctl trust show", "atomctl trust show -o json > rules.json"))
@output_option
def show(output: Format) -> None:
    """Show the trust rules in force."""
    with open_client() as client:
        rules = client.get("trust/rules")
    emit("trust-rules-version", {"name": f"version {rules['version']}", **rules}, output, text=_rules_page)


@command.command(
    "set", epilog=examples('atomctl trust set rules.json --reason "the payments team signs pay-* from now on"')
)
@click.argument("file", type=EXISTING_FILE)
@click.option("--reason", required=True, help="Why, for the second person and the record.")
@output_option
def set_rules(file: Path, reason: str, output: Format) -> None:
    """Propose new trust rules; a second admin or security person must approve them."""
    try:
        document = json.loads(file.read_bytes())
    except ValueError as error:
        raise AtomError(codes.FILE, f"{file}: not JSON: {error}") from error
    with open_client() as client:
        rules = client.post("trust/rules", {"document": document.get("document", document), "reason": reason})
    emit("trust-rules-version", {"name": f"version {rules['version']}", **rules}, output, text=_rules_page)
    say(next_step(rules))


def next_step(rules: dict[str, Any]) -> str:
    """What a change of rules leads to: it is in force, or it waits."""
    if rules["state"] == "active":
        return (
            "In force; audited as bootstrap, since nobody else can approve it yet."
            if rules["bootstrap"]
            else "In force."
        )
    approval = short(rules["approval_id"])
    return f"Waits for another admin or security person.\nNext, as that person: atomctl approve {approval}"


@command.command("keys", epilog=examples("atomctl trust keys"))
@output_option
def keys(output: Format) -> None:
    """List the registered signing keys."""
    with open_client() as client:
        found = ({"name": key["key_id"], **key} for key in client.pages("trust/keys"))
        emit_many(
            "key",
            found,
            output,
            text=lambda key: f"{key['key_id']}  {key['state']:<8} {key['algorithm']}  since {key['valid_from']}",
            empty="No key is registered.\nNext: atomctl keys generate",
        )


def _end(key_id: str, action: str, body: dict[str, object], yes: bool, output: Format) -> None:
    confirm(f"A key cannot be put in use again. {action.capitalize()} {key_id}?", yes)
    with open_client() as client:
        key = client.post(f"trust/keys/{segment(key_id)}/{action}", body)
    emit("key", {"name": key["key_id"], **key}, output, text=lambda k: f"{k['key_id']}  {k['state']}")


@command.command("retire", epilog=examples('atomctl trust retire sha256:4f1c... --reason "replaced"'))
@click.argument("key_id")
@click.option("--reason", required=True, help="Why, for the record.")
@yes_option
@output_option
def retire(key_id: str, reason: str, yes: bool, output: Format) -> None:
    """Stop accepting new signatures of a key; what was accepted stays."""
    _end(key_id, "retire", {"reason": reason}, yes, output)


@command.command(
    "revoke",
    epilog=examples('atomctl trust revoke sha256:4f1c... --reason "laptop stolen" --from 2026-02-01T00:00:00Z'),
)
@click.argument("key_id")
@click.option("--reason", required=True, help="Why, for the record.")
@click.option("--from", "revoked_from", help="Since when it may be in other hands, RFC 3339 (default: now).")
@yes_option
@output_option
def revoke(key_id: str, reason: str, revoked_from: str | None, yes: bool, output: Format) -> None:
    """Stop accepting any signature of a key that was not accepted before the given time."""
    _end(key_id, "revoke", {"reason": reason, "revoked_from": revoked_from}, yes, output)


def _rules_page(rules: dict[str, Any]) -> str:
    return f"trust rules version {rules['version']}, {rules['state']}, {rules['digest']}\n" + json.dumps(
        rules["document"], indent=2
    )
