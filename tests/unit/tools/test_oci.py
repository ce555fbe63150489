"""Images made of a folder: the same content is the same image, and every digest in it is true."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
from tools.kubernetes.oci import ImageConfig, write_image

CONFIG = ImageConfig(command=["/hello"], environment={"A": "1"}, user="1000:1000", labels={"version": "1"})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "hello").write_text("hello")
    (root / "hello").symlink_to("bin/hello")
    os.mkfifo(root / "pipe")
    return root


def blobs(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as layout:
        files = {entry.name: layout.extractfile(entry) for entry in layout if entry.isfile()}
        return {name: file.read() for name, file in files.items() if file is not None}


def test_the_same_folder_is_the_same_image_at_any_time(root: Path, tmp_path: Path) -> None:
    first = write_image(tmp_path / "first.tar", "localhost/x:1", root, CONFIG)
    os.utime(root / "bin" / "hello", (1, 1))
    assert write_image(tmp_path / "second.tar", "localhost/x:1", root, CONFIG) == first
    assert (tmp_path / "first.tar").read_bytes() == (tmp_path / "second.tar").read_bytes()
    (root / "bin" / "hello").write_text("other")
    assert write_image(tmp_path / "third.tar", "localhost/x:1", root, CONFIG) != first


def test_every_digest_in_it_is_true(root: Path, tmp_path: Path) -> None:
    digest = write_image(tmp_path / "image.tar", "localhost/x:1", root, CONFIG)
    found = blobs(tmp_path / "image.tar")
    for name, data in found.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{hashlib.sha256(data).hexdigest()}"
    (listed,) = json.loads(found["index.json"])["manifests"]
    assert listed["digest"] == digest
    assert listed["annotations"]["io.containerd.image.name"] == "localhost/x:1"
    manifest = described(found, listed)
    config = described(found, manifest["config"])
    assert config["config"]["User"] == "1000:1000"
    assert config["config"]["Env"][-1] == "A=1"
    assert config["rootfs"]["diff_ids"] == [manifest["layers"][0]["digest"]]


def described(found: dict[str, bytes], descriptor: dict[str, Any]) -> Any:
    data = found[f"blobs/sha256/{descriptor['digest'].removeprefix('sha256:')}"]
    assert len(data) == descriptor["size"]
    return json.loads(data)


def test_links_are_kept_and_pipes_are_left_out(root: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "image.tar", "localhost/x:1", root, CONFIG)
    with tarfile.open(tmp_path / "image.tar") as layout:
        layer = max(layout.getmembers(), key=lambda entry: entry.size)
        with tarfile.open(fileobj=layout.extractfile(layer)) as packed:
            entries = {entry.name: entry for entry in packed}
    assert entries["hello"].linkname == "bin/hello"
    assert "pipe" not in entries


def test_a_failure_leaves_the_former_archive(root: Path, tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    archive.write_bytes(b"former")
    with pytest.raises(FileNotFoundError):
        write_image(archive, "localhost/x:1", tmp_path / "missing", CONFIG)
    assert archive.read_bytes() == b"former"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image.tar", "root"]
