"""The container image: what it holds and what it does not, and that it runs where nothing can be written."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.servers.requirement import require
from tools import debian, image

import atomctl

DOCKERFILE = (image.ROOT / "deploy/image/Dockerfile").read_text()


@dataclass(frozen=True)
class Unpacked:
    made: image.Image
    config: Mapping[str, Any]
    root: Path

    def run(self, *command: str, writable: str = "/tmp") -> subprocess.CompletedProcess[str]:
        """As a container: the image's user, its environment, nothing writable but one folder in memory."""
        config = self.config["config"]
        uid = config["User"].partition(":")[0]
        bwrap = ["bwrap", "--ro-bind", str(self.root), "/", "--tmpfs", writable, "--dev", "/dev", "--proc", "/proc"]
        bwrap += ["--chmod", "1777", writable, "--unshare-net", "--clearenv"]
        for pair in config["Env"]:
            bwrap += ["--setenv", *pair.split("=", 1)]
        user = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs", "--"]
        return subprocess.run([*bwrap, *user, *command], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unpacked]:
    require(os.geteuid() == 0, "root, which debootstrap needs", "run the tests as root")
    require(debian.tool("debootstrap").root() is not None, "debootstrap, which makes the image", "make tools")
    made = image.make()
    folder = tmp_path_factory.mktemp("image")
    with tarfile.open(made.archive) as layout:
        layout.extractall(folder / "layout", filter="data")
    index = json.loads((folder / "layout/index.json").read_bytes())
    manifest = read(folder, index["manifests"][0]["digest"])
    (layer,) = manifest["layers"]
    with tarfile.open(blob(folder, layer["digest"])) as files:
        files.extractall(folder / "root", filter="fully_trusted")  # owners and modes are looked at
    yield Unpacked(made, read(folder, manifest["config"]["digest"]), folder / "root")
    shutil.rmtree(folder)


def blob(folder: Path, digest: str) -> Path:
    return folder / "layout/blobs" / digest.replace(":", "/")


def read(folder: Path, digest: str) -> dict[str, Any]:
    return dict(json.loads(blob(folder, digest).read_bytes()))


def test_it_is_small(unpacked: Unpacked) -> None:
    print(f"{unpacked.made.name}: {unpacked.made.size / 1e6:.0f} MB unpacked")
    assert unpacked.made.size < image.SIZE_LIMIT


def test_it_says_which_version_it_is_and_starts_as_an_ordinary_user(unpacked: Unpacked) -> None:
    config = unpacked.config["config"]
    assert config["Labels"]["org.opencontainers.image.version"] == atomctl.__version__
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["/usr/local/bin/atomctl"]


def test_it_holds_no_compiler_no_installer_and_nothing_that_a_deployment_does_not_need(unpacked: Unpacked) -> None:
    names = {path.name for folder in ("usr/bin", "usr/local/bin") for path in (unpacked.root / folder).iterdir()}
    assert not {
        name for name in names if re.fullmatch(r"(.*-)?(gcc|cc|g\+\+|c\+\+|ld|as|make|go|pip3?)(-[\d.]+)?", name)
    }
    packages = {path.name.lower() for path in (unpacked.root / image.SITE).iterdir()}
    assert not {name for name in packages if name.startswith(("pip", "setuptools", "pixeltable", "torch", "onnx"))}
    assert "atomctl" in packages


def test_no_file_lends_the_rights_of_another_user(unpacked: Unpacked) -> None:
    files = (path for path in unpacked.root.rglob("*") if path.is_file() and not path.is_symlink())
    assert [str(path) for path in files if path.stat().st_mode & 0o6000] == []


def test_it_runs_with_a_read_only_root(unpacked: Unpacked) -> None:
    said = unpacked.run("atomctl", "--version")
    assert said.returncode == 0, said.stderr
    assert atomctl.__version__ in said.stdout
    whole = unpacked.run("python3", "-c", "import atomctl.server.app, atomctl.worker, atomctl.kubernetes.connection")
    assert whole.returncode == 0, whole.stderr
    refused = unpacked.run("sh", "-c", "echo > /var/lib/atomctl/file")
    assert "Read-only file system" in refused.stderr


def test_its_conditions_and_its_compression_work_without_what_was_left_out(unpacked: Unpacked) -> None:
    condition = "from atomctl.wpk.cel_engine import *; import zstandard, sqlalchemy.orm, dbos, boto3; print('works')"
    assert unpacked.run("python3", "-c", condition).stdout == "works\n"
    validated = unpacked.run("sh", "-c", "cd /tmp && atomctl init web --from restart-unhealthy && atomctl validate web")
    assert "web 1.0.0: no findings" in validated.stdout, validated.stderr


def test_the_dockerfile_makes_the_same_image() -> None:
    assert f"apt-get install --yes --no-install-recommends {' '.join(image.PACKAGES)} " in DOCKERFILE
    assert f"rm -rf {' '.join(image.UNUSED)}\n" in DOCKERFILE
    assert f"/{image.SITE}" in DOCKERFILE
    assert f"ARG VERSION={atomctl.__version__}\n" in DOCKERFILE
    assert f"USER {image.USER}:{image.USER}\n" in DOCKERFILE
    assert "ENV ATOM_HOME=/var/lib/atomctl HOME=/var/lib/atomctl PYTHONDONTWRITEBYTECODE=1" in DOCKERFILE
