"""Control 10: who attacks is noticed by people, and who just works is not."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from atomctl.access import codes as access
from atomctl.access.issuer import EmbeddedIssuer
from atomctl.access.model import Role
from atomctl.controls.model import Category, Control, Mapping, Probe, Side
from atomctl.controls.monitoring import Monitoring, watched
from atomctl.controls.needs import ALERTMANAGER, API, PROMETHEUS
from atomctl.controls.notebook import Notebook
from atomctl.controls.people import ProbeTenant, probe_tenants
from atomctl.controls.samples import Company, company, package, push_body
from atomctl.controls.site import Site
from atomctl.runs import codes as runs
from atomctl.trust import codes as trust

FORGED, REFUSED, CROSSED, UPLOAD = (
    "AtomForgedToken",
    "AtomLoginsRefused",
    "AtomCrossTenantAttempt",
    "AtomUntrustedUpload",
)
_ALERTS = {FORGED, REFUSED, CROSSED, UPLOAD}
_MANY = 60
"""Bad logins, three times what the alert allows in five minutes."""


@dataclass(frozen=True, slots=True)
class _Stage:
    site: Site
    company: Company
    other: ProbeTenant
    monitoring: Monitoring


@contextmanager
def _stage(site: Site, book: Notebook) -> Iterator[_Stage]:
    with probe_tenants(site, book) as make, watched(site, book) as monitoring:
        yield _Stage(site, company(make()), make(), monitoring)


def _normal(stage: _Stage, _: Notebook) -> str:
    """Somebody logs in and works."""
    stage.monitoring.quiet(_ALERTS)
    person = stage.company.tenant.person("probe-normal", Role.VIEWER)
    person.get("auth/whoami")
    person.get("packages")
    stage.monitoring.evaluated()
    fired = sorted(alert["labels"]["alertname"] for alert in stage.monitoring.firing())
    return ", ".join(name for name in fired if name in _ALERTS) or "silent"


def _forged(stage: _Stage, _: Notebook) -> str:
    """A real token whose owner has given themselves another role."""
    since = _begin(stage, FORGED)
    viewer = stage.company.tenant.person("probe-forger", Role.VIEWER)
    head, payload, signature = viewer.token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    better = json.dumps({**claims, "roles": [Role.ADMIN.value]}).encode()
    forged = ".".join((head, base64.urlsafe_b64encode(better).decode().rstrip("="), signature))
    seen = replace(viewer, token=forged).ask("GET", "auth/whoami").seen
    return f"{seen}, {stage.monitoring.reported(FORGED, since)}"


def _bad_logins(stage: _Stage, _: Notebook) -> str:
    """A token that has just expired, again and again until somebody is called: the alert is about a rate."""
    since = _begin(stage, REFUSED)
    issued = datetime.now(UTC) - timedelta(hours=1)
    issuer = EmbeddedIssuer(stage.site.issuer_key)
    token = issuer.issue(stage.company.tenant.id, "probe-late", [Role.VIEWER], timedelta(minutes=1), now=issued)
    late = replace(stage.company.owner, token=token)
    seen: set[str] = set()

    def attack() -> None:
        seen.update(late.ask("GET", "auth/whoami").seen for _ in range(_MANY))

    reported = stage.monitoring.reported(REFUSED, since, meanwhile=attack)
    return f"{', '.join(sorted(seen))}, {reported}"


def _crossed(stage: _Stage, _: Notebook) -> str:
    """Somebody of another tenant names a run they cannot know of."""
    since = _begin(stage, CROSSED)
    stage.company.push(package("probe-crossed")).must()
    run = stage.company.run("probe-crossed").must()
    stranger = stage.other.person("probe-stranger", Role.OPERATOR)
    seen = stranger.ask("GET", f"runs/{run['id']}").seen
    return f"{seen}, {stage.monitoring.reported(CROSSED, since)}"


def _bad_signature(stage: _Stage, _: Notebook) -> str:
    since = _begin(stage, UPLOAD)
    body = push_body(package("probe-unsigned").data, [])
    seen = stage.company.owner.ask("POST", "packages", body).seen
    return f"{seen}, {stage.monitoring.reported(UPLOAD, since, verdict='unsigned')}"


def _begin(stage: _Stage, name: str) -> datetime:
    """The moment from which on the alert counts; it did not fire before."""
    stage.monitoring.quiet({name})
    return datetime.now(UTC)


_N, _P = Side.NEGATIVE, Side.POSITIVE
CONTROL = Control(
    number=10,
    name="attacks",
    title="Security alerting",
    promise="Forged tokens, bad logins, cross-tenant tries and bad signatures raise alerts; ordinary work raises none.",
    category=Category.MONITORING,
    mapping=Mapping(("CC7.2", "CC7.3", "CC6.8"), ("A.8.16", "A.5.25"), ("SI-4", "AC-7", "IR-6")),
    needs=(API, PROMETHEUS, ALERTMANAGER),
    stage=_stage,
    probes=(
        Probe("an ordinary login raises nothing", _P, "silent", _normal, seconds=180),
        Probe(
            "a forged token raises an alert", _N, f"{access.BAD_SIGNATURE.id}, firing, reported", _forged, seconds=200
        ),
        Probe("bad logins raise an alert", _N, f"{access.EXPIRED.id}, firing, reported", _bad_logins, seconds=200),
        Probe(
            "a cross-tenant try raises an alert", _N, f"{runs.NOT_FOUND.id}, firing, reported", _crossed, seconds=200
        ),
        Probe(
            "a bad signature raises an alert", _N, f"{trust.UNSIGNED.id}, firing, reported", _bad_signature, seconds=200
        ),
    ),
)
