"""`atomctl backup`: take, list, verify, restore and drill backups of the database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atomctl.cli.confirming import dry_run_option
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.paths import EXISTING_FILE
from atomctl.cli.printing import emit, emit_many, say, table
from atomctl.cli.progress import busy
from atomctl.settings import load_settings

if TYPE_CHECKING:
    from atomctl.backup.service import Backups
    from atomctl.backup.shelf import Shelved, Unreadable

_KEYS_LIMIT = 64 * 1024


def _vkey_option(function: Any) -> Any:
    return click.option(
        "--vkey", type=EXISTING_FILE, help="The verifier keys you trust (default: this machine's instance's)."
    )(function)


@click.group("backup")
def command() -> None:
    """Take, verify, restore and drill backups."""


@command.command(
    "create",
    epilog=examples(
        "atomctl backup create                  a full one",
        "atomctl backup create --incremental    what changed since the newest one (PostgreSQL 17 and newer)",
        "atomctl backup create --dry-run        what it would take, and what that builds on",
    ),
)
@click.option("--incremental", is_flag=True, help="Only what changed since the newest backup.")
@dry_run_option
@output_option
def create(incremental: bool, dry_run: bool, output: Format) -> None:
    """Take a backup of the running database, and let go what retention no longer keeps.

    It is encrypted under keys/backup.key of the home: keep a copy of that file elsewhere, without it no backup can be
    read. The schedule of the worker takes one a day by itself (ATOM_BACKUP_EVERY).
    """
    import datetime

    from atomctl.backup.plan import Wanted

    wanted = Wanted.INCREMENTAL if incremental else Wanted.FULL
    backups = _backups(None)
    if dry_run:
        plan = backups.plan(wanted)
        parent = str(plan.parent.statement.id) if plan.parent else None
        document = {"name": plan.kind.value, "kind": plan.kind.value, "parent": parent, "why": plan.why}
        emit("backup-plan", document, output, text=lambda p: f"would take: {p['kind']}, because {p['why']}")
        return
    with busy("taking a backup"):
        taken = backups.create(wanted)
        gone = backups.prune(datetime.datetime.now(datetime.UTC))
    emit("backup", _document(taken), output, text=_line)
    for set_id in gone:
        say(f"{set_id} was let go, as ATOM_BACKUP_KEEP says")
    if len(backups.shelf.ids()) == 1:
        say("Keep a copy of keys/ and credentials/ of the home elsewhere: without keys/backup.key it is unreadable.")
    say("Next: atomctl backup verify")


@command.command("list", epilog=examples("atomctl backup list", "atomctl backup list -o json"))
@_vkey_option
@output_option
def list_(vkey: Path | None, output: Format) -> None:
    """List the backups in the object store, newest first; the database need not run."""
    documents = (_document(item) for item in _backups(vkey).look())
    emit_many("backup", documents, output, text=_line, empty="No backup was taken yet. Next: atomctl backup create")


@command.command(
    "verify",
    epilog=examples("atomctl backup verify              the newest", "atomctl backup verify 01a20973-e924"),
)
@click.argument("backup", metavar="[SET]", required=False)
@_vkey_option
@output_option
def verify(backup: str | None, vkey: Path | None, output: Format) -> None:
    """Read a backup, and all it builds on, to the last byte.

    Every object, every sealed chunk, PostgreSQL's own list of files and the signature are compared. Nothing is written
    to disk. Exit code 12: it was changed. A drill shows more: that the database comes up.
    """
    backups = _backups(vkey)
    with busy("reading the backup"):
        sets = backups.verify(backup)
    noted = backups.note_verified(sets)
    newest = sets[-1].statement
    document = {
        "name": str(newest.id),
        "sets": [str(item.statement.id) for item in sets],
        "size": sum(item.statement.size for item in sets),
        "noted": noted,
    }
    emit("backup-verdict", document, output, text=_verdict_page)


@command.command(
    "restore",
    epilog=examples(
        "atomctl backup restore --to /srv/atom-new               the newest",
        "atomctl backup restore 01a20973-e924 --to ./restored    another one",
    ),
)
@click.argument("backup", metavar="[SET]", required=False)
@click.option(
    "--to",
    "target",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="A new or empty folder: the home of the restored instance.",
)
@_vkey_option
@dry_run_option
@output_option
def restore(backup: str | None, target: Path, vkey: Path | None, dry_run: bool, output: Format) -> None:
    """Restore a backup into a new folder; a running instance is not touched.

    The database is recovered to the moment of the backup, compared with its signed statement, and its audit log goes on
    under a new name that says what was lost. FOLDER/postgres/data is then a data directory that is shut down.
    """
    backups = _backups(vkey)
    if dry_run:
        chain = backups.shelf.chain(backups.shelf.find(backup))
        document = {"name": str(chain[-1].statement.id), "kind": chain[-1].statement.kind.value, "parent": None}
        document |= {"why": f"it takes {len(chain)} sets, and {target.absolute()} would hold the result"}
        emit("backup-plan", document, output, text=lambda p: f"would restore: {p['name']}; {p['why']}")
        return
    with busy("restoring"):
        restored = backups.restore(backup, target.absolute())
    shown: dict[str, Any] = {
        "name": str(restored.data),
        "set": str(restored.shelved.statement.id),
        "taken_at": restored.shelved.statement.taken_at.isoformat(),
        "epoch": restored.epoch,
        **restored.trial.to_json(),
    }
    emit("restored", shown, output, text=_restored_page)
    if restored.trial.unfinished:
        say(f"{restored.trial.unfinished} runs were under way; a worker that starts there goes on with them.")
    say(f"Next: copy keys/, credentials/, tenant and objects/ of the old home to {target}, then:")
    say(f"  ATOM_HOME={target} atomctl up")


@command.command("drill", epilog=examples("atomctl backup drill", "atomctl backup drill -o json"))
@_vkey_option
@output_option
def drill(vkey: Path | None, output: Format) -> int:
    """Restore the newest and one random older backup for practice, and measure it.

    Each is started in a scratch folder, its rows are counted and its audit roots computed anew, and it is thrown away.
    Exit code 1: one did not come back.
    """
    backups = _backups(vkey)
    with busy("restoring for practice"):
        report = backups.drill()
    emit("backup-drill", report, output, text=_drill_page)
    return int(not report["passed"])


def _backups(vkey: Path | None) -> Backups:
    from atomctl.audit.keys import read_vkeys
    from atomctl.wiring import backups

    if vkey is None:
        return backups(load_settings())
    with vkey.open(encoding="ascii", errors="replace") as stream:
        return backups(load_settings(), read_vkeys(stream.read(_KEYS_LIMIT)))


def _document(item: Shelved | Unreadable) -> dict[str, Any]:
    from atomctl.backup.ledger import summary
    from atomctl.backup.shelf import Shelved

    if isinstance(item, Shelved):
        return {"name": str(item.statement.id), "state": "complete", **summary(item.statement)}
    return {"name": str(item.id), "state": "unreadable", "code": item.problem.code.id, "why": item.problem.why}


def _line(backup: dict[str, Any]) -> str:
    if backup["state"] == "unreadable":
        return f"{backup['name']}  unreadable   {backup['code']} {backup['why']}"
    megabytes = backup["size"] / (1 << 20)
    return f"{backup['name']}  {backup['kind']:<11}  {backup['taken_at'][:19]}Z  {megabytes:>9.1f} MiB"


def _verdict_page(verdict: dict[str, Any]) -> str:
    note = "" if verdict["noted"] else "\nThe database was not there to note it."
    return f"{verdict['name']} is whole: {len(verdict['sets'])} sets, {verdict['size']} bytes were read{note}"


def _restored_page(restored: dict[str, Any]) -> str:
    seconds = sum(restored["seconds"].values())
    log = f"goes on as epoch {restored['epoch']}" if restored["epoch"] else "is empty"
    return (
        f"restored {restored['set']} as of {restored['taken_at'][:19]}Z to {restored['name']} in {seconds:.1f} s\n"
        f"{restored['rows']} rows and {restored['audit_entries']} audit entries are what was backed up; the log {log}"
    )


def _drill_page(report: dict[str, Any]) -> str:
    rows = [
        (
            item["set"],
            item["kind"],
            "came back" if item["passed"] else f"{item['code']} {item['why']}",
            f"{sum(item['seconds'].values()):.1f} s" if item["passed"] else "",
        )
        for item in report["sets"]
    ]
    rto = f"{report['rto_seconds']:.1f} s" if report["rto_seconds"] is not None else "unknown"
    head = f"drill {'passed' if report['passed'] else 'FAILED'}: {report['rpo_seconds']:.0f} s of work would be lost,"
    return f"{head} the database is back after {rto}\n\n{table(rows, ('set', 'kind', 'result', 'took'))}"
