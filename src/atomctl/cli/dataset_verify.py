"""`atomctl dataset verify`: an export, looked at by whoever was handed it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.paths import EXISTING_FILE
from atomctl.cli.printing import emit


@click.command(
    "verify",
    epilog=examples(
        "atomctl dataset verify july",
        "atomctl dataset verify july --vkey audit.vkey      on a machine that knows the instance's key alone",
    ),
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--vkey", type=EXISTING_FILE, help="The verifier keys you trust (default: this machine's instance's).")
@output_option
def verify(folder: Path, vkey: Path | None, output: Format) -> int:
    """Verify an export: signature, files, and every row of every format.

    It connects to nothing. Exit code 12: it was changed; 11: it is complete in itself, but no key was known beforehand
    that could vouch for the signer.
    """
    from atomctl.audit.keys import read_vkeys
    from atomctl.dataset.verify import verify_dataset
    from atomctl.settings import load_settings

    known = vkey or load_settings().home / "keys" / "audit.vkey"
    trusted = read_vkeys(known.read_text()) if known.exists() else ()
    verdict = verify_dataset(folder, trusted=trusted)
    verdict.raise_if_broken()
    emit("dataset-verdict", {"name": str(folder), **verdict.to_json()}, output, text=_verdict_page)
    return int(verdict.exit_code)


def _verdict_page(verdict: dict[str, Any]) -> str:
    signer = "" if verdict["signer"]["known"] else "; signer unknown (DAT816)"
    rows = f"{verdict['rows']} rows in {verdict['partitions']} partitions"
    return f"{verdict['outcome']}: {verdict['name']}, {rows}{signer}\nmanifest: {verdict['digest']}"
