"""Durations as the manifest writes them: `300ms`, `30s`, `5m`, `2h`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click


class Duration(click.ParamType[timedelta]):
    """An option's value as a `timedelta`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Parses `30s` and its like; a value that is a timedelta already stays as it is."""
        if isinstance(value, timedelta):
            return value
        from atomctl.wpk.durations import parse_duration

        try:
            return parse_duration(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a duration such as 300ms, 30s, 5m or 2h", param, ctx)
