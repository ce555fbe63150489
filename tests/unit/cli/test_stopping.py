"""A signal at any moment ends a process that waits to be stopped."""

import contextlib
import os
import signal
from collections.abc import Iterator

import pytest

from atomctl.cli.stopping import StopSignals, set_by_signals


@pytest.fixture
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_within_the_wait_itself_does_not_lock_it_up(number: signal.Signals) -> None:
    event = set_by_signals()
    with vars(event)["_cond"]:  # what `Event.wait` holds while it is under way
        os.kill(os.getpid(), number)
    assert event.wait(5)


@pytest.mark.usefixtures("handlers")
def test_a_wish_to_stop_is_kept_when_its_interruption_gets_lost() -> None:
    signals = StopSignals()
    with contextlib.suppress(KeyboardInterrupt):  # as Python does in the hooks around a fork
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signals.check()


@pytest.mark.usefixtures("handlers")
def test_what_must_come_to_its_end_is_not_interrupted() -> None:
    signals = StopSignals()
    signals.interrupting = False
    signal.raise_signal(signal.SIGTERM)
    assert signals.asked
