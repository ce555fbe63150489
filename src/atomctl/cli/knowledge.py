"""`atomctl knowledge`: what questions are answered from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from atomctl.cli import answer_page
from atomctl.cli.confirming import dry_run_option
from atomctl.cli.connection import open_client
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit, say
from atomctl.cli.progress import busy
from atomctl.client import Client
from atomctl.errors import AtomError
from atomctl.knowledge.cleaning import clean
from atomctl.knowledge.folder import markdown_files, read_file
from atomctl.knowledge.pages import decode, require_collection, require_name


@click.group("knowledge")
def command() -> None:
    """Put runbooks and past runs where they are found."""


@command.command("status", epilog=examples("atomctl knowledge status", "atomctl knowledge status -o json"))
@output_option
def status(output: Format) -> None:
    """Show what is known, and whether it is found by meaning."""
    with open_client() as client:
        found = client.get("knowledge")
    emit("knowledge", {"name": found["model"] or "words", **found}, output, text=answer_page.status)
    if lacking := answer_page.lacking(found):
        say(lacking)


@command.command(
    "sync",
    epilog=examples(
        "atomctl knowledge sync runbooks                    the Markdown below runbooks/",
        "atomctl knowledge sync docs --as handbook          in a collection of that name",
        "atomctl knowledge sync --package restart-web@1.0.0",
        "atomctl knowledge sync --runs                      past runs in which something went wrong",
    ),
)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--as", "collection", metavar="NAME", help="The collection (default: the folder's name).")
@click.option("--package", metavar="NAME@VERSION", help="Take the Markdown in a published package instead.")
@click.option("--runs", is_flag=True, help="Take all past runs in which something went wrong instead.")
@dry_run_option
@output_option
def sync(
    folder: Path | None,
    collection: str | None,
    package: str | None,
    runs: bool,
    dry_run: bool,
    output: Format,
) -> int:
    """Bring a collection of pages up to date.

    Pages that did not change are not touched, pages that are gone are taken out. Exit code 1 when a page was not taken;
    what was known of it before stays.
    """
    if (folder is not None) + (package is not None) + runs != 1:
        raise click.UsageError("give a folder, --package or --runs")
    if folder is not None:
        return _sync_folder(folder, collection, dry_run=dry_run, output=output)
    if collection or dry_run:
        raise click.UsageError("--as and --dry-run go with a folder")
    with open_client() as client, busy("reading"):
        done = _package(client, package) if package else _runs(client)
    return _report(done, output)


def _sync_folder(folder: Path, called: str | None, *, dry_run: bool, output: Format) -> int:
    collection = called or folder.resolve().name
    require_collection(collection)
    files = markdown_files(folder)
    texts, rejected = dict[str, str](), list[dict[str, str]]()
    for path in files:
        try:
            require_name(path.as_posix())
            texts[path.as_posix()] = decode(read_file(folder, path))
        except AtomError as error:
            rejected.append(_rejection(path.as_posix(), error))
    done = {"collection": collection, "pages": len(texts), "changed": 0, "removed": 0, "rejected": rejected}
    if dry_run:
        say("Nothing was changed.")
        return _report(done, output)
    with open_client() as client, busy(f"reading {len(texts)} pages"):
        for name, text in texts.items():
            try:
                done["changed"] += client.post("knowledge/pages", _page(collection, name, text))["changed"]
            except AtomError as error:
                if not error.code.id.startswith("KNO00"):
                    raise
                rejected.append(_rejection(name, error))
        # A page that was not taken keeps what was known of it; what cannot be a name was never known.
        kept = [path.as_posix() for path in files if path.as_posix().isprintable()]
        end = {"collection": collection, "paths": kept, "rejected": len(rejected)}
        done["removed"] = client.post("knowledge/end-sync", end)["removed"]
    return _report({**done, "pages": len(files) - len(rejected)}, output)


def _page(collection: str, path: str, text: str) -> dict[str, object]:
    return {"collection": collection, "path": path, "text": text}


def _rejection(path: str, error: AtomError) -> dict[str, str]:
    return {"path": clean(path), "code": error.code.id, "why": clean(error.why)}


def _package(client: Client, package: str) -> dict[str, Any]:
    name, at, version = package.partition("@")
    if not (name and at and version):
        raise click.UsageError("--package takes NAME@VERSION")
    return client.post("knowledge/packages", {"name": name, "version": version})


def _runs(client: Client) -> dict[str, Any]:
    parts = list(_parts(client))
    return {**parts[-1], "pages": sum(part["pages"] for part in parts), "changed": sum(p["changed"] for p in parts)}


def _parts(client: Client) -> Iterator[dict[str, Any]]:
    more = True
    while more:
        part = client.post("knowledge/runs")
        more = part["more"]
        yield part


def _report(done: dict[str, Any], output: Format) -> int:
    document = {key: done[key] for key in ("collection", "pages", "changed", "removed", "rejected")}
    emit("knowledge-sync", {"name": done["collection"], **document}, output, text=answer_page.synced)
    return 1 if done["rejected"] else 0
