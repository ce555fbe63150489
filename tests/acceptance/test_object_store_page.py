"""The page about S3 and Object Lock, line by line, against a real server."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.acceptance.test_pages import follow
from tests.servers.s3 import S3Server


def test_the_page_about_the_object_store_works_as_written(
    instance_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with S3Server(tmp_path / "s3") as server:
        monkeypatch.setenv("S3_ENDPOINT", server.endpoint)
        monkeypatch.setenv("S3_ACCESS_KEY", server.access_key)
        monkeypatch.setenv("S3_SECRET_KEY", server.secret_key)
        printed, _ = follow("docs/how-to/object-store.md", instance_folder)
    assert "all 6 attacks on a locked object failed" in printed
    assert "anchored    yes" in printed
    assert server.secret_key not in printed
