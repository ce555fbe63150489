"""The series of a Prometheus that are watched, as their file says: taken whole, or refused with the place.

`load` reads the file; the rest is pure.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import assert_never
from uuid import UUID

from atomctl.canonical import Json, digest_json
from atomctl.errors import AtomError
from atomctl.insight import codes, series_count
from atomctl.insight import series as shape
from atomctl.insight.prometheus import require_askable
from atomctl.insight.series import Judged, Past, SeriesRule
from atomctl.wpk.source_yaml import read_yaml

MOST = 50
"""Watches in one file."""

_LARGEST = 256 * 1024
_FIELDS = frozenset({"name", "tenant", "promql", "detector", "every", "workflow"})
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_LEAST_SECONDS, _MOST_SECONDS = 5, 86_400


class Method(enum.StrEnum):
    """How the points of a watch are judged."""

    SERIES = "series"
    """By level, step and shape: for what is measured."""
    COUNT = "count"
    """By the Poisson tail: for what is counted, such as `increase(errors[1m])`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One expression, asked for every `every`.

    Attributes:
        name: names it within its tenant.
        tenant_id: whose signals it raises.
        promql: gives a vector of at most ten series.
        method: how its points are judged.
        every: the time between two points; points lie at whole multiples of it since 1970.
        workflow: the workflow whose runs are evidence; None: those of all.
    """

    name: str
    tenant_id: UUID
    promql: str
    method: Method = Method.SERIES
    every: timedelta = timedelta(minutes=1)
    workflow: str | None = None

    @property
    def definition(self) -> str:
        """Changes when what was kept of its past says nothing any more."""
        return digest_json([self.promql, self.method.value, int(self.every.total_seconds())])

    @property
    def rule(self) -> SeriesRule:
        """The rule its points are judged by."""
        match self.method:
            case Method.SERIES:
                return shape.DEFAULT
            case Method.COUNT:
                return series_count.DEFAULT.series
            case _:
                assert_never(self.method)

    def advance(self, past: Past, value: float | None) -> tuple[Past, Judged]:
        """The past with one point more, and what is said of the point."""
        match self.method:
            case Method.SERIES:
                return shape.advance(past, value, self.rule)
            case Method.COUNT:
                return series_count.advance_count(past, value)
            case _:
                assert_never(self.method)


def load(file: Path) -> tuple[Watch, ...]:
    """The watches in `file`.

    Raises:
        AtomError: INS830 it cannot be read or says what cannot be watched; WPK101 to WPK107 it is no YAML.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except OSError as error:
        raise AtomError(codes.BAD_WATCHES, f"{file}: {error.strerror}") from error
    if len(data) > _LARGEST:
        raise AtomError(codes.BAD_WATCHES, f"{file}: more than {_LARGEST} bytes")
    return parse(data, str(file))


def parse(data: bytes, file: str) -> tuple[Watch, ...]:
    """The watches in YAML or JSON: `{watches: [{name, tenant, promql, detector?, every?, workflow?}]}`.

    Raises:
        AtomError: INS830 it says what cannot be watched; WPK101 to WPK107 it is no YAML.
    """
    nodes = read_yaml(data, file)
    document = nodes[0].value if len(nodes) == 1 else None
    listed = document.get("watches") if isinstance(document, dict) and set(document) == {"watches"} else None
    if not isinstance(listed, list) or len(listed) > MOST:
        raise AtomError(codes.BAD_WATCHES, f"{file}: one document with one list `watches` of at most {MOST}")
    watches = tuple(_watch(each, f"{file}: watch {number}") for number, each in enumerate(listed, 1))
    keys = [(watch.tenant_id, watch.name) for watch in watches]
    if len(set(keys)) < len(keys):
        raise AtomError(codes.BAD_WATCHES, f"{file}: two watches of one tenant have the same name")
    return watches


def _watch(entry: Json, where: str) -> Watch:
    if not isinstance(entry, dict):
        raise AtomError(codes.BAD_WATCHES, f"{where}: no mapping")
    unknown = sorted(set(entry) - _FIELDS)
    if unknown:
        raise AtomError(codes.BAD_WATCHES, f"{where}: unknown {', '.join(unknown)[:100]}")
    try:
        watch = Watch(
            name=_text(entry, "name"),
            tenant_id=UUID(_text(entry, "tenant")),
            promql=_text(entry, "promql"),
            method=Method(_text(entry, "detector", Method.SERIES.value)),
            every=_every(entry.get("every", 60)),
            workflow=_text(entry, "workflow") if "workflow" in entry else None,
        )
        require_askable(watch.promql)
    except ValueError as error:
        raise AtomError(codes.BAD_WATCHES, f"{where}: {error}") from error
    except AtomError as error:
        raise AtomError(codes.BAD_WATCHES, f"{where}: promql: {error.why}") from error
    if not _NAME.fullmatch(watch.name):
        raise AtomError(codes.BAD_WATCHES, f"{where}: the name is lower-case letters, digits and -, at most 40")
    return watch


def _text(entry: Mapping[str, Json], field: str, default: str | None = None) -> str:
    value = entry.get(field, default)
    if not isinstance(value, str):
        raise ValueError(f"{field} is missing or no text")
    return value


def _every(value: Json) -> timedelta:
    if not isinstance(value, int) or isinstance(value, bool) or not _LEAST_SECONDS <= value <= _MOST_SECONDS:
        raise ValueError(f"every is a number of seconds from {_LEAST_SECONDS} to {_MOST_SECONDS}")
    return timedelta(seconds=value)
