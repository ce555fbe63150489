"""The benchmark's score on cases computed by hand, its file format, and a run from end to end on made-up files."""

from __future__ import annotations

import json
import math
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from benchmarks.insight.__main__ import main
from benchmarks.insight.detectors import raised, shape, zscore
from benchmarks.insight.nab import BadDataError, Series, Window, probation, raw_score, read_folder, standard_score

SERIES = Series("one", (0.0,) * 200, (Window(100, 109),))
NOON = datetime(2014, 1, 1, 12, tzinfo=UTC).replace(tzinfo=None)  # as the benchmark writes times


def sigmoid(position: float) -> float:
    return 2 / (1 + math.exp(5 * position)) - 1


def test_a_detection_at_the_first_point_of_a_window_is_worth_one() -> None:
    assert raw_score(SERIES, [100]) == pytest.approx(1.0)


def test_a_detection_at_the_last_point_of_a_window_is_worth_little() -> None:
    assert raw_score(SERIES, [109]) == pytest.approx(sigmoid(-0.1) / 0.9866142981514305)
    assert raw_score(SERIES, [109]) == pytest.approx(math.tanh(0.25) / math.tanh(2.5))


def test_of_several_detections_in_a_window_the_first_counts() -> None:
    assert raw_score(SERIES, [104, 105, 109]) == raw_score(SERIES, [104])


def test_a_window_that_is_missed_costs_one() -> None:
    assert raw_score(SERIES, []) == -1.0


def test_a_detection_before_the_first_window_costs_its_whole_weight() -> None:
    assert raw_score(SERIES, [99]) == pytest.approx(-1.11)


def test_a_detection_behind_a_window_costs_more_the_farther_it_is() -> None:
    assert raw_score(SERIES, [110]) == pytest.approx(-1 + 0.11 * sigmoid(1 / 9))
    assert raw_score(SERIES, [118]) == pytest.approx(-1 - 0.11 * 0.9866142981514305)
    assert raw_score(SERIES, [137]) == pytest.approx(-1.11)


def test_the_first_points_of_a_file_do_not_count() -> None:
    assert probation(200) == 30
    assert probation(100_000) == 750
    assert raw_score(SERIES, [0, 29]) == -1.0
    assert raw_score(SERIES, [30]) == pytest.approx(-1.11)


def test_the_score_goes_from_nothing_to_everything() -> None:
    two = [(SERIES, [100]), (SERIES, [100])]
    assert standard_score(two) == pytest.approx(100.0)
    assert standard_score([(SERIES, []), (SERIES, [])]) == 0.0
    assert standard_score([(SERIES, [100]), (SERIES, [])]) == pytest.approx(50.0)
    assert standard_score([(SERIES, [99])]) == pytest.approx(-5.5)


def test_files_without_a_window_have_no_score() -> None:
    with pytest.raises(BadDataError):
        standard_score([(Series("none", (1.0,) * 10, ()), [])])


def test_the_baseline_is_the_distance_from_all_points_before() -> None:
    assert zscore([1.0, 3.0, 2.0, 6.0]) == pytest.approx([0, 0, 0, 4 / math.sqrt(2 / 3)])
    assert zscore([5.0] * 4) == [0.0] * 4


def test_a_raised_point_is_followed_by_rest() -> None:
    assert raised([0, 9, 9, 9, 0, 9], 5.0, 0) == [1, 2, 3, 5]
    assert raised([0, 9, 9, 9, 0, 9], 5.0, 2) == [1, 5]


def written(folder: Path, files: int = 4, points: int = 600) -> Path:
    """A folder as the benchmark has it: noise, and in each file one leap that is labelled."""
    windows = {}
    for number in range(files):
        name, leap = f"group/file{number}.csv", 400 + 20 * number
        chance = random.Random(number)
        times = [NOON + timedelta(minutes=5 * n) for n in range(points)]
        values = [chance.gauss(50, 2) + (60 if leap <= n < leap + 5 else 0) for n in range(points)]
        file = folder / "data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{at},{value}" for at, value in zip(times, values, strict=True)]
        file.write_text("\n".join(["timestamp,value", *lines]) + "\n")
        windows[name] = [[f"{times[leap - 10]}.000000", f"{times[leap + 30]}.000000"]]
    (folder / "labels").mkdir()
    (folder / "labels" / "combined_windows.json").write_text(json.dumps(windows))
    return folder


def test_files_and_windows_are_read_as_the_benchmark_writes_them(tmp_path: Path) -> None:
    [first, *others] = read_folder(written(tmp_path))
    assert (first.name, len(first.values), first.windows) == ("group/file0.csv", 600, (Window(390, 430),))
    assert len(others) == 3


def test_a_whole_run_says_what_was_chosen_and_what_it_reaches_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(written(tmp_path)), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["files"], report["windows"]) == (4, 4)
    assert [set(fold) for fold in report["series"]] == [{"parameters", "chosen_on", "held_out"}] * 2
    assert min(fold["held_out"] for fold in report["series"]) > 80
    assert report["shipped"] > 80
    assert main([str(tmp_path)]) == 0
    assert "held out" in capsys.readouterr().out


@pytest.mark.parametrize(
    "broken", ["", "{", '{"x.csv": []}', '{"group/file0.csv": [["2001-01-01", "2001-01-02"]]}', "[]"]
)
def test_data_that_is_missing_or_of_another_form_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], broken: str
) -> None:
    if broken:
        (written(tmp_path) / "labels" / "combined_windows.json").write_text(broken)
    assert main([str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "not evaluated" in said.err


def test_missing_values_are_gaps() -> None:
    assert all(map(math.isfinite, shape(100)([1.0, math.nan] * 100)))
    assert all(map(math.isfinite, zscore([1.0, math.nan] * 100)))
