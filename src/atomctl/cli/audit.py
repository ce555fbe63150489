"""`atomctl audit`: read, verify and export the audit log."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atomctl.cli import codes
from atomctl.cli.anchoring import look_for_anchor, verify_anchored
from atomctl.cli.connection import open_client, settings_in_force
from atomctl.cli.identifiers import run_id, short
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.paths import EXISTING_FILE
from atomctl.cli.printing import emit, emit_many, say
from atomctl.client import Client, segment
from atomctl.errors import AtomError
from atomctl.settings import load_settings

if TYPE_CHECKING:
    from atomctl.audit.note import VerifierKey
    from atomctl.audit.verdict import AuditVerdict

_KEYS_LIMIT = 64 * 1024


@click.group("audit")
def command() -> None:
    """Read, verify and export the audit log."""


@command.command("log", epilog=examples("atomctl audit log", "atomctl audit log --run 7f3a9c21 -o jsonl"))
@click.option("--run", help="Only entries of this run.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most this many.")
@output_option
def log(run: str | None, limit: int, output: Format) -> None:
    """Print audit entries, newest first."""
    with open_client() as client:
        identifier = run_id(client, run) if run else None
        entries = (
            {"name": entry["id"], **entry} for entry in client.pages("audit/entries", run=identifier, limit=limit)
        )
        emit_many("audit-entry", entries, output, text=_line, empty="Nothing was recorded.")


@command.command(
    "verify",
    epilog=examples(
        "atomctl audit verify                             the whole log of the tenant",
        "atomctl audit verify --run 7f3a9c21              one run's entries",
        "atomctl audit verify run.atomaudit --offline     a bundle; it connects to nothing",
        "atomctl audit verify --checkpoint kept.txt       compare with one that you kept",
    ),
)
@click.argument("file", required=False, type=EXISTING_FILE)
@click.option("--run", help="Only entries of this run.")
@click.option("--offline", is_flag=True, help="Fail rather than connect; needs FILE.")
@click.option("--vkey", type=EXISTING_FILE, help="The verifier keys you trust (default: this machine's instance's).")
@click.option("--checkpoint", "kept", multiple=True, type=EXISTING_FILE, help="A checkpoint kept elsewhere.")
@output_option
def verify(
    file: Path | None, run: str | None, offline: bool, vkey: Path | None, kept: tuple[Path, ...], output: Format
) -> int:
    """Verify the log, or a bundle that was exported from it.

    Everything is recomputed here from the entries' own bytes, and compared with the newest anchor in the locked bucket
    if there is one. Exit code 14: it was tampered with; 11: it fits together, but no key was known beforehand that
    could vouch for the signer.
    """
    from atomctl.audit.verify import verify_bundle

    keys = _trusted_keys(vkey)
    witnessed = [_read_checkpoint(path) for path in kept]
    if file is not None:
        verdict = verify_bundle(file, trusted=keys, witnessed=witnessed)
    elif offline:
        raise AtomError(codes.USAGE, "--offline needs a FILE", hint="atomctl audit export --out FILE")
    else:
        verdict = _verify_here(run, keys, witnessed)
    verdict.raise_if_broken()
    emit("audit-verdict", {"name": verdict.checkpoint.origin, **verdict.to_json()}, output, text=_verdict_page)
    return int(verdict.exit_code)


def _verify_here(run: str | None, keys: tuple[VerifierKey, ...], witnessed: list[bytes]) -> AuditVerdict:
    """The verdict over what the server exports now."""
    with open_client() as client, tempfile.TemporaryDirectory(prefix="atom-audit-") as folder:
        identifier = run_id(client, run) if run else None
        anchorage = look_for_anchor(client, settings_in_force(), keys)
        bundle = Path(folder) / "bundle.atomaudit"
        client.download("audit/export", bundle, run=identifier)
        return verify_anchored(client, bundle, anchorage, keys, witnessed)


def _read_checkpoint(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_KEYS_LIMIT)


@command.command("export", epilog=examples("atomctl audit export --run 7f3a9c21 --out run.atomaudit"))
@click.option("--run", help="Only entries of this run.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The bundle to write.")
@output_option
def export(run: str | None, out: Path, output: Format) -> None:
    """Write entries and their proofs into a bundle that anybody can verify without this server."""
    with open_client() as client:
        size = client.download("audit/export", out, run=run_id(client, run) if run else None)
    emit("file", {"name": str(out), "size": size}, output, text=lambda f: f["name"])
    say(f"Next: atomctl audit verify {out} --offline")


@command.command("proof", epilog=examples("atomctl audit proof 01a20956-c33d-7bbd-bb02-5490b5be01a4 -o json"))
@click.argument("entry")
@output_option
def proof(entry: str, output: Format) -> None:
    """Print the proof that one entry is in the log."""
    with open_client() as client:
        found = client.get(f"audit/entries/{segment(entry)}/proof")
    emit("audit-proof", {"name": entry, **found}, output, text=_proof_page)


@command.command("checkpoint", epilog=examples("atomctl audit checkpoint > checkpoint.txt"))
@output_option
def checkpoint(output: Format) -> None:
    """Print the newest signed checkpoint: keep it elsewhere, and a rewritten log cannot hide."""
    with open_client() as client:
        note = _checkpoint(client)
    emit("audit-checkpoint", {"name": note.splitlines()[0], "note": note}, output, text=lambda c: c["note"].rstrip())


def _checkpoint(client: Client) -> str:
    with tempfile.TemporaryDirectory(prefix="atom-audit-") as folder:
        target = Path(folder) / "checkpoint"
        client.download("audit/checkpoint", target)
        return target.read_text(encoding="utf-8")


def _trusted_keys(file: Path | None) -> tuple[VerifierKey, ...]:
    """The keys of the file, else of this machine's instance; none where there is neither."""
    from atomctl.audit.keys import read_vkeys

    path = file or load_settings().home / "keys" / "audit.vkey"
    try:
        with path.open(encoding="ascii") as stream:
            return read_vkeys(stream.read(_KEYS_LIMIT))
    except FileNotFoundError:
        return ()


def _line(entry: dict[str, Any]) -> str:
    why = f"  {entry['code'] or ''} {entry['why']}".rstrip() if entry.get("why") else ""
    return f"{entry['index']:>6}  {entry['time']}  {entry['result']:<7} {entry['action']:<20} {entry['subject']}{why}"


def _verdict_page(verdict: dict[str, Any]) -> str:
    what = f"run {short(verdict['run'])}" if verdict["run"] else "the whole log"
    known = "a key you trust" if verdict["signer"]["known"] else "a key nobody vouches for; give --vkey FILE"
    anchored = "yes: it continues a checkpoint kept elsewhere" if verdict["anchored"] else "NO: nothing was compared"
    epochs = [
        f"  restored    at {epoch['restored']} entries; anchored and lost: {_lost(epoch)}; {epoch['why']}"
        for epoch in verdict["epochs"]
    ]
    return "\n".join(
        [
            f"{verdict['outcome']}: {verdict['entries']} entries of {what}",
            f"  log         {verdict['origin']}",
            f"  checkpoint  {verdict['size']} entries, root {verdict['root']}",
            f"  signed by   {verdict['signer']['key']}  ({known})",
            f"  anchored    {anchored}",
            *epochs,
        ]
    )


def _lost(epoch: dict[str, Any]) -> str:
    return "unknown" if epoch["lost"] is None else str(epoch["lost"])


def _proof_page(found: dict[str, Any]) -> str:
    hashes = "\n".join(f"  {item}" for item in found.get("proof", ()))
    return f"entry {found['name']} is in the log, by {len(found.get('proof', ()))} hashes:\n{hashes}"
