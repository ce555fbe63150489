"""`atomctl validate`: what is risky in a package, with line and fix, offline."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from atomctl.cli import codes
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.package_source import open_package
from atomctl.cli.printing import emit, say
from atomctl.errors import AtomError


@click.command(
    "validate",
    epilog=examples(
        "atomctl validate restart-web",
        "atomctl validate restart-web --fix                  mend what can be mended without you",
        "atomctl validate restart-web-1.0.0.wpk -o json      the report, byte-identical for the same input",
    ),
)
@click.argument("source", type=click.Path(exists=True, path_type=Path), default=".")
@click.option("--fix", is_flag=True, help="Mend in the source what has one right answer.")
@output_option
def command(source: Path, fix: bool, output: Format) -> None:
    """Find risks in a package, with line and fix.

    Exit code 13 when the decision is block; findings that only need an approval exit 0.
    """
    from atomctl.policy.assessment import assess
    from atomctl.policy.decision import Outcome
    from atomctl.rules.formats import text

    if fix:
        _fix(source)
    package = open_package(source)
    assessment = assess(package, today=datetime.now(UTC).date())
    emit("report", {"name": package.manifest.name, **assessment.document}, output, text=text.render)
    if assessment.decision.outcome is Outcome.BLOCK:
        raise AtomError(codes.WOULD_BLOCK, f"risk {assessment.risk.score} of 100")
    say(f"Next: atomctl pack {source}" if source.suffix != ".wpk" else f"Next: atomctl sign {source} --key atom.key")


def _fix(source: Path) -> None:
    from atomctl.cli.fixing import fix_source

    for change in fix_source(source):
        say(f"fixed {change}")
