"""`atomctl pack`: the package file and its digest."""

from __future__ import annotations

from pathlib import Path

import click

from atomctl.cli import codes
from atomctl.cli.confirming import dry_run_option
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.package_source import pack_source
from atomctl.cli.printing import emit, say
from atomctl.errors import AtomError
from atomctl.files import replace_file


@click.command(
    "pack",
    epilog=examples(
        "atomctl pack restart-web", "atomctl pack restart-web --out dist/restart-web.wpk", "atomctl pack . -o name"
    ),
)
@click.argument("source", type=click.Path(exists=True, path_type=Path), default=".")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file (default: NAME-VERSION.wpk).")
@click.option("--force", is_flag=True, help="Replace a file with other contents.")
@dry_run_option
@output_option
def command(source: Path, out: Path | None, force: bool, dry_run: bool, output: Format) -> None:
    """Make the package file and print its digest.

    The same source gives the same bytes on every machine, so the digest is the package's identity.
    """
    packed = pack_source(source)
    metadata = packed.manifest.metadata
    target = out or Path(f"{metadata.name}-{metadata.version}.wpk")
    if target.exists() and not force and target.read_bytes() != packed.data:
        raise AtomError(
            codes.EXISTS, f"{target} holds another package", hint="raise the version in wpk.yaml, or add --force"
        )
    if not dry_run:
        replace_file(target, packed.data, mode=0o644)
    document = {"name": str(target), "digest": packed.digest, "size": len(packed.data)}
    emit("packed", document, output, text=lambda p: f"{p['name']}  {p['digest']}")
    say("Nothing was written." if dry_run else f"Next: atomctl sign {target} --key atom.key")
