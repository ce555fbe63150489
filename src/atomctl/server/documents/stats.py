"""The main series as a document."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self

from pydantic import Field

from atomctl.insight.overview import Figure, Overview, Series, Unit, Value
from atomctl.server.documents.base import Document


class SeriesDocument(Document):
    """One value for each part of the time, oldest first; null where there is nothing to speak of."""

    name: str
    title: str
    unit: Unit
    values: list[Value]
    whole: Value

    @classmethod
    def of(cls, series: Series) -> Self:
        """The document of a series."""
        return cls(
            name=series.name, title=series.title, unit=series.unit, values=list(series.values), whole=series.whole
        )


class FigureDocument(Document):
    """One value as of the end of the time."""

    name: str
    title: str
    unit: Unit
    value: Value

    @classmethod
    def of(cls, figure: Figure) -> Self:
        """The document of a figure."""
        return cls(name=figure.name, title=figure.title, unit=figure.unit, value=figure.value)


class StatsDocument(Document):
    """What happened to your tenant in some time, and what waits now."""

    schema_: Literal["atom.stats/v1"] = Field(default="atom.stats/v1", alias="schema")
    since: datetime
    until: datetime
    part_seconds: float
    series: list[SeriesDocument]
    figures: list[FigureDocument]
    open_runs: dict[str, int]

    @classmethod
    def of(cls, seen: Overview) -> Self:
        """The document of an overview."""
        return cls(
            since=seen.since,
            until=seen.until,
            part_seconds=seen.part.total_seconds(),
            series=[SeriesDocument.of(series) for series in seen.series],
            figures=[FigureDocument.of(figure) for figure in seen.figures],
            open_runs=dict(seen.open_runs),
        )
