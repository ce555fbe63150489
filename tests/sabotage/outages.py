"""Servers that stop in the middle of a check: the control is BLOCKED or FAILs, and never passes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.servers.deployment import instance
from tests.servers.process import ServerProcess
from tests.servers.stack import Stack

from atomctl.controls.catalog import chosen
from atomctl.controls.model import AnyControl, Probe, Side, Verdict
from atomctl.controls.notebook import Notebook
from atomctl.controls.running import run_control
from atomctl.settings import load_settings
from atomctl.wiring import control_site


@dataclass(frozen=True, slots=True)
class Outage:
    """A server that stops before a control's first negative probe."""

    control: str
    server: Callable[[Stack], ServerProcess]


OUTAGES = (
    Outage("secrets", lambda stack: stack.openbao),
    Outage("audit", lambda stack: stack.s3),
    Outage("backup", lambda stack: stack.s3),
    Outage("failures", lambda stack: stack.prometheus),
    Outage("attacks", lambda stack: stack.alertmanager),
)


def survivors(stack: Stack, folder: Path) -> list[str]:
    """Controls that passed although a server had stopped on the way. The database stops last of all."""
    with instance(stack, folder) as program:
        settings = load_settings(env=program.environment)
        passed = []
        for outage in OUTAGES:
            server = outage.server(stack)
            passed += list(_try(settings, outage.control, server.name, server.crash))
            server.start()
        passed += list(_try(settings, "cross-tenant", "postgres15", stack.postgres.stop))
        stack.postgres.start()
    return passed


def _try(settings: Any, name: str, server: str, stop: Callable[[], object]) -> Iterator[str]:
    started = time.monotonic()
    (control,) = chosen([name])
    with control_site(replace(settings, api_url=None)) as site:
        result = run_control(stopping(control, stop), site)
    ran = f"{result.verdict} after {time.monotonic() - started:.0f} s"
    print(f"  {server} stops during {name}: {ran}", flush=True)
    if result.verdict is Verdict.PASS or not result.probes:
        yield f"{server} stopped during {name}, which is {ran} with {len(result.probes)} probes"


def stopping(control: AnyControl, stop: Callable[[], object]) -> AnyControl:
    """The control with one probe of each side, between which the server stops."""
    first = next(probe for probe in control.probes if probe.side is Side.POSITIVE)
    second = _of_the_server(control)

    def act(stage: Any, book: Notebook) -> str:
        stop()
        return second.act(stage, book)

    return replace(control, probes=(first, replace(second, act=act)))


def _of_the_server(control: AnyControl) -> Probe[Any]:
    """The last negative probe: the one about the server outside, where a control has others."""
    return [probe for probe in control.probes if probe.side is Side.NEGATIVE][-1]
