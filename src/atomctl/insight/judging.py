"""Which points of a watch are due, and what the points of its series say. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from atomctl.insight.matrix import Line, Span
from atomctl.insight.model import Candidate, Detector, Kind, Severity, day_of, microseconds
from atomctl.insight.series import Judged, Past
from atomctl.insight.watches import Watch

MOST_PASTS = 20
"""Pasts kept of one watch: those of the series it gives, and some that it gave and that may come back."""

_SHAPE = 3
"""Points a signal looks back on, as the shingles of the detector."""

_CRITICAL = 2.0
"""So many times the threshold is critical."""


def due(watch: Watch, position: int | None, now: float) -> Span | None:
    """The points to ask for at `now`, in seconds since 1970; None if the newest one was judged already.

    Args:
        watch: what is watched.
        position: the newest judged point; None if nothing is known: then as many as the detector looks back on.
        now: the time.
    """
    step = int(watch.every.total_seconds())
    last = int(now // step)
    oldest = max(0, last - watch.rule.window + 1)
    first = oldest if position is None else max(oldest, position + 1)
    return Span(first, last, step) if first <= last else None


def judge(
    watch: Watch, pasts: Mapping[str, Past] | None, lines: Sequence[Line], span: Span, after: int
) -> tuple[dict[str, Past], tuple[Candidate, ...]]:
    """The pasts with the points of the span, and what is to be raised.

    A series without a value on a point misses it, as does one that is not in the answer at all. Points between `after`
    and the span, which nobody asked for in time, are missing in all.

    Args:
        watch: what is watched.
        pasts: by the key of the series; None if nothing is known: the points of the span are what is usual, and none
            of them is raised.
        lines: what was answered.
        span: what was asked for.
        after: the newest point that was judged before.
    """
    known = {} if pasts is None else dict(pasts)
    skipped = 0 if pasts is None else min(max(0, span.first - after - 1), watch.rule.longest_gap + 1)
    answered = {line.key: line for line in lines}
    found: list[Candidate] = []
    for key in sorted(known.keys() | answered.keys()):
        past = known.get(key, Past())
        for _ in range(skipped):
            past, _missed = watch.advance(past, None)
        for point in range(span.first, span.last + 1):
            value = answered[key].values.get(point) if key in answered else None
            past, judged = watch.advance(past, value)
            if judged.raised and value is not None:
                found.append(_candidate(watch, answered[key], point * span.step, value, judged))
        known[key] = past
    return dict(_kept(known)), () if pasts is None else tuple(found)


def _kept(pasts: Mapping[str, Past]) -> Iterator[tuple[str, Past]]:
    """Those that have points, at most `MOST_PASTS`: the ones that were there last."""
    newest = sorted((key for key, past in pasts.items() if past.values), key=lambda key: (pasts[key].missing, key))
    return ((key, pasts[key]) for key in newest[:MOST_PASTS])


def _candidate(watch: Watch, line: Line, seconds: int, value: float, judged: Judged) -> Candidate:
    at = datetime.fromtimestamp(seconds, UTC)
    score = judged.score or 0.0
    critical = score >= _CRITICAL * watch.rule.threshold
    return Candidate(
        kind=Kind.SERIES,
        subject=f"series/{watch.name}/{line.key} {line.labels}"[:300],
        detector=Detector(watch.method.value),
        window=(at - _SHAPE * timedelta(seconds=watch.every.total_seconds()), at),
        observed=value,
        baseline=judged.usual,
        score=score,
        severity=Severity.CRITICAL if critical else Severity.WARNING,
        summary=f"{watch.name} is {value:.4g}, unlike before: {judged.usual:.4g} on average; {line.labels}"[:500],
        position=microseconds(at),
        cooldown=day_of(at),
    )
