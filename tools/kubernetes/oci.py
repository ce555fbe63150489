"""Makes a container image of a folder: an OCI image layout in one archive, with neither a daemon nor a registry.

    python -m tools.kubernetes.oci OUT.tar localhost/web:1 ROOT --command '["python3"]' --user 1000

Format: OCI image layout 1.0.0 with one uncompressed layer. The same folder makes the same bytes, whoever owns the
machine and whatever the time: so the printed digest names the content.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TYPE = "application/vnd.oci.image"
_EPOCH = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """How a container of the image starts unless told otherwise."""

    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    """Name or `uid:gid`; root if empty."""
    folder: str = "/"
    """Where it starts."""
    labels: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The `config` object of an image configuration."""
        environment = {"PATH": SEARCH_PATH, **self.environment}
        everything = {
            "Cmd": list(self.command),
            "Entrypoint": list(self.entrypoint),
            "Env": [f"{name}={value}" for name, value in environment.items()],
            "Labels": dict(self.labels),
            "User": self.user,
            "WorkingDir": self.folder,
        }
        return {name: value for name, value in everything.items() if value}


def write_image(archive: Path, name: str, root: Path, config: ImageConfig) -> str:
    """The digest of the image `name` whose file system is `root`; afterwards `archive` holds it, whole or not at all.

    Args:
        archive: is replaced.
        name: with its tag, such as `localhost/web:1`.
        root: owners and modes are taken as they are, times are not.
        config: how its containers start.
    """
    with tempfile.TemporaryDirectory(prefix="image-", dir=archive.parent) as scratch:
        with (Path(scratch) / "layer").open("w+b") as layer:
            _pack(root, layer)
            unfinished = Path(scratch) / "image"
            digest = _write_layout(unfinished, name, layer, config)
        unfinished.replace(archive)
    return digest


def _pack(root: Path, layer: io.BufferedRandom) -> None:
    with tarfile.open(fileobj=layer, mode="w", format=tarfile.GNU_FORMAT) as packed:
        for entry in sorted(root.iterdir()):
            packed.add(entry, arcname=entry.name, filter=_reproducible)
    layer.flush()


def _reproducible(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """The entry without time and names of owners; devices and pipes are left out, the runtime makes its own."""
    entry.mtime, entry.uname, entry.gname = 0, "", ""
    return None if entry.isblk() or entry.ischr() or entry.isfifo() else entry


def _write_layout(target: Path, name: str, layer: io.BufferedRandom, config: ImageConfig) -> str:
    layer.seek(0)
    packed = _descriptor("layer.v1.tar", hashlib.file_digest(layer, "sha256").hexdigest(), layer.tell())
    image = _canonical(_configuration(packed["digest"], config))
    manifest = _canonical(
        {**_versioned("manifest.v1+json"), "config": _of("config.v1+json", image), "layers": [packed]}
    )
    listed = {**_of("manifest.v1+json", manifest), "platform": _platform(), "annotations": _names(name)}
    with tarfile.open(target, "w") as layout:
        _put(layout, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        _put(layout, "index.json", _canonical({"schemaVersion": 2, "manifests": [listed]}))
        for blob in (image, manifest):
            _put(layout, _blob_path(_sha256(blob)), blob)
        entry = tarfile.TarInfo(_blob_path(packed["digest"].removeprefix("sha256:")))
        entry.size = packed["size"]
        layer.seek(0)
        layout.addfile(entry, layer)
    return str(listed["digest"])


def _configuration(layer_digest: str, config: ImageConfig) -> dict[str, Any]:
    return {
        **_platform(),
        "created": _EPOCH,
        "config": config.to_json(),
        "rootfs": {"type": "layers", "diff_ids": [layer_digest]},
        "history": [{"created": _EPOCH, "created_by": "tools/kubernetes/oci.py"}],
    }


def _platform() -> dict[str, str]:
    machine = os.uname().machine
    return {"architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine), "os": "linux"}


def _versioned(kind: str) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": f"{_TYPE}.{kind}"}


def _names(name: str) -> dict[str, str]:
    return {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.rpartition(":")[2]}


def _of(kind: str, blob: bytes) -> dict[str, Any]:
    return _descriptor(kind, _sha256(blob), len(blob))


def _descriptor(kind: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": f"{_TYPE}.{kind}", "digest": f"sha256:{digest}", "size": size}


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True).encode()


def _sha256(blob: bytes) -> str:
    return hashlib.sha256(blob).hexdigest()


def _blob_path(digest: str) -> str:
    return f"blobs/sha256/{digest}"


def _put(layout: tarfile.TarFile, path: str, data: bytes) -> None:
    entry = tarfile.TarInfo(path)
    entry.size = len(data)
    layout.addfile(entry, io.BytesIO(data))


def main() -> int:
    parser = argparse.ArgumentParser(description="Make a container image of a folder.")
    parser.add_argument("archive", type=Path)
    parser.add_argument("name", help="with its tag, such as localhost/web:1")
    parser.add_argument("root", type=Path)
    parser.add_argument("--entrypoint", type=json.loads, default=[], help="a JSON list")
    parser.add_argument("--command", type=json.loads, default=[], help="a JSON list")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--label", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--user", default="")
    parser.add_argument("--folder", default="/")
    given = parser.parse_args()
    config = ImageConfig(
        given.entrypoint, given.command, _pairs(given.env), given.user, given.folder, _pairs(given.label)
    )
    print(given.name, write_image(given.archive, given.name, given.root, config))
    return 0


def _pairs(given: Sequence[str]) -> dict[str, str]:
    return {name: value for name, _, value in (pair.partition("=") for pair in given)}


if __name__ == "__main__":
    sys.exit(main())
