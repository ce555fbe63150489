"""`atomctl sign`: sign a package file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from atomctl.cli import codes
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.key_password import read_password
from atomctl.cli.paths import EXISTING_FILE, PACKAGE_FILE
from atomctl.cli.printing import emit, say
from atomctl.cli.signing_files import PACKAGE_LIMIT, free_bundle_name, read_bounded
from atomctl.errors import AtomError
from atomctl.files import replace_file

_KEY_FILE_LIMIT = 64 * 1024


@click.command(
    "sign",
    epilog=examples(
        "atomctl sign restart-web-1.0.0.wpk --key atom.key",
        "atomctl sign restart-web-1.0.0.wpk --key ci.key --password-file /run/secrets/ci-key",
    ),
)
@click.argument("file", type=PACKAGE_FILE)
@click.option("--key", required=True, type=EXISTING_FILE, help="The private key.")
@click.option("--password-file", type=EXISTING_FILE, help="Holds the password.")
@click.option("--tenant", help="Sign for this tenant (id) only.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Default: FILE.sigstore.json.")
@output_option
def command(
    file: Path, key: Path, password_file: Path | None, tenant: str | None, out: Path | None, output: Format
) -> None:
    """Sign a package file.

    The bundle beside it binds name and version to the file's SHA-256; the file itself does not change.
    """
    from atomctl.trust.signers import FileSigner, sign_release
    from atomctl.wpk.archive import Packed, unpack

    if out is not None and out.exists():
        raise AtomError(codes.EXISTS, f"{out} is there already")
    data = read_bounded(file, PACKAGE_LIMIT)
    package = unpack(data)
    signer = FileSigner.open(read_bounded(key, _KEY_FILE_LIMIT), read_password(password_file))
    bundle = sign_release(signer, Packed(data, package), tenant, datetime.now(UTC))
    target = out or free_bundle_name(file)
    replace_file(target, bundle, mode=0o644)
    document = {"name": str(target), "digest": package.digest, "key_id": signer.public_key.key_id}
    emit("signature", document, output, text=lambda s: s["name"])
    say(f"Signed {package.digest} with key {signer.public_key.key_id}.\nNext: atomctl push {file}")
