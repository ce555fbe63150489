"""What the detectors say about histories a person can judge."""

from __future__ import annotations

from datetime import timedelta

from tests.fakes.histories import START, durations, hourly, outcomes

from atomctl.db.ids import new_id
from atomctl.insight import approval_age, duration, failure_rate, run_rate
from atomctl.insight.approval_age import LIMIT, Waiting
from atomctl.insight.model import Kind, Severity


def test_three_failures_in_a_row_of_a_workflow_that_never_failed_are_a_signal() -> None:
    history = outcomes("." * 60 + "xxx")
    found = failure_rate.detect(history)
    assert found is not None
    assert found.kind is Kind.FAILURE_RATE
    assert found.subject == "workflow/work"
    assert found.evidence == tuple(run.run_id for run in history[-3:])
    assert found.observed == 0.3
    assert found.severity is Severity.WARNING


def test_ten_failures_in_a_row_are_critical() -> None:
    found = failure_rate.detect(outcomes("." * 60 + "x" * 10))
    assert found is not None
    assert found.severity is Severity.CRITICAL


def test_a_workflow_that_always_fails_half_the_time_is_no_news() -> None:
    assert failure_rate.detect(outcomes("x." * 60 + "xxx")) is None


def test_a_new_workflow_is_judged_mildly_and_not_never() -> None:
    assert failure_rate.detect(outcomes("x")) is None
    assert failure_rate.detect(outcomes("xx")) is None
    assert failure_rate.detect(outcomes("xxx")) is not None


def test_a_success_after_failures_raises_nothing_new() -> None:
    assert failure_rate.detect(outcomes("." * 60 + "xxxx.")) is None


def test_a_run_that_took_ten_times_as_long_is_a_signal() -> None:
    history = durations([30.0, 31.0, 29.5, 30.2, 30.9, 29.0, 30.1, 30.4, 300.0])
    found = duration.detect(history)
    assert found is not None
    assert found.evidence == (history[-1].run_id,)
    assert "longer" in found.summary
    assert 29 < found.baseline < 31


def test_a_run_that_was_far_too_quick_is_one_too_and_never_critical() -> None:
    found = duration.detect(durations([3000.0] * 20 + [2.0]))
    assert found is not None
    assert "shorter" in found.summary
    assert found.severity is Severity.WARNING


def test_milliseconds_are_no_signal_whatever_their_ratio() -> None:
    assert duration.detect(durations([0.02] * 20 + [0.8])) is None


def test_too_short_a_past_says_nothing_about_durations() -> None:
    assert duration.detect(durations([10.0] * 7 + [900.0])) is None


def test_runs_that_failed_are_no_measure_of_duration() -> None:
    history = [*durations([30.0] * 20), *outcomes("x")]
    assert duration.detect(history) is None


def test_a_burst_of_runs_in_one_hour_is_a_signal() -> None:
    found = run_rate.detect(hourly([2] * 48 + [40]))
    assert found is not None
    assert found.observed == 40
    assert 1.9 < found.baseline < 2.1


def test_a_burst_without_a_day_of_past_is_not_judged() -> None:
    assert run_rate.detect(hourly([2] * 10 + [40])) is None


def test_an_approval_is_a_signal_once_each_limit() -> None:
    waiting = Waiting(new_id(), "run", new_id(), START)
    assert approval_age.judge(waiting, START + LIMIT - timedelta(seconds=1)) is None
    first, again, second = (
        approval_age.judge(waiting, START + span) for span in (LIMIT, LIMIT * 1.5, LIMIT * 2 + timedelta(seconds=1))
    )
    assert first is not None
    assert again is not None
    assert second is not None
    assert first.position == again.position
    assert second.position == first.position + 1
    assert first.dedup_key == second.dedup_key
    assert first.evidence == (waiting.subject_ref,)


def test_another_version_of_a_detector_raises_a_signal_of_its_own() -> None:
    found = failure_rate.detect(outcomes("." * 60 + "xxx"))
    assert found is not None
    newer = type(found)(
        **{name: getattr(found, name) for name in found.__slots__}
        | {"detector": type(found.detector)(found.detector.name, 2)}
    )
    assert newer.dedup_key != found.dedup_key
