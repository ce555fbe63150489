"""`atomctl init`: a new package's folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from atomctl.cli import codes
from atomctl.cli.confirming import dry_run_option
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit, emit_many, say
from atomctl.cli.starters import DEFAULT, starter, starters
from atomctl.errors import AtomError

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # DNS-1123 label, as the manifest demands
_METADATA_NAME = re.compile(r"^(metadata: *\{ *name: *|  name: *)\S+?(?=[,}\s])", re.MULTILINE)


@click.command(
    "init",
    epilog=examples(
        "atomctl init restart-web                           three shell steps and a rollback, in restart-web/",
        "atomctl init my-restart --from restart-unhealthy   a complete package to adapt",
        "atomctl init --list                                what there is to start from",
    ),
)
@click.argument("name", required=False)
@click.option("--from", "origin", default=DEFAULT, show_default=True, metavar="STARTER", help="What to start from.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to write it (default: ./NAME).")
@click.option("--list", "list_all", is_flag=True, help="List the starters.")
@dry_run_option
@output_option
def command(name: str | None, origin: str, folder: Path | None, list_all: bool, dry_run: bool, output: Format) -> None:
    """Write a new package's folder."""
    if list_all:
        emit_many("starter", ({"name": each} for each in starters()), output, text=lambda s: s["name"])
        return
    if name is None:
        raise AtomError(codes.USAGE, "the new package needs a name", hint="atomctl init NAME")
    if not _NAME.fullmatch(name):
        raise AtomError(
            codes.USAGE,
            f"{name!r} is not a package name",
            hint="lower-case letters, digits and hyphens, at most 63, beginning and ending with a letter or digit",
        )
    target = folder or Path(name)
    source = starter(origin)
    if target.exists():
        raise AtomError(codes.EXISTS, f"{target} is there already")
    written = [str(path) for path in (_planned(source, target) if dry_run else _copy(source, target, name))]
    document = {"name": name, "folder": str(target), "files": written}
    emit("source", document, output, text=lambda d: "\n".join(d["files"]))
    say("Nothing was written." if dry_run else f"Wrote {target}.\nNext: atomctl validate {target}")


def _planned(source: Path, target: Path) -> Iterator[Path]:
    """What `_copy` would write."""
    return (target / path.relative_to(source) for path in sorted(source.rglob("*")) if path.is_file())


def _copy(source: Path, target: Path, name: str) -> Iterator[Path]:
    """Copies a starter; its manifest gets the new name, scripts stay executable."""
    target.mkdir(parents=True)
    for entry in sorted(source.iterdir()):
        copy = target / entry.name
        if entry.is_dir():
            yield from _copy(entry, copy, name)
            continue
        data = entry.read_bytes()
        if entry.name == "wpk.yaml":
            data = _METADATA_NAME.sub(rf"\g<1>{name}", data.decode(), count=1).encode()
        copy.write_bytes(data)
        if entry.suffix == ".sh":
            copy.chmod(0o755)
        yield copy
