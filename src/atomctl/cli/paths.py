"""Arguments that name files; apart from `invocation`, so that help does not pay for `pathlib`."""

from __future__ import annotations

from pathlib import Path

import click

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
