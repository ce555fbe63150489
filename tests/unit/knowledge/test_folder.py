"""A folder gives its own Markdown, and nothing else of the machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from atomctl.errors import AtomError
from atomctl.knowledge import codes, folder
from atomctl.knowledge.folder import markdown_files, read_file
from atomctl.knowledge.pages import LARGEST


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    made = tmp_path / "pages"
    (made / "deep").mkdir(parents=True)
    (made / "b.md").write_text("# B")
    (made / "deep" / "A.MD").write_text("# A")
    (made / "picture.png").write_bytes(b"\x89PNG")
    (made / ".hidden.md").write_text("hidden")
    (made / ".git").mkdir()
    (made / ".git" / "x.md").write_text("hidden")
    return made


def refusal(pages: Path, name: str) -> object:
    with pytest.raises(AtomError) as caught:
        read_file(pages, Path(name))
    return caught.value.code


def test_markdown_is_found_in_order_and_what_is_hidden_is_not(pages: Path) -> None:
    assert markdown_files(pages) == [Path("b.md"), Path("deep/A.MD")]
    assert read_file(pages, Path("deep/A.MD")) == b"# A"


def test_a_link_out_of_the_folder_is_not_read(pages: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("secret")
    (pages / "out.md").symlink_to(tmp_path / "secret.md")
    (pages / "within.md").symlink_to(pages / "b.md")
    assert refusal(pages, "out.md") is codes.OUTSIDE
    assert read_file(pages, Path("within.md")) == b"# B"


def test_a_folder_behind_a_link_is_not_entered(pages: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.md").write_text("x")
    (pages / "linked").symlink_to(tmp_path / "other")
    assert Path("linked/x.md") not in markdown_files(pages)


def test_a_pipe_is_no_page_and_nobody_waits_for_it(pages: Path) -> None:
    os.mkfifo(pages / "pipe.md")
    assert refusal(pages, "pipe.md") is codes.BINARY


def test_a_huge_file_is_not_read_to_its_end(pages: Path) -> None:
    with (pages / "huge.md").open("wb") as file:
        file.truncate(50 * LARGEST)
    assert len(read_file(pages, Path("huge.md"))) == LARGEST + 1


def test_a_file_that_went_away_is_unreadable(pages: Path) -> None:
    (pages / "broken.md").symlink_to(pages / "nowhere.md")
    assert refusal(pages, "broken.md") is codes.UNREADABLE


def test_no_folder_no_pages_and_too_many_pages_are_said(
    pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(folder, "MOST_FILES", 1)
    for place, code in (
        (tmp_path / "none", codes.NO_FOLDER),
        (tmp_path / "empty", codes.NO_PAGES),
        (pages, codes.TOO_MANY_FILES),
    ):
        with pytest.raises(AtomError) as caught:
            markdown_files(place)
        assert caught.value.code is code
