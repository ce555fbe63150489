"""Arguments that name files; apart from `invocation`, so that help does not pay for `pathlib`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class PackageFile(click.Path):
    """An existing package file; for a folder the hint is to pack it."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, or a usage error."""
        if Path(value).is_dir():
            self.fail(f"{value} is a folder, not a package file\nhint: atomctl pack {value}", param, ctx)
        return super().convert(value, param, ctx)


PACKAGE_FILE = PackageFile()
