"""Stored metrics: fresh or not there at all."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from atomctl.telemetry import catalog, metrics
from atomctl.telemetry.readings import KEPT_SECONDS, Reading, StoredMetrics


def samples(page: bytes) -> dict[str, float]:
    families = text_string_to_metric_families(page.decode())  # type: ignore[no-untyped-call]  # no types
    return {
        "".join([sample.name, *(f" {value}" for value in sample.labels.values())]): float(sample.value)
        for family in families
        for sample in family.samples
    }


def alive(count: float) -> list[Reading]:
    return [Reading(catalog.WORKERS, count, {"state": "alive"}), Reading(catalog.CROSS_TENANT_ATTEMPTS, 7)]


def test_a_page_shows_what_is_counted_and_what_is_read() -> None:
    shown = samples(metrics.page_with([lambda: alive(2)])())
    assert shown["atom_workers alive"] == 2
    assert shown["atom_cross_tenant_attempts_total"] == 7
    assert shown["atom_stored_read"] == 1
    assert "atom_audit_entries_total" in shown


def test_a_source_that_fails_takes_all_figures_away() -> None:
    def broken() -> Iterable[Reading]:
        raise RuntimeError("no database")

    shown = samples(metrics.page_with([lambda: alive(2), broken])())
    assert shown["atom_stored_read"] == 0
    assert "atom_workers alive" not in shown
    assert "atom_audit_entries_total" in shown


def test_many_who_ask_at_once_read_once() -> None:
    now, reads = [0.0], []

    def source() -> list[Reading]:
        reads.append(1)
        return alive(1)

    stored = StoredMetrics([source], clock=lambda: now[0])
    for _ in range(10):
        stored.collect()
    assert len(reads) == 1
    now[0] += KEPT_SECONDS
    stored.collect()
    assert len(reads) == 2


@pytest.mark.parametrize(
    "reading",
    [Reading(catalog.WORKERS, 1, {"state": "tenant-a"}), Reading(catalog.WORKERS, 1)],
)
def test_a_reading_has_the_labels_of_the_catalogue_or_the_page_says_that_it_failed(reading: Reading) -> None:
    with pytest.raises((ValueError, KeyError)):
        StoredMetrics([lambda: [reading]]).collect()


def test_what_is_read_cannot_be_counted() -> None:
    with pytest.raises(ValueError, match="no process counts it"):
        metrics.set_to(catalog.WORKERS, 1, state="alive")


def test_an_exemplar_names_one_of_the_things_counted() -> None:
    metrics.increment(catalog.RUN_STATES, state="failed", exemplar={"run": "01a2"})
    line = next(
        line for line in metrics.render().decode().splitlines() if line.startswith('atom_run_states_total{state="fail')
    )
    assert '# {run="01a2"} 1.0' in line


def test_a_source_that_hangs_keeps_nobody_from_the_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atomctl.telemetry.readings.PATIENCE_SECONDS", 0.05)
    release, asked = threading.Event(), []
    now = [0.0]

    def hangs() -> list[Reading]:
        asked.append(1)
        release.wait(30)
        return alive(5)

    stored = StoredMetrics([hangs], clock=lambda: now[0])
    for _ in range(3):
        assert [family.name for family in stored.collect()] == ["atom_stored_read"]
        now[0] += KEPT_SECONDS
    assert len(asked) == 1, "a second question would only wait behind the first"
    release.set()
    monkeypatch.setattr("atomctl.telemetry.readings.PATIENCE_SECONDS", 30.0)
    assert stored._reader is not None
    stored._reader.join(30)
    assert "atom_workers" in [family.name for family in stored.collect()]
    assert len(asked) == 2, "what came late is old, and read again"
