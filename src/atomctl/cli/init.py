"""`atomctl init`: a new package's folder."""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from atomctl.cli import codes
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit, say
from atomctl.errors import AtomError

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # DNS-1123 label, as the manifest demands


@click.command(
    "init",
    epilog=examples(
        "atomctl init restart-web                 a folder restart-web/ with three shell steps and a rollback",
        "atomctl init restart-web --folder ops    the same in ops/",
    ),
)
@click.argument("name")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to write it (default: ./NAME).")
@output_option
def command(name: str, folder: Path | None, output: Format) -> None:
    """Write a new package's folder."""
    if not _NAME.fullmatch(name):
        raise AtomError(
            codes.USAGE,
            f"{name!r} is not a package name",
            hint="lower-case letters, digits and hyphens, at most 63, beginning and ending with a letter or digit",
        )
    folder = folder or Path(name)
    if folder.exists():
        raise AtomError(codes.EXISTS, f"{folder} is there already")
    written = _write(files("atomctl.cli").joinpath("templates", "shell"), folder, name)
    emit(
        "source", {"name": name, "folder": str(folder), "files": written}, output, text=lambda d: "\n".join(d["files"])
    )
    say(f"Wrote {folder}.\nNext: atomctl validate {folder}")


def _write(template: Traversable, folder: Path, name: str) -> list[str]:
    """Copies the template with the name put in; scripts become executable."""
    folder.mkdir(parents=True)
    written = []
    for entry in sorted(template.iterdir(), key=lambda e: e.name):
        target = folder / entry.name
        if entry.is_dir():
            written += _write(entry, target, name)
            continue
        target.write_text(entry.read_text(encoding="utf-8").replace("@NAME@", name), encoding="utf-8")
        if target.suffix == ".sh":
            target.chmod(0o755)
        written.append(str(target))
    return written
