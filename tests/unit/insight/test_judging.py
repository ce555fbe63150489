"""Which points are due, what they say, and answers of a Prometheus that mean no good."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from atomctl.errors import AtomError
from atomctl.insight import judging, matrix
from atomctl.insight.matrix import Line, Span
from atomctl.insight.model import Severity
from atomctl.insight.series import Past
from atomctl.insight.watches import Method, Watch

WATCH = Watch(name="load", tenant_id=UUID(int=1), promql="load", every=timedelta(seconds=60))
COUNT = Watch(name="errors", tenant_id=UUID(int=1), promql="errors", method=Method.COUNT)
USUAL = [10.0, 10.5, 11.0, 10.2, 9.8, 10.1, 9.6]


def line(values: dict[int, float], key: str = "a") -> Line:
    return Line(key, '{"host":"web"}', values)


def wave(first: int, last: int) -> dict[int, float]:
    return {point: USUAL[point % 7] for point in range(first, last + 1)}


def warm(watch: Watch = WATCH, last: int = 99) -> dict[str, Past]:
    pasts, found = judging.judge(watch, None, [line(wave(0, last))], Span(0, last, 60), -1)
    assert found == ()
    return pasts


def test_the_first_look_asks_for_as_much_as_the_detector_looks_back_on() -> None:
    assert judging.due(WATCH, None, 60_000.0) == Span(801, 1000, 60)


def test_later_looks_ask_for_what_is_new_and_for_no_more_than_that() -> None:
    assert judging.due(WATCH, 1000, 60_059.9) is None
    assert judging.due(WATCH, 1000, 60_060.0) == Span(1001, 1001, 60)
    assert judging.due(WATCH, 10, 60_000.0) == Span(801, 1000, 60)
    assert judging.due(WATCH, 2000, 60_000.0) is None, "a clock that was set back judges nothing twice"


def test_what_is_there_at_the_first_look_is_usual_whatever_it_is() -> None:
    leap = {**wave(0, 99), 99: 1e6}
    assert judging.judge(WATCH, None, [line(leap)], Span(0, 99, 60), -1)[1] == ()


def test_a_leap_is_raised_with_both_figures_and_the_labels() -> None:
    _, [found] = judging.judge(WATCH, warm(), [line({100: 400.0})], Span(100, 100, 60), 99)
    assert found.observed == 400.0
    assert found.baseline == pytest.approx(10.17, abs=0.05)
    assert found.severity is Severity.CRITICAL
    assert found.window[1].timestamp() == 6000.0
    assert found.window[0].timestamp() == 5820.0
    assert "load is 400" in found.summary
    assert '"host":"web"' in found.subject


def test_points_that_were_judged_in_one_look_or_in_many_leave_the_same() -> None:
    at_once = judging.judge(WATCH, warm(), [line(wave(100, 120))], Span(100, 120, 60), 99)
    pasts = warm()
    for point in range(100, 121):
        pasts, _ = judging.judge(WATCH, pasts, [line(wave(point, point))], Span(point, point, 60), point - 1)
    assert (pasts, ()) == at_once


def test_a_series_that_is_gone_is_remembered_for_a_while_and_then_forgotten() -> None:
    pasts = warm()
    pasts, _ = judging.judge(WATCH, pasts, [], Span(100, 149, 60), 99)
    assert pasts["a"].missing == 50
    pasts, _ = judging.judge(WATCH, pasts, [], Span(150, 220, 60), 149)
    assert pasts == {}


def test_points_nobody_asked_for_in_time_are_missing() -> None:
    pasts, _ = judging.judge(WATCH, warm(), [line(wave(130, 130))], Span(130, 130, 60), 99)
    assert pasts["a"].missing == 0
    assert len(pasts["a"].values) == 101
    pasts, _ = judging.judge(WATCH, warm(), [line(wave(5000, 5001))], Span(5000, 5001, 60), 99)
    assert len(pasts["a"].values) == 2, "after so long a time the series begins anew"


def test_series_that_come_and_go_do_not_pile_up() -> None:
    pasts = warm()
    for point in range(100, 160):
        lines = [line({point: 1.0}, f"pod-{point}-{n}") for n in range(10)]
        pasts, _ = judging.judge(WATCH, pasts, lines, Span(point, point, 60), point - 1)
    assert len(pasts) == judging.MOST_PASTS
    assert sum(key.startswith("pod-159") for key in pasts) == 10


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_a_gap_and_no_signal(value: float) -> None:
    pasts, found = judging.judge(WATCH, warm(), [line({100: value})], Span(100, 100, 60), 99)
    assert found == ()
    assert pasts["a"].missing == 1


def test_errors_after_a_quiet_time_are_raised_by_their_count() -> None:
    quiet = [line(dict.fromkeys(range(100), 0.0))]
    pasts, _ = judging.judge(COUNT, None, quiet, Span(0, 99, 60), -1)
    _, [found] = judging.judge(COUNT, pasts, [line({100: 12.0})], Span(100, 100, 60), 99)
    assert found.detector.name == "count"
    assert found.score > 20
    assert judging.judge(COUNT, pasts, [line({100: 4.0})], Span(100, 100, 60), 99)[1] == ()
    assert judging.judge(COUNT, pasts, [line({100: -4.0})], Span(100, 100, 60), 99)[1] == ()


def answer(*series: Any, kind: str = "matrix") -> dict[str, Any]:
    return {"resultType": kind, "result": list(series)}


HOSTILE = ["\x00\x1b[2J", "\u202egnp.exe", "\ud800", "'; DROP TABLE x; --", "x" * 100_000, '"}\n{', "é" * 300, "\x7f"]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_label_is_shown_escaped_and_short(value: str) -> None:
    [found] = matrix.lines(answer({"metric": {"host": value}, "values": [[60, "1"]]}), Span(1, 1, 60))
    assert found.labels.isprintable()
    assert found.labels.isascii()
    usual = {"k": Past(tuple(USUAL * 10))}
    _, [raised] = judging.judge(WATCH, usual, [Line("k", found.labels, {1: 900.0})], Span(1, 1, 60), 0)
    assert len(raised.subject) <= 300
    assert len(raised.summary) <= 500


def test_series_whose_labels_differ_late_are_two() -> None:
    span = Span(1, 1, 60)
    two = [{"metric": {"host": "x" * 1000 + end}, "values": [[60, "1"]]} for end in "ab"]
    first, second = matrix.lines(answer(*two), span)
    assert first.key != second.key


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (None, "INS808"),
        ({}, "INS808"),
        (answer(kind="vector"), "INS811"),
        (answer(3), "INS808"),
        (answer({"metric": [], "values": []}), "INS808"),
        (answer({"metric": {}, "values": [[60]]}), "INS808"),
        (answer({"metric": {}, "values": [[60, "much"]]}), "INS808"),
        (answer({"metric": {}, "values": [["inf", "1"]]}), "INS808"),
        (answer({"metric": {}, "values": [[6000, "1"]]}), "INS808"),
        (answer(*[{"metric": {}, "values": [[60, "1"]]}] * 2), "INS808"),
        (answer(*[{"metric": {"n": str(n)}, "values": []} for n in range(11)]), "INS831"),
    ],
)
def test_an_answer_that_is_none_has_a_code(data: Any, code: str) -> None:
    with pytest.raises(AtomError) as refusal:
        matrix.lines(data, Span(1, 1, 60))
    assert refusal.value.code.id == code


def test_no_series_at_all_is_no_error() -> None:
    assert matrix.lines(answer(), Span(1, 1, 60)) == ()
