"""A check: the chosen controls one after another, signed and appended to the deployment's audit log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from atomctl.audit.keys import load_key
from atomctl.audit.model import DEPLOYMENT, Entry, Result
from atomctl.audit.record import record
from atomctl.canonical import Json, digest_json
from atomctl.controls import document, evidence
from atomctl.controls.catalog import CONTROLS
from atomctl.controls.model import AnyControl, ControlResult
from atomctl.controls.running import run_control
from atomctl.controls.site import Site
from atomctl.db.ids import new_id
from atomctl.db.session import Sessions
from atomctl.errors import AtomError, ExitCode

ALL = "controls/all"
"""The subject of the audit entry of a check of all controls; the schedule looks for the newest."""


def check(
    site: Site, controls: Sequence[AnyControl], reports: Path | None, *, say: Callable[[ControlResult], None]
) -> dict[str, Json]:
    """The document of a check of `controls`; its evidence lies in `reports`, if a folder is given.

    The check is recorded in the deployment's audit log, where there is one to reach.

    Args:
        site: the deployment.
        controls: those to check.
        reports: where the evidence goes.
        say: told each result as it comes.

    Raises:
        AtomError: AUD715 the audit log's key cannot be used, DBA0xx the database went away after the probes.
        OSError: the evidence cannot be written.
    """
    results = []
    try:
        for control in controls:
            results.append(run_control(control, site))
            say(results[-1])
    finally:
        site.twin.stop()
    signer = load_key(site.audit_key) if site.audit_key.exists() else None
    made = document.render(str(new_id()), str(signer.vkey) if signer else None, results)
    if reports is not None:
        evidence.write(reports, made, signer)
    if signer is not None:
        _append(site, made, controls)
    return made


def _append(site: Site, made: dict[str, Json], controls: Sequence[AnyControl]) -> None:
    whole = len(controls) == len(CONTROLS)
    subject = ALL if whole else f"controls/{'-'.join(str(control.number) for control in controls)}"
    entry = Entry(
        action="controls.check",
        subject=subject,
        result=Result.OK if made["exit"] == ExitCode.OK else Result.FAILED,
        digests={"check": digest_json(made)},
        detail={"check": made["name"], "verdicts": made["verdicts"]},
    )
    try:
        with (
            Sessions(site.address, min_size=0, max_size=1, name="atomctl controls") as sessions,
            sessions.tenant(DEPLOYMENT) as connection,
        ):
            record(connection, DEPLOYMENT, entry)
    except AtomError:
        # A deployment whose database is away has its controls blocked for that reason, and no log to write to.
        if made["exit"] == ExitCode.OK:
            raise
