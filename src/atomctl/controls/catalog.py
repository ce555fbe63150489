"""The twelve controls, by number."""

from __future__ import annotations

from collections.abc import Iterable

from atomctl.controls import (
    c01_signatures,
    c02_secrets,
    c03_validation,
    c04_decision,
    c05_row_level_security,
    c06_cross_tenant,
    c07_backup,
    c08_restore,
    c09_failures,
    c10_attacks,
    c11_audit,
    c12_export,
)
from atomctl.controls.codes import UNKNOWN
from atomctl.controls.model import AnyControl
from atomctl.errors import AtomError

CONTROLS: tuple[AnyControl, ...] = (
    c01_signatures.CONTROL,
    c02_secrets.CONTROL,
    c03_validation.CONTROL,
    c04_decision.CONTROL,
    c05_row_level_security.CONTROL,
    c06_cross_tenant.CONTROL,
    c07_backup.CONTROL,
    c08_restore.CONTROL,
    c09_failures.CONTROL,
    c10_attacks.CONTROL,
    c11_audit.CONTROL,
    c12_export.CONTROL,
)


def chosen(names: Iterable[str]) -> tuple[AnyControl, ...]:
    """The controls that are named by number or name, in their order; all of them if none is named.

    Raises:
        AtomError: CTL901 there is none of a name.
    """
    wanted = set(names)
    known = {name for control in CONTROLS for name in (control.name, str(control.number))}
    if unknown := sorted(wanted - known):
        there = ", ".join(f"{control.number} {control.name}" for control in CONTROLS)
        raise AtomError(UNKNOWN, f"{', '.join(unknown)}; there are: {there}")
    return tuple(control for control in CONTROLS if not wanted or {control.name, str(control.number)} & wanted)
