"""`atomctl controls`: the twelve controls, checked on a running deployment, with evidence that anybody can verify."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atomctl.cli.connection import settings_in_force
from atomctl.cli.invocation import Format, current, examples, output_option
from atomctl.cli.printing import colour, emit, say

if TYPE_CHECKING:
    from atomctl.controls.model import ControlResult

_TONES = {"PASS": "green", "FAIL": "red", "BLOCKED": "yellow"}
_KEYS_LIMIT = 64 * 1024
_MATRIX = ("table", "md", "csv")
_FORMS = (*_MATRIX, *(form.value for form in Format))


def _remember(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """Errors are told in the form of the data."""
    if value not in _MATRIX:
        current().format = Format(value)
    return value


@click.group("controls")
def command() -> None:
    """Check the twelve controls, and their evidence."""


@command.command(
    "check",
    epilog=examples(
        "atomctl controls check                                  all twelve",
        "atomctl controls check signatures 5 --reports reports   two of them, by name and number, with evidence",
        "atomctl controls check -o md > matrix.md                the policy matrix",
    ),
)
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option(
    "--reports", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Leave signed evidence there."
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(_FORMS),
    default="table",
    show_default=True,
    callback=_remember,
    is_eager=True,
    help="The form of what is printed; table, md and csv are the policy matrix.",
)
def check(names: tuple[str, ...], reports: Path | None, output: str) -> int:
    """Check controls on the deployment of this machine, or on those it is configured to reach.

    Each control is probed from both sides: what is allowed must work, and what must fail must be seen to fail. Probes
    use throw-away tenants; what destroys runs on a scratch instance. Exit code 0: all pass, 1: one fails, 3: none
    fails, but something is missing for one.
    """
    from atomctl.controls import matrix
    from atomctl.controls.catalog import chosen
    from atomctl.controls.checking import check as check_now
    from atomctl.telemetry.logs import configure
    from atomctl.wiring import control_site

    configure("error", json=False)  # what is wrong stands in the report
    wanted = chosen(names)
    with control_site(settings_in_force()) as site:
        document = check_now(site, wanted, reports, say=_progress)
    match output:
        case "md":
            click.echo(matrix.as_markdown(document), nl=False)
        case "csv":
            click.echo(matrix.as_csv(document), nl=False)
        case _:
            form = Format.TEXT if output == "table" else Format(output)
            emit("controls", document, form, text=lambda made: _coloured(matrix.as_text(made)))
    if reports is not None:
        say(f"Evidence: {reports}\nNext: atomctl controls verify {reports}")
    exit_code: Any = document["exit"]
    return int(exit_code)


def _progress(result: ControlResult) -> None:
    say(f"{result.control.number:>2}  {result.verdict:<7}  {result.control.title}")


def _coloured(text: str) -> str:
    for verdict, tone in _TONES.items():
        text = text.replace(f" {verdict} ", f" {colour(verdict, fg=tone)} ")
    return text


@command.command(
    "verify", epilog=examples("atomctl controls verify reports", "atomctl controls verify reports --vkey k")
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
@click.option(
    "--vkey",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The verifier keys you trust (default: this machine's instance's).",
)
@output_option
def verify(folder: Path, vkey: Path | None, output: Format) -> int:
    """Verify the evidence that a check left, offline.

    The signature, every verdict and every report are drawn again from what the probes saw. The exit code is that of the
    check itself; 11: not signed by a key you trust, 12: changed.
    """
    from atomctl.audit.keys import read_vkeys
    from atomctl.controls import evidence

    path = vkey or settings_in_force().home / "keys" / "audit.vkey"
    trusted = read_vkeys(path.read_text(encoding="ascii")[:_KEYS_LIMIT]) if vkey or path.exists() else ()
    found = evidence.verify(folder, trusted)
    document = {
        "name": found.document["name"],
        "ended": found.document["ended"],
        "verdicts": found.document["verdicts"],
        "signer": {"key": found.document["deployment"], "known": found.signed_by is not None},
    }
    emit("controls-verdict", document, output, text=_page)
    return int(found.document["exit"])


def _page(document: dict[str, Any]) -> str:
    from atomctl.controls.matrix import tally

    known = "a key you trust" if document["signer"]["known"] else "a key nobody vouches for; give --vkey FILE"
    return (
        f"verified: {tally(document)}, checked {document['ended']}\n  signed by {document['signer']['key']}  ({known})"
    )
