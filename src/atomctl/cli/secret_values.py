"""Values of secrets from standard input, a prompt or files: never from the arguments, which everybody can see."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from atomctl.cli import codes as cli
from atomctl.errors import AtomError
from atomctl.secrets import codes
from atomctl.secrets.model import MAX_BYTES


def read_values(fields: Sequence[str], files: Sequence[str]) -> dict[str, str]:
    """The values by field name; a newline at the end of input or file does not belong to the value.

    Args:
        fields: `NAME=-` each, of which one can be read from standard input; at a terminal, any number is asked for.
        files: `NAME=FILE` each.

    Raises:
        AtomError: SEC009 a value in an argument, SEC008 input or file too large or not text, CLI001 nothing to read,
            or one name or standard input twice.
    """
    asked = [_asked(field) for field in fields]
    named = [_named(file) for file in files]
    names = [*asked, *(name for name, _ in named)]
    if not names or len(set(names)) < len(names):
        raise AtomError(cli.USAGE, "give each field once, as NAME=- or with --from-file NAME=FILE")
    if len(asked) > 1 and not sys.stdin.isatty():
        raise AtomError(cli.USAGE, "only one field can be read from standard input")
    values = {name: _from_input(name) for name in asked}
    return values | {name: _text(_file(path), name) for name, path in named}


def _asked(field: str) -> str:
    name, equals, value = field.partition("=")
    if equals and value == "-":
        return name
    if equals:
        raise AtomError(codes.IN_ARGUMENTS, f"{name}=... gives a value as an argument")
    raise AtomError(cli.USAGE, f"{name[:80]!r} is not NAME=-")


def _named(file: str) -> tuple[str, Path]:
    name, equals, path = file.partition("=")
    if not (name and equals and path):
        raise AtomError(cli.USAGE, "--from-file takes NAME=FILE")
    return name, Path(path)


def _from_input(name: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(f"Value of {name}", hide_input=True, confirmation_prompt=True, err=True))
    return _text(sys.stdin.buffer.read(MAX_BYTES + 2), name)


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 2)
    except OSError as error:
        raise AtomError(cli.USAGE, f"{path}: {error.strerror}") from error


def _text(data: bytes, name: str) -> str:
    data = data.removesuffix(b"\n").removesuffix(b"\r")
    if len(data) > MAX_BYTES:
        raise AtomError(codes.BAD_VALUE, f"the value of {name} has more than {MAX_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise AtomError(codes.BAD_VALUE, f"the value of {name} is not UTF-8 text") from error
