"""Controls that exist on paper, and what their probes saw."""

from __future__ import annotations

import datetime
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atomctl.audit.keys import FileKey, create_key
from atomctl.canonical import digest
from atomctl.controls.model import (
    Category,
    Control,
    ControlResult,
    Exchange,
    Mapping,
    Missing,
    Probe,
    ProbeResult,
    Side,
)
from atomctl.controls.verdict import judge

NOW = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
ASKED = Exchange("a server", "1.0", digest(b"?"), digest(b"!"), NOW)
VAULT = Missing("Vault", "VAULT_ADDR is not set", "export VAULT_ADDR=https://vault.example")

CONTROL: Control[None] = Control(
    number=1,
    name="paper",
    title="A control on paper",
    promise="It holds on paper.",
    category=Category.TENANCY,
    mapping=Mapping(("CC6.1",), ("A.5.15",), ("AC-3",)),
    needs=(),
    stage=lambda *_: nullcontext(),
    probes=(
        Probe("what may", Side.POSITIVE, "ok", lambda *_: "ok"),
        Probe("what must not", Side.NEGATIVE, "REFUSED", lambda *_: "REFUSED"),
    ),
)


def saw(side: Side, seen: str | None, error: str | None = None, **changed: Any) -> ProbeResult:
    """What the probe of that side saw."""
    probe = next(probe for probe in CONTROL.probes if probe.side is side)
    result = ProbeResult(
        name=probe.name,
        side=side,
        expected=probe.expected,
        seen=seen,
        error=error,
        started=NOW,
        ended=NOW,
        exchanges=(ASKED,),
        audit=("entry-1",),
    )
    return replace(result, **changed)


GOOD = (saw(Side.POSITIVE, "ok"), saw(Side.NEGATIVE, "REFUSED"))


def result(*probes: ProbeResult, missing: tuple[Missing, ...] = (), number: int = 1) -> ControlResult:
    """A control's result, judged as it should be."""
    control = replace(CONTROL, number=number, name=f"paper-{number}")
    return ControlResult(
        control=control,
        verdict=judge([probe.name for probe in CONTROL.probes], probes, missing),
        probes=probes,
        missing=missing,
        left_out=(),
        started=NOW,
        ended=NOW,
    )


@pytest.fixture
def key(tmp_path: Path) -> FileKey:
    return create_key(tmp_path / "keys" / "audit.key")
