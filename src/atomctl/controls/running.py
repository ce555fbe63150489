"""Running one control: what it needs, its stage, its probes, each within its time; whatever breaks is a result."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from atomctl.controls.model import AnyControl, ControlResult, Missing, Probe, ProbeResult, Side
from atomctl.controls.notebook import Notebook
from atomctl.controls.site import Site
from atomctl.controls.verdict import judge
from atomctl.errors import AtomError

STAGE_SECONDS = 120.0
_CLEAN_UP: Probe[Any] = Probe("clean-up", Side.POSITIVE, "what was made for the probes is gone", lambda *_: "")
"""Stands for what happens after the last probe; a result of this name was never declared, so the control fails."""


def run_control(control: AnyControl, site: Site) -> ControlResult:
    """What is found about `control` now. Never raises: an internal error is a failed control."""
    started = datetime.now(UTC)
    missing = _missing(control, site)
    left_out = {probe.name: why for probe in control.probes if (why := probe.applies(site)) is not None}
    probes = [probe for probe in control.probes if probe.name not in left_out]
    results: tuple[ProbeResult, ...] = ()
    if not missing:
        results = tuple(_run_probes(control, probes, site))
        missing = _missing(control, site)  # a server that stopped after its last answer has not been there throughout
    return ControlResult(
        control=control,
        verdict=judge([probe.name for probe in probes], results, missing),
        probes=results,
        missing=missing,
        left_out=tuple(f"{name}: {why}" for name, why in left_out.items()),
        started=started,
        ended=datetime.now(UTC),
    )


def _missing(control: AnyControl, site: Site) -> tuple[Missing, ...]:
    looked = [_look(need.missing, need.server, need.command, site) for need in control.needs]
    return tuple(found for found in looked if found is not None)


def _look(look: Callable[[Site], Missing | None], server: str, command: str, site: Site) -> Missing | None:
    try:
        return look(site)
    except Exception as error:  # noqa: BLE001  # whatever keeps us from looking, it is not known to be there
        return Missing(server, words(error), command)


def _run_probes(control: AnyControl, probes: list[Probe[Any]], site: Site) -> Iterator[ProbeResult]:
    book = Notebook()
    done = 0
    try:
        with _staged(control, site, book) as stage:
            book.take()
            book.take_audit()
            for probe in probes:
                yield _run_probe(probe, stage, book)
                done += 1
    except Exception as error:  # noqa: BLE001  # every probe that is left without a stage has failed
        now = datetime.now(UTC)
        for probe in probes[done:] or [_CLEAN_UP]:
            yield _result(probe, book, now, seen=None, error=f"the stage broke: {words(error)}")


@contextmanager
def _staged(control: AnyControl, site: Site, book: Notebook) -> Iterator[Any]:
    """The control's stage, made within its time."""
    manager = control.stage(site, book)
    stage, error = _within(STAGE_SECONDS, manager.__enter__)
    if error is not None:
        raise error
    try:
        yield stage
    finally:
        manager.__exit__(None, None, None)


def _run_probe(probe: Probe[Any], stage: Any, book: Notebook) -> ProbeResult:
    started = datetime.now(UTC)
    seen, error = _within(probe.seconds, lambda: probe.act(stage, book))
    return _result(probe, book, started, seen=seen, error=None if error is None else words(error))


def _result(
    probe: Probe[Any], book: Notebook, started: datetime, *, seen: str | None, error: str | None
) -> ProbeResult:
    try:
        audit = book.take_audit()
    except Exception as broken:  # noqa: BLE001  # without the log there is no evidence
        audit, seen, error = (), None, error or f"the audit entries cannot be read: {words(broken)}"
    return ProbeResult(
        name=probe.name,
        side=probe.side,
        expected=probe.expected,
        seen=seen,
        error=error,
        started=started,
        ended=datetime.now(UTC),
        exchanges=book.take(),
        audit=audit,
    )


def _within(seconds: float, act: Callable[[], Any]) -> tuple[Any, Exception | None]:
    """What `act` returns, or what it raises; a TimeoutError when it takes longer, and it is then left alone.

    A thread cannot be stopped from outside; as a daemon it does not keep the process alive.
    """
    outcome: list[tuple[Any, Exception | None]] = []

    def do() -> None:
        try:
            outcome.append((act(), None))
        except Exception as error:  # noqa: BLE001  # it is raised or reported by the caller
            outcome.append((None, error))

    thread = threading.Thread(target=do, name="atom-probe", daemon=True)
    thread.start()
    thread.join(seconds)
    return outcome[0] if outcome else (None, TimeoutError(f"not done within {seconds:g} s"))


def words(error: Exception) -> str:
    """An error for a report: its code where it has one, its kind where it has none."""
    return str(error) if isinstance(error, AtomError) else f"{type(error).__name__}: {error}"
