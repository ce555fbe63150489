"""Pages are cut by their headings, and each piece knows where it stood."""

from __future__ import annotations

from atomctl.knowledge.markdown import LONGEST, chunks_of, plain

PAGE = """\
<!-- Written by a program; do not edit. -->
# Backups

Taken each day.

## Restore
First stop the server.

```sh
# this is a comment, no heading
atomctl backup restore
```

### When it is refused
Read on.

## Restore
Another one.
"""


def test_a_chunk_knows_its_trail_and_its_anchor() -> None:
    found = [(chunk.trail, chunk.anchor) for chunk in chunks_of(PAGE, "backups")]
    assert found == [
        (("Backups",), "backups"),
        (("Backups", "Restore"), "restore"),
        (("Backups", "Restore", "When it is refused"), "when-it-is-refused"),
        (("Backups", "Restore"), "restore-1"),
    ]


def test_a_comment_in_code_is_no_heading_and_one_of_html_is_no_text() -> None:
    texts = [chunk.text for chunk in chunks_of(PAGE, "backups")]
    assert "# this is a comment, no heading" in texts[1]
    assert not any("Written by a program" in text for text in texts)


def test_a_page_without_a_title_has_its_name() -> None:
    (chunk,) = chunks_of("only text", "notes/today")
    assert (chunk.trail, chunk.anchor) == (("notes/today",), "")
    assert [chunk.trail for chunk in chunks_of("## Deep\ntext", "name")] == [("name", "Deep")]


def test_a_page_without_text_has_no_chunks() -> None:
    assert chunks_of("# Title\n\n## Empty\n<!-- nothing", "x") == ()


def test_a_long_section_is_cut_between_its_paragraphs() -> None:
    paragraphs = [f"{number} " + "word " * 60 for number in range(10)]
    chunks = chunks_of("# T\n" + "\n\n".join(paragraphs), "t")
    assert len(chunks) > 3
    assert all(len(chunk.text) <= LONGEST for chunk in chunks)
    assert "\n\n".join(chunk.text for chunk in chunks).split() == " ".join(paragraphs).split()


def test_each_part_of_a_long_table_has_the_tables_head() -> None:
    rows = [f"| {number} | {'x' * 100} |" for number in range(30)]
    chunks = chunks_of("\n".join(["| number | text |", "|---|---|", *rows]), "t")
    assert len(chunks) > 2
    assert all(chunk.text.startswith("| number | text |\n|---|---|\n| ") for chunk in chunks)
    assert sum(chunk.text.count("xxx |") for chunk in chunks) == 30


def test_a_line_without_spaces_is_cut_all_the_same() -> None:
    chunks = chunks_of("y" * (3 * LONGEST), "t")
    assert [len(chunk.text) for chunk in chunks] == [LONGEST] * 3


def test_marks_are_no_words() -> None:
    assert plain("## See **[the page](../a/b.md)** and `code` | x") == "See the page and code x"
