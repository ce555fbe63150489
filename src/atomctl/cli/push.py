"""`atomctl push`: publish a signed package."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import click

from atomctl.cli import codes
from atomctl.cli.confirming import dry_run_option
from atomctl.cli.connection import open_client
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.packages import document, page
from atomctl.cli.paths import EXISTING_FILE, PACKAGE_FILE
from atomctl.cli.printing import emit, say
from atomctl.cli.progress import busy
from atomctl.cli.signing_files import BUNDLE_LIMIT, bundles_beside, read_bounded
from atomctl.errors import AtomError


@click.command(
    "push",
    epilog=examples(
        "atomctl push restart-web-1.0.0.wpk                        with the bundles beside it",
        "atomctl push restart-web-1.0.0.wpk --bundle other.json    with just this one",
    ),
)
@click.argument("file", type=PACKAGE_FILE)
@click.option(
    "--bundle",
    "bundles",
    multiple=True,
    type=EXISTING_FILE,
    help="A bundle (default: those beside the file).",
)
@dry_run_option
@output_option
def command(file: Path, bundles: tuple[Path, ...], dry_run: bool, output: Format) -> None:
    """Publish a signed package.

    The server verifies the signature, validates the content and decides. Pushing the same bytes again is a success.
    With --dry-run it only validates, with its own configuration, and prints the report.
    """
    if dry_run:
        _validate(file, output)
        return
    body: dict[str, object] = {
        "archive": _archive(file),
        "bundles": [
            read_bounded(path, BUNDLE_LIMIT).decode(errors="replace") for path in bundles or bundles_beside(file)
        ],
    }
    with open_client() as client, busy(f"pushing {file.name}"):
        package = client.post("packages", body)
    emit("package", document(package), output, text=page)
    if package["state"] == "blocked":
        raise AtomError(
            codes.WOULD_BLOCK,
            f"{package['name']}@{package['version']} is stored, but blocked: risk {package['score']} of 100",
            hint=f"atomctl validate {file}    # or ask for an override: atomctl packages override --help",
        )
    again = "" if package["created"] else " (it was there already)"
    say(f"Pushed{again}.\nNext: atomctl run {package['name']} --dry-run")


def _archive(file: Path) -> str:
    """The file's bytes as they travel.

    Raises:
        AtomError: WPK140 it is larger than any package, so it is not even sent.
    """
    from atomctl.wpk import codes as wpk_codes
    from atomctl.wpk.tar import MAX_BYTES

    data = read_bounded(file, MAX_BYTES)
    if len(data) > MAX_BYTES:
        raise AtomError(wpk_codes.TOO_LARGE, f"{file}: more than {MAX_BYTES:,} bytes")
    return b64encode(data).decode()


def _validate(file: Path, output: Format) -> None:
    from atomctl.rules.formats import text

    body = {"archive": _archive(file)}
    with open_client() as client, busy(f"validating {file.name}"):
        report = client.post("validate", body)
    emit("report", {"name": report["package"]["name"], **report}, output, text=text.render)
    if report["decision"]["outcome"] == "block":
        raise AtomError(codes.WOULD_BLOCK, f"risk {report['risk']['score']} of 100")
    say("Nothing was published. A push also verifies the signature.")
