"""`atomctl stats`: the main series of the tenant, drawn in the terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import click

from atomctl.cli.connection import open_client
from atomctl.cli.drawing import Glyphs, bars, glyphs_for, sparkline
from atomctl.cli.durations import Duration
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit

_SHORTEST, _LONGEST = timedelta(minutes=5), timedelta(days=90)
_FIGURE = 8
"""Columns for a figure with its unit."""
_LEAST_SPARKS = 8


@click.command(
    "stats",
    epilog=examples(
        "atomctl stats                      the last day",
        "atomctl stats --since 1h",
        "atomctl stats --since 168h -o json",
    ),
)
@click.option("--since", type=Duration(), default="24h", show_default=True, help="How far to look back, up to 2160h.")
@output_option
def command(since: timedelta, output: Format) -> None:
    """Draw runs, failures, step times and what waits.

    The server reads them from the record of your tenant: run history, approvals and the audit log. Prometheus is not
    needed. Dry runs are not counted.
    """
    if not _SHORTEST <= since <= _LONGEST:
        raise click.BadParameter("it is from 5m to 2160h", param_hint="--since")
    with open_client() as client:
        found = client.get("stats", seconds=round(since.total_seconds()))
    columns, glyphs = shutil.get_terminal_size().columns, glyphs_for(sys.stdout.encoding)
    emit(
        "stats",
        {"name": span(since.total_seconds()), **found},
        output,
        text=lambda document: "\n".join(page(document, columns, glyphs)),
    )


def page(stats: Mapping[str, Any], columns: int, glyphs: Glyphs) -> Iterator[str]:
    """The lines to print, none longer than `columns` unless that is too few for a title and a figure. Pure."""
    since, until = (datetime.fromisoformat(stats[key]) for key in ("since", "until"))
    yield f"The last {stats['name']}, until {until:%Y-%m-%d %H:%M} UTC"
    yield ""
    yield from _series(stats["series"], columns, glyphs)
    part = (until - since) / max(1, len(stats["series"][0]["values"])) if stats["series"] else timedelta(0)
    yield f"each value stands for {span(part.total_seconds())}, the newest to the right"
    yield ""
    yield "Now"
    yield from _figures(stats["figures"])
    if stats["open_runs"]:
        yield ""
        yield "Open runs"
        yield from bars({f"  {state}": runs for state, runs in stats["open_runs"].items()}, columns, glyphs)


def _series(series: Sequence[Mapping[str, Any]], columns: int, glyphs: Glyphs) -> Iterator[str]:
    """One line each; where that leaves no room to see anything, the drawing goes to a line of its own."""
    titles = max((len(one["title"]) for one in series), default=0)
    room = columns - titles - _FIGURE - 6
    for one in series:
        head = f"  {one['title']:<{titles}}  {amount(one['whole'], one['unit']):>{_FIGURE}}"
        if room >= _LEAST_SPARKS:
            yield f"{head}  {sparkline(one['values'], room, glyphs)}".rstrip()
        else:
            yield head
            drawn = sparkline(one["values"], max(1, columns - 2), glyphs).rstrip()
            if drawn:
                yield f"  {drawn}"


def _figures(figures: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    titles = max((len(one["title"]) for one in figures), default=0)
    for one in figures:
        if one["value"] is not None:
            yield f"  {one['title']:<{titles}}  {amount(one['value'], one['unit']):>{_FIGURE}}"


def amount(value: float | None, unit: str) -> str:
    """A value for a person: `12`, `4.3%`, `1.2s`; `-` where there is none. A unit that is not known stays unsaid."""
    if value is None:
        return "-"
    match unit:
        case "share":
            return f"{value:.1%}"
        case "seconds":
            return span(value)
        case _:
            return f"{value:g}" if value < 1e6 else f"{value:.3g}"


def span(seconds: float) -> str:
    """A length of time in the two largest units that say something: `0.45s`, `12s`, `3m20s`, `24h`, `7d4h`."""
    if seconds < 10:
        return f"{seconds:.2g}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    for large, small, size, inner in (("m", "s", 60, 1), ("h", "m", 3600, 60)):
        if whole < size * (60 if large == "m" else 48):
            count, rest = whole // size, whole % size // inner
            return f"{count}{large}{rest}{small}" if rest else f"{count}{large}"
    days, hours = whole // 86_400, whole % 86_400 // 3600
    return f"{days}d{hours}h" if hours else f"{days}d"
