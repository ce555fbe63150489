"""The password of a private key: from `COSIGN_PASSWORD`, a file or a prompt, never from the command line."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from atomctl.cli import codes
from atomctl.errors import AtomError

_LIMIT = 4096
ENV = "COSIGN_PASSWORD"


def read_password(file: Path | None, *, confirm: bool = False) -> bytes:
    """The password; an empty one counts, wherever it comes from.

    Args:
        file: the value of `--password-file`; a trailing newline does not belong to it.
        confirm: ask twice at a prompt, for a new key.

    Raises:
        AtomError: CLI001 there is no terminal to ask on and neither the variable nor a file says it.
    """
    if file is not None:
        data = file.read_bytes()[:_LIMIT]
        return data.removesuffix(b"\n").removesuffix(b"\r")
    if ENV in os.environ:
        return os.environ[ENV].encode()
    if not sys.stdin.isatty():
        raise AtomError(
            codes.USAGE,
            "the key's password is not known and there is no terminal to ask on",
            hint=f"set {ENV} (an empty value counts) or give --password-file FILE",
        )
    return str(
        click.prompt(
            "Password of the private key",
            hide_input=True,
            confirmation_prompt=confirm,
            default="",
            show_default=False,
            err=True,
        )
    ).encode()
