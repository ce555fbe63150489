"""Watched series over a real database: judged once, taken up where they were left, and a Prometheus that is away."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tests.fakes.yard import Yard
from tests.integration.insight.test_patrol import ended, signals
from tests.integration.insight.test_prometheus import SHORT
from tests.servers.hostile_http import HostileServer
from tests.servers.process import free_port
from tests.servers.prometheus import Prometheus as RealPrometheus
from tests.servers.waiting import wait_until

from atomctl.db.address import DatabaseAddress
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Sessions
from atomctl.errors import AtomError
from atomctl.insight import codes
from atomctl.insight.matrix import Line, Span
from atomctl.insight.model import Kind, State
from atomctl.insight.prometheus import Prometheus
from atomctl.insight.watches import Watch
from atomctl.insight.watching import SETTLED, Ranges, Watchman
from atomctl.settings import load_settings
from atomctl.telemetry import metrics
from atomctl.wiring import insight_loops

STEP = 60


class Figures:
    """A source of one series that is made up; `wrong` is raised instead, `between` happens before an answer."""

    def __init__(self, leaps: dict[int, float] | None = None) -> None:
        self.leaps = leaps or {}
        self.asked: list[Span] = []
        self.wrong: Exception | None = None
        self.between: Callable[[], object] = lambda: None
        self.labels = '{"host":"web"}'

    def range(self, expression: str, span: Span) -> tuple[Line, ...]:
        assert expression == "load"
        self.asked.append(span)
        self.between()
        if self.wrong is not None:
            raise self.wrong
        values = {point: self._value(point) for point in range(span.first, span.last + 1)}
        return (Line("a", self.labels, values),)

    def _value(self, point: int) -> float:
        return self.leaps.get(point, random.Random(point).gauss(10, 1))


class Clock:
    """Stands where it was put."""

    def __init__(self, point: int) -> None:
        self.point = point

    def __call__(self) -> float:
        return self.point * STEP + SETTLED.total_seconds()


NOW = int(datetime.now(UTC).timestamp() // STEP)


@pytest.fixture
def watch(yard: Yard) -> Watch:
    return Watch(name="load", tenant_id=yard.tenant_id, promql="load", every=timedelta(seconds=STEP))


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW - 10)


@pytest.fixture
def start(worker_sessions: Sessions, watch: Watch, clock: Clock) -> Callable[[Ranges], Watchman]:
    """A watchman as a worker has it; another call is a worker that was started anew."""
    return lambda source: Watchman(worker_sessions, source, [watch], clock)


def failed_questions() -> float:
    """What this process counted."""
    line = 'atom_prometheus_probes_total{outcome="failed"} '
    [found] = [text for text in metrics.render().decode().splitlines() if text.startswith(line)] or [line + "0"]
    return float(found.removeprefix(line).split(" ")[0])


def document(yard: Yard) -> tuple[int, object]:
    with yard.sessions.tenant(yard.tenant_id) as conn:
        row = conn.execute("SELECT position, document FROM atom.insight_watches").fetchone()
    assert row is not None
    return row["position"], row["document"]


Start = Callable[[Ranges], Watchman]


def test_a_leap_becomes_a_signal_that_names_the_runs_at_work(yard: Yard, start: Start, clock: Clock) -> None:
    since_then = datetime.now(UTC) - datetime.fromtimestamp(NOW * STEP, UTC)
    runs = ended(yard, ["SUCCEEDED"] * 3, seconds=30.0, until=since_then)
    old = ended(yard, ["SUCCEEDED"], seconds=1.0, workflow="other", until=timedelta(hours=3))
    figures = Figures({NOW: 500.0})
    watchman = start(figures)
    assert watchman.round() == 0
    clock.point = NOW
    assert watchman.round() == 1
    [found] = signals(yard, Kind.SERIES)
    assert (found.observed, found.state, found.detector.name) == (500.0, State.OPEN, "series")
    assert set(found.evidence) == set(runs)
    assert not set(found.evidence) & set(old)
    assert figures.asked == [Span(NOW - 209, NOW - 10, STEP), Span(NOW - 9, NOW, STEP)]


def test_a_point_is_asked_for_once_and_a_cooldown_outlives_a_restart(yard: Yard, start: Start, clock: Clock) -> None:
    figures = Figures({NOW: 500.0, NOW + 3: 900.0, NOW + 60: 50_000.0})
    start(figures).round()
    clock.point = NOW
    assert start(figures).round() == 1
    assert start(figures).round() == 0, "nothing new is due"
    assert len(figures.asked) == 2
    clock.point = NOW + 10
    assert start(figures).round() == 0, "still resting"
    clock.point = NOW + 60
    assert start(figures).round() == 1
    assert sum(found.occurrences for found in signals(yard, Kind.SERIES)) == 2


def test_restarts_change_no_score(yard: Yard, start: Start, clock: Clock, database: DatabaseAddress) -> None:
    for point in range(NOW - 10, NOW + 30, 3):
        clock.point = point
        start(Figures({NOW: 500.0})).round()
    often = document(yard)
    with yard.sessions.tenant(yard.tenant_id) as conn:
        conn.execute("UPDATE atom.insight_watches SET name = 'kept'")
    clock.point = NOW - 10
    watchman = start(Figures({NOW: 500.0}))
    watchman.round()
    clock.point = often[0]
    watchman.round()
    with yard.sessions.tenant(yard.tenant_id) as conn:
        rows = conn.execute("SELECT DISTINCT position, document::text AS document FROM atom.insight_watches").fetchall()
    assert len(rows) == 1


@pytest.mark.parametrize("wrong", [codes.UNREACHABLE, codes.SLOW, codes.NOT_PROMETHEUS, codes.MANY_SERIES])
def test_while_prometheus_gives_no_answer_the_last_good_state_stays(
    yard: Yard, start: Start, clock: Clock, wrong: object
) -> None:
    figures = Figures({NOW: 500.0})
    start(figures).round()
    before = document(yard)
    figures.wrong = AtomError(wrong, "away")  # type: ignore[arg-type]  # parametrized
    clock.point = NOW + 1
    failed = failed_questions()
    watchman = start(figures)
    assert watchman.round() == 0
    assert watchman.round() == 0
    assert len(figures.asked) == 2, "it is not asked again at once"
    assert failed_questions() == failed + 1
    assert document(yard) == before
    figures.wrong = None
    clock.point = NOW + 2
    assert watchman.round() == 1, "what happened meanwhile is judged afterwards"


def test_two_workers_judge_a_point_once(yard: Yard, start: Start, clock: Clock) -> None:
    figures, other = Figures({NOW: 500.0}), Figures({NOW: 500.0})
    start(figures).round()
    clock.point = NOW
    figures.between = lambda: start(other).round()
    assert start(figures).round() == 0
    [found] = signals(yard, Kind.SERIES)
    assert found.occurrences == 1


def test_a_state_that_cannot_be_read_is_begun_anew(yard: Yard, start: Start, clock: Clock) -> None:
    start(Figures()).round()
    with yard.sessions.tenant(yard.tenant_id) as conn:
        conn.execute(
            """UPDATE atom.insight_watches SET document = '{"version": 1, "series": [NULL]}'::text::json""".replace(
                "NULL", "null"
            )
        )
    clock.point = NOW
    figures = Figures({NOW: 500.0})
    assert start(figures).round() == 0
    assert figures.asked == [Span(NOW - 199, NOW, STEP)]
    assert document(yard)[0] == NOW


def test_hostile_labels_are_kept_as_text(yard: Yard, start: Start, clock: Clock) -> None:
    figures = Figures({NOW: 500.0})
    figures.labels = '{"host":"\'; DROP TABLE atom.insight_signals; --\\u0000"}'
    start(figures).round()
    clock.point = NOW
    assert start(figures).round() == 1
    assert "DROP TABLE" in signals(yard, Kind.SERIES)[0].subject


def test_a_tenant_sees_only_its_own_watches(
    yard: Yard, start: Start, make_tenant: Callable[[str], UUID], sessions: Sessions
) -> None:
    start(Figures()).round()
    with sessions.tenant(make_tenant("other")) as conn:
        assert conn.execute("SELECT FROM atom.insight_watches").fetchall() == []


def test_a_watch_that_fails_keeps_no_other_away(yard: Yard, worker_sessions: Sessions, watch: Watch) -> None:
    nobody = Watch(name="a", tenant_id=UUID(int=7), promql="load")
    figures = Figures()
    Watchman(worker_sessions, figures, [nobody, watch]).round()
    assert len(figures.asked) == 2
    assert document(yard)[0] >= NOW


@pytest.mark.parametrize("behaviour", ["silent", "drip", "garbage", "huge", "bomb", "dying"])
def test_a_server_that_is_slow_or_no_prometheus_changes_nothing(yard: Yard, start: Start, behaviour: str) -> None:
    with HostileServer() as hostile:
        assert start(Prometheus(hostile.url(behaviour), SHORT)).round() == 0
    with yard.sessions.tenant(yard.tenant_id) as conn:
        assert conn.execute("SELECT FROM atom.insight_watches").fetchall() == []


def test_it_watches_a_real_prometheus(yard: Yard, database: DatabaseAddress, prometheus: RealPrometheus) -> None:
    watch = Watch(
        name="own",
        tenant_id=yard.tenant_id,
        promql="label_replace(vector(time() % 7), 'host', 'web\"\\n', '', '')",
        every=timedelta(seconds=5),
    )
    stop = threading.Event()
    watchman = Watchman(
        Sessions(database, DatabaseRole.WORKER, min_size=0, name="watches"), Prometheus(prometheus.url), [watch]
    )
    thread = threading.Thread(target=watchman.run, args=(stop,))
    thread.start()
    try:
        wait_until(lambda: _rows(yard) == 1, "the watch has been judged")
    finally:
        stop.set()
        thread.join(20)
    [series] = document(yard)[1]["series"].values()  # type: ignore[index]  # a JSON document
    assert len(series["values"]) == 200
    assert set(series["values"]) <= set(map(float, range(7)))


def _rows(yard: Yard) -> int:
    with yard.sessions.tenant(yard.tenant_id) as conn:
        return len(conn.execute("SELECT FROM atom.insight_watches").fetchall())


def test_watches_without_a_prometheus_stop_a_worker_at_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: DatabaseAddress
) -> None:
    file = tmp_path / "watches.yaml"
    file.write_text("watches: []")
    monkeypatch.setattr("atomctl.wiring.database_address", lambda _: database)
    monkeypatch.setattr("atomctl.wiring.audit_keys", lambda _: ())

    def loops(**env: str) -> int:
        settings = load_settings(env={"ATOM_HOME": str(tmp_path), "ATOM_WATCHES": str(file), **env})
        return len(insight_loops(settings, None))  # type: ignore[arg-type]  # nothing listens yet

    with pytest.raises(AtomError, match="INS801"):
        loops()
    assert loops(PROMETHEUS_URL=f"http://127.0.0.1:{free_port()}") == 3
    file.write_text("watches: 7")
    with pytest.raises(AtomError, match="INS830"):
        loops(PROMETHEUS_URL=f"http://127.0.0.1:{free_port()}")
