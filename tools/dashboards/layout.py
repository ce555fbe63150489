"""Where panels stand on Grafana's grid of 24 columns: side by side, then below each other. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tools.dashboards.model import Dashboard, Panel, Row

COLUMNS = 24


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle of the grid, in columns and rows from its upper left corner."""

    x: int
    y: int
    width: int
    height: int


def placed(dashboard: Dashboard) -> Iterator[tuple[Row | Panel, Place]]:
    """Each heading, followed by its panels, with its place; nothing overlaps and nothing stands outside."""
    y = 0
    for row in dashboard.rows:
        yield row, Place(0, y, COLUMNS, 1)
        x, y, tallest = 0, y + 1, 0
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            yield panel, Place(x, y, panel.width, panel.height)
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest
