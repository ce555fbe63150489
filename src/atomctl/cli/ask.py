"""`atomctl ask`: what the runbooks say."""

from __future__ import annotations

import click

from atomctl.cli import answer_page
from atomctl.cli.connection import open_client
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit, say
from atomctl.cli.progress import busy


@click.command(
    "ask",
    epilog=examples(
        'atomctl ask "how do I restore a backup?"',
        'atomctl ask "what does BAK017 mean?" -o json',
        'atomctl ask "where are logs kept?" -o name    the first source alone',
    ),
)
@click.argument("question", nargs=-1, required=True)
@output_option
def command(question: tuple[str, ...], output: Format) -> int:
    """Ask the runbooks: passages with their source.

    The answer is at most three passages of pages that were synced, quoted as they are. Exit code 1 when no page
    answers the question.
    """
    with open_client() as client, busy("looking it up"):
        found = client.post("knowledge/ask", {"question": " ".join(question)})
    first = found["passages"][0]["citation"] if found["known"] else ""
    emit("answer", {"name": first, **found}, output, text=answer_page.answer)
    if lacking := answer_page.lacking(found):
        say(lacking)
    return 0 if found["known"] else 1
