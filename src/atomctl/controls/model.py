"""What a control is, what its probes saw, and how it was judged, as frozen values."""

from __future__ import annotations

import enum
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from atomctl.canonical import Digest

if TYPE_CHECKING:
    from atomctl.controls.notebook import Notebook
    from atomctl.controls.site import Site

PROBE_SECONDS = 60.0
"""How long a probe may take unless it says otherwise."""

Staged = TypeVar("Staged")


class Side(enum.StrEnum):
    """Which half of the proof a probe is."""

    POSITIVE = "positive"
    """What is allowed works."""
    NEGATIVE = "negative"
    """What must fail is seen to fail: without one, a check that notices nothing would look like a control."""


class Verdict(enum.StrEnum):
    """The answer about one control."""

    PASS = "PASS"  # noqa: S105  # a verdict, no password
    FAIL = "FAIL"
    BLOCKED = "BLOCKED"
    """It could not be checked, because something it needs is not there; never counted as a pass."""


class Category(enum.StrEnum):
    """The six headings under which the controls are summed up."""

    SUPPLY_CHAIN = "supply chain and secrets"
    DECISION = "validation and decision"
    TENANCY = "tenant isolation"
    RECOVERY = "backup and recovery"
    MONITORING = "monitoring and alerting"
    RECORDS = "audit and data"


@dataclass(frozen=True, slots=True)
class Mapping:
    """Requirements that a control gives evidence for. Mapped by us; no auditor has confirmed it.

    SOC 2 trust services criteria (2017), ISO/IEC 27001:2022 Annex A, NIST SP 800-53 revision 5.
    """

    soc2: tuple[str, ...]
    iso27001: tuple[str, ...]
    nist80053: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """Something a control needs that is not configured or cannot be reached, and the command that adds it."""

    server: str
    why: str
    command: str


@dataclass(frozen=True, slots=True)
class Need:
    """Something outside this process without which a control cannot be checked.

    `look` says why it is not there, or None if it is.
    """

    server: str
    command: str
    look: Callable[[Site], str | None]

    def missing(self, site: Site) -> Missing | None:
        """What is missing, if it is."""
        why = self.look(site)
        return None if why is None else Missing(self.server, why, self.command)


@dataclass(frozen=True, slots=True)
class Probe(Generic[Staged]):
    """One act and what must be seen. It passes if what was seen is, word for word, what was expected."""

    name: str
    side: Side
    expected: str
    act: Callable[[Staged, Notebook], str]
    """Does it and says what was seen; every exchange with a server goes into the notebook."""
    seconds: float = PROBE_SECONDS
    applies: Callable[[Site], str | None] = lambda _: None
    """Why this deployment is not probed this way, or None. For a peer that need not be there, never for a server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control(Generic[Staged]):
    """One control: what it needs, how it is staged, and its probes on both sides."""

    number: int
    name: str
    title: str
    promise: str
    """What holds when it passes, in one sentence."""
    category: Category
    mapping: Mapping
    needs: tuple[Need, ...]
    stage: Callable[[Site, Notebook], AbstractContextManager[Staged]]
    """Makes what all probes share, and takes it away."""
    probes: tuple[Probe[Staged], ...]


AnyControl = Control[Any]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request to a server and its answer, by their digests; neither is kept, since both may hold secrets."""

    server: str
    version: str
    request: Digest
    answer: Digest
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What a probe saw; `seen` is None when it ended in an error or not at all, and `error` says so."""

    name: str
    side: Side
    expected: str
    seen: str | None
    error: str | None
    started: datetime
    ended: datetime
    exchanges: tuple[Exchange, ...]
    audit: tuple[str, ...]
    """Ids of the audit entries that were written meanwhile in the tenants it used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlResult:
    """What is known about one control after a check."""

    control: AnyControl
    verdict: Verdict
    probes: tuple[ProbeResult, ...]
    missing: tuple[Missing, ...]
    left_out: tuple[str, ...]
    """Probes of peers that are not here, each with the reason."""
    started: datetime
    ended: datetime
