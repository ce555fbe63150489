"""`atomctl verify`: a package file against its bundles, offline."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atomctl.cli import codes
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.paths import EXISTING_FILE, PACKAGE_FILE
from atomctl.cli.printing import emit
from atomctl.cli.signing_files import BUNDLE_LIMIT, PACKAGE_LIMIT, bundles_beside, read_bounded
from atomctl.errors import AtomError

if TYPE_CHECKING:
    from atomctl.trust.rule_model import TrustRules

_KEY_FILE_LIMIT = 64 * 1024


@click.command(
    "verify",
    epilog=examples(
        "atomctl verify restart-web-1.0.0.wpk --key atom.pub",
        "atomctl verify restart-web-1.0.0.wpk --key alice.pub --key bob.pub --threshold 2",
    ),
)
@click.argument("file", type=PACKAGE_FILE)
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=EXISTING_FILE,
    help="A public key to trust; may be repeated (default: $COSIGN_PUBLIC_KEY_PATH).",
)
@click.option(
    "--bundle",
    "bundles",
    multiple=True,
    type=EXISTING_FILE,
    help="A bundle (default: those beside the file).",
)
@click.option("--threshold", type=click.IntRange(1, 32), default=1, show_default=True, help="How many must sign.")
@output_option
def command(file: Path, keys: tuple[Path, ...], bundles: tuple[Path, ...], threshold: int, output: Format) -> None:
    """Verify a package file against its bundles.

    It connects to nothing. Exit code 10: unsigned, 11: signed by somebody you do not trust, 12: tampered with.
    """
    from atomctl.trust.formats import keyfile
    from atomctl.trust.key_record import KeyRecord
    from atomctl.trust.verify import verify
    from atomctl.wpk.archive import unpack

    public = [keyfile.load_public(read_bounded(path, _KEY_FILE_LIMIT)) for path in keys or _default_keys()]
    package = unpack(read_bounded(file, PACKAGE_LIMIT))
    metadata = package.manifest.metadata
    verdict = verify(
        digest=package.digest,
        bundles=[read_bounded(path, BUNDLE_LIMIT) for path in bundles or bundles_beside(file)],
        rules=_only([key.key_id for key in public], threshold),
        keys=[KeyRecord.of(key, principal=key.key_id) for key in public],
        name=metadata.name,
        version=str(metadata.version),
        tenant=None,
        environment="command-line",
        now=datetime.now(UTC),
    )
    verdict.raise_if_refused()
    document = verdict.to_json()
    emit("verdict", {**document, "name": f"{metadata.name}@{metadata.version}"}, output, text=_page)


def _default_keys() -> tuple[Path, ...]:
    from atomctl.settings import load_settings

    path = load_settings().cosign_public_key
    if path is None:
        raise AtomError(codes.USAGE, "no public key to trust", hint="give --key FILE, or set COSIGN_PUBLIC_KEY_PATH")
    return (path,)


def _only(key_ids: list[Any], threshold: int) -> TrustRules:
    """Rules that trust just these keys, for any name."""
    from atomctl.trust.rule_model import Group, Quantifier, TrustRule, TrustRules

    group = Group(threshold, frozenset(key_ids))
    rule = TrustRule(id="command-line", names=("*",), quantifier=Quantifier.ANY_OF, groups=(group,))
    return TrustRules((rule,), layer="command-line")


def _page(verdict: dict[str, Any]) -> str:
    signers = "\n".join(f"  signed by {signer['key_id']}" for signer in verdict["signers"])
    return f"verified: {verdict['name']} is {verdict['digest']}\n{signers}"
