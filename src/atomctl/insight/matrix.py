"""What Prometheus answers to a range: series by their labels, on the points that were asked for. Pure.

Format: Prometheus' HTTP API, "Range vectors". Label values are anybody's text: they name a series, and are shown with
everything escaped that is not plain ASCII.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from atomctl.canonical import digest
from atomctl.errors import AtomError
from atomctl.insight import codes

MOST_SERIES = 10
"""Series an expression may give."""


@dataclass(frozen=True, slots=True)
class Span:
    """The points `first` to `last`, both counted in whole steps of `step` seconds since 1970."""

    first: int
    last: int
    step: int


@dataclass(frozen=True, slots=True)
class Line:
    """One series: what names it for good, its labels for people, and its values by point; NaN is among them."""

    key: str
    labels: str
    values: dict[int, float]


def lines(data: Any, span: Span) -> tuple[Line, ...]:
    """The series of an answer, by key; none if there was nothing to answer.

    Raises:
        AtomError: INS808 the answer is none of Prometheus' API, INS811 it is no matrix, INS831 too many series.
    """
    try:
        if data["resultType"] != "matrix":
            raise AtomError(codes.NO_NUMBER, f"it gives a {str(data['resultType'])[:20]}")
        result = list(data["result"])
        if len(result) > MOST_SERIES:
            raise AtomError(codes.MANY_SERIES, f"{len(result)} series")
        found = [_line(each, span) for each in result]
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise AtomError(codes.NOT_PROMETHEUS, "the answer has another form than Prometheus' API") from error
    if len({line.key for line in found}) < len(found):
        raise AtomError(codes.NOT_PROMETHEUS, "two series of the answer have the same labels")
    return tuple(sorted(found, key=lambda line: line.key))


def _line(series: Any, span: Span) -> Line:
    labels = {str(name): str(value) for name, value in series["metric"].items()}
    text = json.dumps(labels, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    values = {round(float(at) / span.step): float(number) for at, number in series["values"]}
    if any(not span.first <= point <= span.last for point in values):
        raise ValueError("a point that was not asked for")
    shown = "".join(character if character.isprintable() else "?" for character in text)
    return Line(digest(text.encode()).removeprefix("sha256:")[:16], shown, values)
