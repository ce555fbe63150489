"""A disk that runs full, an object store that goes away, a partition somebody cut: told with a code, nothing lost."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tests.fakes.past_runs import Past, ordinary
from tests.servers.requirement import require

from atomctl.dataset.service import Delivery
from atomctl.dataset.verify import verify_dataset
from atomctl.errors import AtomError, Code, ExitCode
from atomctl.objects.folder import FolderStore

Add = Callable[..., list[UUID]]
Export = Callable[..., Delivery]
NOON = datetime(2026, 7, 3, 12, tzinfo=UTC)
GONE = Code("OBJ999", "gone", "gone", "wait", ExitCode.SERVICE)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "atom-test", folder], check=False)
    require(mounted.returncode == 0, "the right to mount a tmpfs", "run as root with CAP_SYS_ADMIN")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def leave(folder: Path, room: int) -> None:
    """Only so many bytes are free afterwards."""
    ballast = folder / "ballast"
    ballast.unlink(missing_ok=True)
    with ballast.open("wb", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(b"\xff" * 4096)
    with ballast.open("r+b") as stream:
        stream.truncate(max(0, ballast.stat().st_size - room))


def export_of(folder: Path) -> dict[str, bytes]:
    """What is the export itself, not what is on its way."""
    files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: data for name, data in files.items() if not name.startswith(".atom-export/")}


def test_a_full_disk_leaves_the_last_good_export_and_the_same_command_goes_on(
    add: Add, export: Export, small_disk: Path
) -> None:
    out = small_disk / "out"
    add(*ordinary(60, every=timedelta(minutes=20)))
    export(out)
    before = export_of(out)
    add(*ordinary(60, every=timedelta(minutes=20), seed=8), Past(ended_at=NOON))
    for room in (0, 4096, 16_384, 65_536, 98_304):
        leave(small_disk, room)
        with pytest.raises(AtomError) as caught:
            export(out, refresh=True)
        assert caught.value.code.id == "DAT805", room
        assert "No space left on device" in caught.value.why
        assert export_of(out) == before
        assert verify_dataset(out).findings == ()
    (small_disk / "ballast").unlink()
    assert export(out).exported.manifest.rows == 121
    assert verify_dataset(out).findings == ()
    assert not (out / ".atom-export").exists()


def test_a_disk_that_is_full_from_the_beginning_holds_no_export_and_no_half_of_one(
    add: Add, export: Export, small_disk: Path
) -> None:
    add(*ordinary(60, every=timedelta(minutes=20)))
    for room in (0, 16_384, 32_768):
        leave(small_disk, room)
        with pytest.raises(AtomError) as caught:
            export(small_disk / "out")
        assert caught.value.code.id == "DAT805"
        assert export_of(small_disk / "out") == {}
    (small_disk / "ballast").unlink()
    assert export(small_disk / "out").exported.manifest.rows == 60


def test_an_object_store_that_goes_away_ends_the_export_and_costs_no_row(
    add: Add, export: Export, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add(*ordinary(40, every=timedelta(hours=1)))
    reads = 0
    get = FolderStore.get

    def failing(store: FolderStore, key: str) -> bytes:
        nonlocal reads
        reads += "logs/" in key
        if reads > 30:
            raise AtomError(GONE, "the store does not answer")
        return get(store, key)

    with monkeypatch.context() as patch:
        patch.setattr(FolderStore, "get", failing)
        with pytest.raises(AtomError) as caught:
            export(tmp_path / "out")
    assert caught.value.code is GONE
    assert export_of(tmp_path / "out") == {}
    made = export(tmp_path / "out").exported
    assert (made.kept, made.manifest.rows, made.manifest.dropped) == (1, 40, {})


def test_notes_of_an_interrupted_export_that_are_damaged_are_made_anew(
    add: Add, export: Export, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add(*ordinary(8, every=timedelta(hours=6)))
    export(tmp_path / "whole")
    for number, damage in enumerate([b"", b"{", b'{"day":"2026-07-01"}', b"\xff\xfe", b"[]"]):
        out = tmp_path / str(number)
        with monkeypatch.context() as patch:
            patch.setattr("atomctl.dataset.export.card", _interrupt)
            with pytest.raises(KeyboardInterrupt):
                export(out)
        (out / ".atom-export" / "2026-07-01.json").write_bytes(damage)
        assert export(out).exported.kept == 2
        assert export_of(out) == export_of(tmp_path / "whole")


def _interrupt(*_: object) -> bytes:
    raise KeyboardInterrupt
