"""`atomctl explain`: what a code or a rule means."""

from __future__ import annotations

import click

from atomctl.cli import codes
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit, emit_many
from atomctl.errors import AtomError, Code
from atomctl.explanation.known_codes import all_codes


@click.command(
    "explain",
    epilog=examples(
        "atomctl explain TRU203",
        "atomctl explain privileged-container",
        "atomctl explain --list",
    ),
)
@click.argument("name", required=False, metavar="CODE|RULE")
@click.option("--list", "list_all", is_flag=True, help="List every code.")
@output_option
def command(name: str | None, list_all: bool, output: Format) -> None:
    """Explain an error code or a rule."""
    if list_all or name is None:
        emit_many("code", [_code_document(code) for code in all_codes().values()], output, text=_code_line)
        return
    code = all_codes().get(name.upper())
    if code is not None:
        emit("code", _code_document(code), output, text=_code_page)
        return
    from atomctl.rules import CATALOG

    rule = CATALOG.get(name.lower())
    if rule is None:
        raise AtomError(codes.UNKNOWN_CODE, f"{name!r} is neither a code nor a rule")
    emit("rule", rule.to_json(), output, text=_rule_page)


def _code_document(code: Code) -> dict[str, object]:
    return {
        "name": code.id,
        "title": code.title,
        "meaning": code.meaning,
        "hint": code.hint,
        "exit": int(code.exit),
        "status": code.status,
        "retryable": code.retryable,
        "docs": code.docs,
    }


def _code_line(code: dict[str, object]) -> str:
    return f"{code['name']}  {code['title']}"


def _code_page(code: dict[str, object]) -> str:
    return (
        f"{code['name']}: {code['title']}\n\n{code['meaning']}\n\n"
        f"hint: {code['hint']}\nexit code: {code['exit']}    HTTP status: {code['status']}\ndocs: {code['docs']}"
    )


def _rule_page(rule: dict[str, object]) -> str:
    return (
        f"{rule['name']}: {rule['title']} ({rule['severity']})\n\nfix: {rule['remediation']}\n\n"
        f"bad:\n{rule['bad']}\ngood:\n{rule['good']}"
    )
