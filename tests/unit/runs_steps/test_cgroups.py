from __future__ import annotations

import os
from pathlib import Path

from atomctl.runs import cgroups

V1 = "41 24 0:36 / {root}/pids rw - cgroup cgroup rw,pids\n42 24 0:37 / {root}/memory rw - cgroup cgroup rw,memory\n"
V2 = "30 24 0:26 / {root} rw,nosuid - cgroup2 cgroup2 rw\n"


def test_version_one_gives_each_controller_its_own_group(tmp_path: Path) -> None:
    for name in ("pids", "memory/slice"):
        (tmp_path / name).mkdir(parents=True)
    found = cgroups.find(V1.format(root=tmp_path), "8:pids:/\n4:memory:/slice\n0::/\n")
    assert [(item.folder.relative_to(tmp_path), item.controllers) for item in found] == [
        (Path("pids"), frozenset({"pids"})),
        (Path("memory/slice"), frozenset({"memory"})),
    ]
    groups = cgroups.create(found, "a1", processes=64, memory_bytes=1024)
    assert groups.controllers == {"pids", "memory"}
    assert (tmp_path / "pids/atom-a1/pids.max").read_text() == "64"
    assert (tmp_path / "memory/slice/atom-a1/memory.limit_in_bytes").read_text() == "1024"


def test_version_two_counts_only_with_controllers_handed_to_its_children(tmp_path: Path) -> None:
    (tmp_path / "worker").mkdir()
    assert cgroups.find(V2.format(root=tmp_path), "0::/worker\n") == ()
    (tmp_path / "worker/cgroup.subtree_control").write_text("cpu memory pids\n")
    (hierarchy,) = cgroups.find(V2.format(root=tmp_path), "0::/worker\n")
    groups = cgroups.create((hierarchy,), "a1", processes=64, memory_bytes=1024)
    assert groups.controllers == {"pids", "memory"}
    assert (tmp_path / "worker/atom-a1/memory.max").read_text() == "1024"


def test_a_group_seen_through_a_mounted_subtree_is_found_where_it_is_seen(tmp_path: Path) -> None:
    (tmp_path / "pids/mine").mkdir(parents=True)
    mounts = f"41 24 0:36 /docker/x {tmp_path}/pids rw - cgroup cgroup rw,pids\n"
    (found,) = cgroups.find(mounts, "8:pids:/docker/x/mine\n")
    assert found.folder == tmp_path / "pids/mine"


def test_what_cannot_be_limited_is_not_claimed(tmp_path: Path) -> None:
    gone = cgroups.Hierarchy(tmp_path / "gone", 1, frozenset({"pids"}))
    assert cgroups.create((gone,), "a1", processes=1, memory_bytes=1) == cgroups.AttemptGroups()


def test_groups_that_killed_workers_left_are_swept_and_young_or_busy_ones_are_not(tmp_path: Path) -> None:
    for name in ("atom-old", "atom-young", "atom-busy", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "atom-busy" / "held").touch()
    for name in ("atom-old", "atom-busy", "other"):
        os.utime(tmp_path / name, (0, 0))
    assert cgroups.sweep((cgroups.Hierarchy(tmp_path, 1, frozenset({"pids"})),)) == 1
    assert {folder.name for folder in tmp_path.iterdir()} == {"atom-young", "atom-busy", "other"}


def test_kills_at_the_memory_limit_are_counted_in_both_versions(tmp_path: Path) -> None:
    for name, file, text in (
        ("one", "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"),
        ("two", "memory.events", "low 0\noom 1\noom_kill 1\noom_group_kill 0\n"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text(text)
    assert cgroups.AttemptGroups((tmp_path / "one", tmp_path / "two")).memory_kills() == 3
