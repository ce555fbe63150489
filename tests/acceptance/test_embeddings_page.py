"""The page about embeddings, line by line."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.test_pages import follow


def test_the_page_about_embeddings_works_as_written(instance_folder: Path) -> None:
    printed, _ = follow("docs/how-to/embeddings.md", instance_folder)
    assert "all-MiniLM-L6-v2@53aa51172d14 on onnxruntime, cosine 1.000000 against the reference" in printed
    assert "all-MiniLM-L6-v2@53aa51172d14 on numpy" in printed
    assert "text-embedding-3-small@provider.example: texts leave this machine" in printed
    assert "http to provider.example" in printed
