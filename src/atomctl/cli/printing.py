"""Data on standard output, talk on standard error; every JSON document says which schema it follows."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, assert_never

import click

from atomctl.cli.invocation import Format, current

Document = Mapping[str, Any]
"""What is printed; the key `name` is what `-o name` prints, and an id where there is no better name."""


def emit(noun: str, document: Document, output: Format, *, text: Callable[[dict[str, Any]], str]) -> None:
    """Prints one document of schema `atom.<noun>/v1`, whose file is `schemas/<noun>-v1.schema.json`."""
    schema = {"schema": f"atom.{noun}/v1"}
    full = {**schema, **document, **schema}  # first, and never what a server of another version says
    match output:
        case Format.TEXT:
            click.echo(text(full))
        case Format.JSON:
            click.echo(json.dumps(full, indent=2, ensure_ascii=False))
        case Format.JSONL:
            click.echo(json.dumps(full, ensure_ascii=False))
        case Format.NAME:
            click.echo(str(full["name"]))
        case _:
            assert_never(output)


def emit_many(
    noun: str,
    documents: Iterable[Document],
    output: Format,
    *,
    text: Callable[[dict[str, Any]], str],
    empty: str | None = None,
) -> None:
    """Prints documents of one schema: lines of text, one JSON list document, or one document a line.

    `empty` is said on standard error when there is nothing, in text form only.
    """
    if output is Format.JSON:
        items = [dict(document) for document in documents]
        click.echo(json.dumps({"schema": f"atom.{noun}-list/v1", "items": items}, indent=2, ensure_ascii=False))
        return
    seen = False
    for document in documents:
        seen = True
        emit(noun, document, output, text=text)
    if not seen and empty and output is Format.TEXT:
        say(empty)


def say(message: str) -> None:
    """Talk: progress, what changed, the next command. It goes to standard error, in text form only."""
    if current().format is Format.TEXT:
        click.echo(message, err=True)


def colour(word: str, **style: Any) -> str:
    """`word` in colour where standard output is a terminal that wants it; colour never carries the meaning alone."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return word
    return click.style(word, **style)


def table(rows: Iterable[Iterable[object]], header: Iterable[str]) -> str:
    """Rows under a header in columns as wide as their widest cell, two spaces apart, nothing behind the last."""
    cells = [list(header)] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells)
