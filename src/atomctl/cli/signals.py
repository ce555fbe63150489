"""`atomctl signals`: what insight noticed, and what people say about it."""

from __future__ import annotations

from typing import Any

import click

from atomctl.cli.connection import open_client
from atomctl.cli.identifiers import short, signal_id
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit, emit_many, say


@click.group("signals")
def command() -> None:
    """Show what was noticed, and answer it."""


@command.command(
    "list",
    epilog=examples(
        "atomctl signals list                            what is open",
        "atomctl signals list --state any --kind failure_rate -o json",
    ),
)
@click.option(
    "--state",
    type=click.Choice(["open", "acknowledged", "closed", "any"]),
    default="open",
    show_default=True,
    help="Only signals in this state.",
)
@click.option("--kind", help="Only signals of this kind, such as unsigned_upload.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most this many.")
@output_option
def list_signals(state: str, kind: str | None, limit: int, output: Format) -> None:
    """List signals, newest first."""
    with open_client() as client:
        wanted = None if state == "any" else state
        found = client.pages("signals", state=wanted, kind=kind, limit=limit)
        documents = ({"name": signal["id"], **signal} for signal in found)
        emit_many("signal", documents, output, text=_line, empty="Nothing was noticed.")


@command.command("show", epilog=examples("atomctl signals show 7f3a9c21 -o json"))
@click.argument("signal")
@output_option
def show(signal: str, output: Format) -> None:
    """Show one signal with its figures and runs."""
    with open_client() as client:
        found = client.get(f"signals/{signal_id(client, signal)}")
        emit("signal", {"name": found["id"], **found}, output, text=_page)


@command.command(
    "ack",
    epilog=examples(
        'atomctl signals ack 7f3a9c21 --comment "looking"',
        "atomctl signals ack 7f3a9c21 --close            it is dealt with",
    ),
)
@click.argument("signal")
@click.option("--close", "closing", is_flag=True, help="Nothing more is to be done about it.")
@click.option("--comment", help="What you say about it, for the record.")
@output_option
def ack(signal: str, closing: bool, comment: str | None, output: Format) -> None:
    """Take a signal into your hands, or close it."""
    _change(signal, "close" if closing else "acknowledge", {"comment": comment}, output)


@command.command("label", epilog=examples("atomctl signals label 7f3a9c21 useful", "atomctl signals label 7f3a noise"))
@click.argument("signal")
@click.argument("label", type=click.Choice(["useful", "noise"]))
@click.option("--comment", help="Why, for whoever tunes the detector.")
@output_option
def label(signal: str, label: str, comment: str | None, output: Format) -> None:
    """Say whether a signal was worth looking at."""
    _change(signal, "label", {"label": label, "comment": comment}, output)


@command.command(
    "probe", epilog=examples("atomctl signals probe 'max(node_load1)' --above 8", "atomctl signals probe up --below 1")
)
@click.argument("promql")
@click.option("--above", type=float, help="Raise a signal if a value is larger than this.")
@click.option("--below", type=float, help="Raise a signal if a value is smaller than this.")
@output_option
def probe(promql: str, above: float | None, below: float | None, output: Format) -> int:
    """Ask the server's Prometheus; exit code 1 if a value lies beyond.

    The server asks the Prometheus it is configured with, by PROMETHEUS_URL; an answer beyond becomes a signal.
    """
    if (above is None) == (below is None):
        raise click.UsageError("give either --above or --below")
    op, threshold = ("<", below) if above is None else (">", above)
    with open_client() as client:
        found = client.post("signals/probe", {"promql": promql, "op": op, "threshold": threshold})
        emit("probe", {"name": promql, **found}, output, text=_answer)
        if found["signal"]:
            say(f"Next: atomctl signals show {short(found['signal']['id'])}")
    return int(found["exceeded"])


def _change(signal: str, action: str, body: dict[str, object], output: Format) -> None:
    with open_client() as client:
        after = client.post(f"signals/{signal_id(client, signal)}/{action}", body)
        emit("signal", {"name": after["id"], **after}, output, text=_line)


def _line(signal: dict[str, Any]) -> str:
    times = f"{signal['occurrences']}x" if signal["occurrences"] > 1 else ""
    label = f" [{signal['label']}]" if signal["label"] else ""
    return (
        f"{short(signal['id'])}  {signal['severity']:<8} {signal['state']:<12} {signal['kind']:<16} {times:>4} "
        f"{signal['summary']}{label}"
    )


def _page(signal: dict[str, Any]) -> str:
    runs = ", ".join(short(run) for run in signal["evidence"]) or "none"
    return "\n".join(
        [
            f"{signal['kind']} {short(signal['id'])}: {signal['summary']}",
            f"  about     {signal['subject']}",
            f"  severity  {signal['severity']}, {signal['state']}, seen {signal['occurrences']} times",
            f"  figures   observed {signal['observed']:g}, usual {signal['baseline']:g}, score {signal['score']:.3g}",
            f"  window    {signal['window_start']} to {signal['window_end']}",
            f"  detector  {signal['detector']} version {signal['detector_version']}",
            f"  runs      {runs}",
            f"  feedback  {signal['label'] or 'none yet'}",
        ]
    )


def _answer(found: dict[str, Any]) -> str:
    verdict = "beyond" if found["exceeded"] else "not beyond"
    return f"{found['value']:g} is {verdict} {found['op']} {found['threshold']:g}, among {found['series']} series"
