"""A control that breaks, hangs or loses a server on the way ends in a verdict, and it is never PASS."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
from tests.unit.controls.conftest import CONTROL

from atomctl.controls.model import Need, Probe, Side, Verdict
from atomctl.controls.notebook import Notebook
from atomctl.controls.running import run_control
from atomctl.controls.site import Site

SITE = cast(Site, None)  # the controls on paper look at no deployment


def asked(answer: str) -> Any:
    def act(_stage: None, book: Notebook) -> str:
        book.note("a server", "1.0", b"?", answer.encode())
        return answer

    return act


WORKS = Probe("what may", Side.POSITIVE, "ok", asked("ok"))
FAILS = Probe("what must not", Side.NEGATIVE, "REFUSED", asked("REFUSED"))


class Outage:
    """A server that goes away once `gone` is set."""

    def __init__(self) -> None:
        self.gone = False

    def look(self, _: Site) -> str | None:
        return "connection refused" if self.gone else None

    def break_down(self, *_: object) -> str:
        self.gone = True
        raise ConnectionResetError("it went away")


def test_a_control_whose_probes_see_what_is_expected_passes() -> None:
    found = run_control(replace(CONTROL, probes=(WORKS, FAILS)), SITE)
    assert found.verdict is Verdict.PASS
    assert all(len(probe.exchanges) == 1 for probe in found.probes)


def test_a_need_that_is_not_there_blocks_before_any_probe_runs() -> None:
    need = Need("Vault", "make stack", lambda _: "VAULT_ADDR is not set")
    found = run_control(replace(CONTROL, needs=(need,), probes=(WORKS, FAILS)), SITE)
    assert (found.verdict, found.probes) == (Verdict.BLOCKED, ())
    assert [missing.command for missing in found.missing] == ["make stack"]


def test_a_look_that_breaks_is_a_need_that_is_not_there() -> None:
    def look(_: Site) -> str | None:
        raise ZeroDivisionError

    found = run_control(replace(CONTROL, needs=(Need("Vault", "make stack", look),), probes=(WORKS, FAILS)), SITE)
    assert found.verdict is Verdict.BLOCKED


def test_a_server_that_goes_away_in_the_middle_blocks() -> None:
    server = Outage()
    need = Need("Vault", "make stack", server.look)
    broken = replace(FAILS, act=server.break_down)
    found = run_control(replace(CONTROL, needs=(need,), probes=(WORKS, broken)), SITE)
    assert found.verdict is Verdict.BLOCKED
    assert found.probes[1].error == "ConnectionResetError: it went away"


def test_a_server_that_stops_after_its_last_answer_blocks() -> None:
    server = Outage()

    def last(stage: None, book: Notebook) -> str:
        server.gone = True
        return str(FAILS.act(stage, book))

    need = Need("Vault", "make stack", server.look)
    found = run_control(replace(CONTROL, needs=(need,), probes=(WORKS, replace(FAILS, act=last))), SITE)
    assert found.verdict is Verdict.BLOCKED
    assert [probe.seen for probe in found.probes] == ["ok", "REFUSED"]


def test_a_probe_that_breaks_with_every_server_there_fails() -> None:
    broken = replace(FAILS, act=Outage().break_down)
    assert run_control(replace(CONTROL, probes=(WORKS, broken)), SITE).verdict is Verdict.FAIL


def test_a_probe_that_hangs_fails_in_its_time() -> None:
    forever = threading.Event()
    hangs = replace(FAILS, act=lambda *_: str(forever.wait()), seconds=0.05)
    found = run_control(replace(CONTROL, probes=(WORKS, hangs)), SITE)
    forever.set()
    assert found.verdict is Verdict.FAIL
    assert found.probes[1].error == "TimeoutError: not done within 0.05 s"


@contextmanager
def _no_stage(*_: object) -> Iterator[None]:
    raise LookupError("no tenant could be made")
    yield


@contextmanager
def _no_way_out(*_: object) -> Iterator[None]:
    yield
    raise LookupError("the tenant is still there")


@pytest.mark.parametrize("stage", [_no_stage, _no_way_out])
def test_a_stage_that_cannot_be_made_or_taken_away_fails(stage: Any) -> None:
    found = run_control(replace(CONTROL, stage=stage, probes=(WORKS, FAILS)), SITE)
    assert found.verdict is Verdict.FAIL
    assert "LookupError" in str(found.probes[-1].error)


def test_a_probe_of_a_peer_that_is_not_here_is_left_out_and_said() -> None:
    cosign = replace(WORKS, name="a peer", applies=lambda _: "no cosign on the path")
    found = run_control(replace(CONTROL, probes=(WORKS, FAILS, cosign)), SITE)
    assert found.verdict is Verdict.PASS
    assert found.left_out == ("a peer: no cosign on the path",)


def test_audit_entries_belong_to_the_probe_that_caused_them() -> None:
    log: list[str] = []

    @contextmanager
    def stage(_site: Site, book: Notebook) -> Iterator[None]:
        log.append("staged")
        with book.following(lambda: log):
            yield

    def act(_stage: None, book: Notebook) -> str:
        log.append("asked")
        book.note("a server", "1.0", b"?", b"ok")
        return "ok"

    found = run_control(replace(CONTROL, stage=stage, probes=(replace(WORKS, act=act), FAILS)), SITE)
    assert [probe.audit for probe in found.probes] == [("asked",), ()]
