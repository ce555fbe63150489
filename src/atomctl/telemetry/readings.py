"""Figures that no process counts: they are read, from the database or a server, whenever somebody asks for metrics."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, assert_never

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from atomctl.telemetry.catalog import CATALOG, STORED_READ, Counter, Gauge, Histogram, Metric
from atomctl.telemetry.logs import get_logger

KEPT_SECONDS = 1.0
"""For so long the same figures are shown again, so that many who ask cost the database no more than one."""

PATIENCE_SECONDS = 3.0
"""For so long the sources are waited for: Prometheus itself waits for ten seconds."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """One figure of a metric whose `stored` is true, in its unit."""

    metric: Metric
    value: float
    labels: dict[str, str] = field(default_factory=dict)


Source = Callable[[], Iterable[Reading]]
"""Reads figures; it raises when it cannot, and then none of them are shown."""


class StoredMetrics:
    """What a Prometheus registry asks for the stored metrics.

    A source that fails takes all of them away and shows `atom_stored_read` as 0: a figure of an hour ago would look
    like one of now.

    Args:
        sources: where figures come from; read one after another.
        clock: monotonic seconds.
    """

    def __init__(self, sources: Sequence[Source], clock: Callable[[], float] = time.monotonic) -> None:
        self._sources, self._clock = tuple(sources), clock
        self._lock = threading.Lock()
        self._reader: _Reader | None = None
        self._kept: list[Any] = []
        self._until = float("-inf")

    def collect(self) -> list[Any]:
        """The families to show, as prometheus-client has them."""
        with self._lock:
            if self._clock() >= self._until:
                self._kept = list(self._read())
                self._until = self._clock() + KEPT_SECONDS
            return self._kept

    def describe(self) -> list[Any]:
        """The families without figures: registering asks nobody."""
        return [_family(metric, ()) for metric in _stored()]

    def _read(self) -> Iterator[Any]:
        try:
            readings = self._in_time()
        except Exception as error:  # noqa: BLE001 - whatever it is, the page must say that nothing is known
            _log.warning("metrics.unread", why=str(error))
            yield _family(STORED_READ, [Reading(STORED_READ, 0.0)])
            return
        readings.append(Reading(STORED_READ, 1.0))
        for metric in _stored():
            found = [reading for reading in readings if reading.metric is metric]
            if found:
                yield _family(metric, found)

    def _in_time(self) -> list[Reading]:
        """What the sources give.

        Raises:
            TimeoutError: they took longer than `PATIENCE_SECONDS`, or the ones asked before have not ended yet.
        """
        if self._reader is None or self._reader.ended.is_set():
            self._reader = _Reader(self._sources)
            self._reader.start()
            self._reader.ended.wait(PATIENCE_SECONDS)
        if not self._reader.ended.is_set():
            raise TimeoutError("the figures could not be read in time")
        if self._reader.failure is not None:
            raise self._reader.failure
        return self._reader.readings


class _Reader(threading.Thread):
    """One reading of all sources: a database that is away keeps nobody from seeing what is counted here."""

    def __init__(self, sources: Sequence[Source]) -> None:
        super().__init__(name="atom-figures", daemon=True)
        self._sources = sources
        self.ended = threading.Event()
        self.readings: list[Reading] = []
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            self.readings = [reading for source in self._sources for reading in source()]
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of whatever it is
            self.failure = error
        finally:
            self.ended.set()


def _stored() -> list[Counter | Gauge | Histogram]:
    return [metric for metric in CATALOG if metric.stored]


def _family(metric: Counter | Gauge | Histogram, readings: Iterable[Reading]) -> Any:
    names = tuple(metric.labels)
    family: Any
    match metric:
        case Counter():
            family = CounterMetricFamily(metric.name, metric.help, labels=names)
        case Gauge():
            family = GaugeMetricFamily(metric.name, metric.help, labels=names)
        case Histogram():
            raise ValueError(f"{metric.name}: a histogram is counted, never read")
        case _:
            assert_never(metric)
    for reading in readings:
        family.add_metric([_allowed(metric, name, reading.labels[name]) for name in names], reading.value)
    return family


def _allowed(metric: Metric, label: str, value: str) -> str:
    if value not in metric.labels[label]:
        raise ValueError(f"{label} of {metric.name} is one of {', '.join(metric.labels[label])}, got {value!r}")
    return value
