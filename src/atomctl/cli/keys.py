"""`atomctl keys`: make and register signing keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from atomctl.cli import codes
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.key_password import read_password
from atomctl.cli.paths import EXISTING_FILE
from atomctl.cli.printing import emit, say
from atomctl.errors import AtomError
from atomctl.files import replace_file


@click.group("keys")
def command() -> None:
    """Make and register signing keys."""


@command.command(
    "generate",
    epilog=examples("atomctl keys generate", "atomctl keys generate --out ci --password-file /run/secrets/ci-key"),
)
@click.option("--out", default="atom", show_default=True, metavar="PREFIX", help="Writes PREFIX.key and PREFIX.pub.")
@click.option("--password-file", type=EXISTING_FILE, help="Holds the password.")
@output_option
def generate(out: str, password_file: Path | None, output: Format) -> None:
    """Make a key pair in cosign's format: an encrypted private key (mode 0600) and a public key."""
    private, public = Path(f"{out}.key"), Path(f"{out}.pub")
    for path in (private, public):
        if path.exists():
            raise AtomError(codes.EXISTS, f"{path} is there already", hint="choose another --out PREFIX")
    from atomctl.trust.formats import keyfile

    pair = keyfile.generate(read_password(password_file, confirm=True))
    replace_file(private, pair.private_pem)
    replace_file(public, pair.public_pem, mode=0o644)
    key_id = keyfile.load_public(pair.public_pem).key_id
    emit("key-pair", {"name": key_id, "private": str(private), "public": str(public)}, output, text=lambda k: k["name"])
    say(f"Wrote {private} (keep it secret) and {public}.\nNext: atomctl keys register {public} --for 'NAME-*'")


@command.command(
    "register",
    epilog=examples(
        "atomctl keys register atom.pub --for 'restart-*'    may sign every package of these names",
        "atomctl keys register atom.pub                      known, but no rule trusts it yet",
    ),
)
@click.argument("file", type=EXISTING_FILE)
@click.option("--for", "names", multiple=True, metavar="GLOB", help="Also trust it for these package names.")
@output_option
def register(file: Path, names: tuple[str, ...], output: Format) -> None:
    """Register a public key as yours, and with --for add the trust rule that lets it sign."""
    from atomctl.cli.connection import open_client
    from atomctl.cli.trust import next_step

    with open_client() as client:
        key = client.post("trust/keys", {"public_key": file.read_text(encoding="ascii")})
        emit("key", {"name": key["key_id"], **key}, output, text=lambda k: k["name"])
        if not names:
            say("Registered. No rule trusts it yet.\nNext: atomctl trust show")
            return
        document = _with_rule(_rules_in_force(client), key["key_id"], names)
        rules = client.post(
            "trust/rules", {"document": document, "reason": f"{', '.join(names)} signed by {key['key_id']}"}
        )
    say(f"Registered. Trust rules version {rules['version']}: {next_step(rules)}")


def _rules_in_force(client: Any) -> dict[str, Any]:
    """The document in force, or an empty one where the tenant has no rules yet."""
    try:
        return dict(client.get("trust/rules")["document"])
    except AtomError as error:
        if error.code.status != 404:
            raise
        return {"schema": "atom.trust-rules/v1", "rules": []}


def _with_rule(document: dict[str, Any], key_id: str, names: tuple[str, ...]) -> dict[str, Any]:
    """The rules with one more: one signature by this key is enough for these names."""
    rule = {
        "id": f"key-{key_id.removeprefix('sha256:')[:12]}-{len(document['rules']) + 1}",
        "names": list(names),
        "require": {"any_of": [{"threshold": 1, "signers": [{"key": key_id}]}]},
    }
    return {**document, "rules": [*document["rules"], rule]}
