"""Makes ATOM's container image without docker: the same as `deploy/image/Dockerfile`, as an archive for a real node.

    python -m tools.image             make it if its inputs have changed; print name, archive and size
    python -m tools.image --version 0.1.1    another version of the same source, for tests of upgrades

Debian's minimal system with its python3 and bubblewrap, the locked wheels, and this source tree as a wheel: no
compiler, no pip, no embedded PostgreSQL. It starts as an ordinary user and needs no writable file system but its home.
The archive lies in the cache of `tools/build.py` under the digest of everything that went into it. Needs root, as
debootstrap does.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.build import BuildError, cache
from tools.kubernetes.images import make_debian
from tools.kubernetes.oci import ImageConfig, write_image

ROOT = Path(__file__).parents[1]
REPOSITORY = "localhost/atomctl"
LOCK = ROOT / "requirements/image.txt"
PACKAGES = ("bubblewrap", "ca-certificates", "python3")
"""Of Debian, beside its minimal system."""
USER, HOME = 65532, "/var/lib/atomctl"
SIZE_LIMIT = 350_000_000
"""Bytes that the unpacked image may have."""
_BASE_NUMBER = 1
"""Counted up when the Debian part has to be made anew."""
SITE = "usr/local/lib/python3.11/dist-packages"
_PYTHON = "3.11"
_PLATFORMS = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014", "linux")
_LAUNCHER = ROOT / "deploy/image/atomctl"
UNUSED = (
    "bin",  # launchers for the interpreter of this machine
    "include",
    "cel_expr_python/ext/ext_[!m]*.so",  # nothing imports them but ext_math
    "sqlalchemy/testing",
    "zstandard/_cffi*.so",  # PyPy's
)
"""Of the wheels: 40 MB that CPython or ATOM never opens. The Dockerfile removes the same."""
_SOURCES = ("src", "examples")
_FILES = ("pyproject.toml", "README.md", "LICENSE", "requirements/image.txt")
_RECIPE = ("deploy/image/atomctl", "tools/image.py", "tools/kubernetes/oci.py", "tools/kubernetes/images.py")
_PATIENCE = 1200
"""Seconds that one program may take."""


@dataclass(frozen=True, slots=True)
class Image:
    """A made image: `name` with its tag, as pods call it, and the OCI archive that holds it."""

    name: str
    archive: Path
    version: str

    @property
    def tag(self) -> str:
        """What stands behind the colon of its name."""
        return self.name.rpartition(":")[2]

    @property
    def size(self) -> int:
        """Bytes of its files, unpacked."""
        with tarfile.open(self.archive) as layout:
            largest = max((entry for entry in layout if entry.name.startswith("blobs/")), key=lambda entry: entry.size)
            layer = layout.extractfile(largest)
            with tarfile.open(fileobj=layer) as unpacked:
                return sum(entry.size for entry in unpacked)


def wanted(version: str | None = None) -> Image:
    """The image of this source tree, whether or not it is made yet.

    Args:
        version: what it says it is; None: what the program says.
    """
    own = version or _program_version()
    digest = _digest_of_inputs(own)[:12]
    return Image(f"{REPOSITORY}:{own}-{digest}", cache() / f"image-{own}-{digest}.tar", own)


def make(version: str | None = None) -> Image:
    """The image of this source tree; it is made if its inputs have changed since the last time.

    Raises:
        BuildError: a program or a package is missing, or making it failed.
    """
    image = wanted(version)
    if image.archive.exists():
        return image
    if os.geteuid() != 0:
        raise BuildError("the image needs root, as debootstrap does")
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="image-", dir=cache()) as name:
        root = Path(name) / "root"
        _unpack_base(root)
        _install(root, Path(name), image.version)
        _settle(root)
        write_image(image.archive, image.name, root, _config(image.version))
    _forget_older(image)
    return image


def _config(version: str) -> ImageConfig:
    labels = {"title": "atomctl", "version": version, "licenses": "Apache-2.0"}
    return ImageConfig(
        entrypoint=["/usr/local/bin/atomctl"],
        environment={"ATOM_HOME": HOME, "HOME": HOME, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"},
        user=f"{USER}:{USER}",
        folder="/",
        labels={f"org.opencontainers.image.{name}": value for name, value in labels.items()},
    )


def _unpack_base(root: Path) -> None:
    """Debian's part, which takes a minute and seldom changes, is kept beside the images."""
    base = cache() / f"image-base-{_BASE_NUMBER}.tar"
    if not base.exists():
        with tempfile.TemporaryDirectory(prefix="image-base-", dir=cache()) as name:
            fresh = Path(name) / "root"
            make_debian(fresh, PACKAGES)
            packed = Path(name) / "base.tar"
            _run(["tar", "-C", str(fresh), "--exclude=./dev/*", "-cf", str(packed), "."])
            packed.replace(base)
    root.mkdir()
    _run(["tar", "-C", str(root), "-xpf", str(base)])


def _install(root: Path, scratch: Path, version: str) -> None:
    """The locked wheels and the program; bytecode is made now, because nobody can write it later."""
    site = root / SITE
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    machine = os.uname().machine
    platforms = [f"--platform={platform}_{machine}" for platform in _PLATFORMS]
    target = [f"--target={site}", "--no-deps", "--no-compile", "--only-binary=:all:", f"--python-version={_PYTHON}"]
    _run([*pip, "install", *target, *platforms, "--require-hashes", "--requirement", str(LOCK)])
    _run([*pip, "wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={scratch}", str(ROOT)])
    wheel = next(scratch.glob("atomctl-*.whl"))
    _run([*pip, "install", *target, *platforms, str(wheel)])
    for pattern in UNUSED:
        for useless in site.glob(pattern):
            shutil.rmtree(useless) if useless.is_dir() else useless.unlink()
    _stamp(site / "atomctl/__init__.py", version)
    compile_ = ["python3", "-m", "compileall", "-q", "--invalidation-mode=unchecked-hash", f"/{SITE}"]
    _run(["chroot", str(root), *compile_])


def _stamp(file: Path, version: str) -> None:
    text, count = re.subn(r'^__version__ = ".*"$', f'__version__ = "{version}"', file.read_text(), flags=re.MULTILINE)
    assert count == 1, file
    file.write_text(text)


def _settle(root: Path) -> None:
    """The user, the program's name and its home; no file gives whoever starts it another user's rights."""
    with (root / "etc/passwd").open("a") as users, (root / "etc/group").open("a") as groups:
        users.write(f"atomctl:x:{USER}:{USER}::{HOME}:/usr/sbin/nologin\n")
        groups.write(f"atomctl:x:{USER}:\n")
    launcher = root / "usr/local/bin/atomctl"
    launcher.write_bytes(_LAUNCHER.read_bytes())
    launcher.chmod(0o755)
    home = root / HOME.lstrip("/")
    home.mkdir(mode=0o700)
    os.chown(home, USER, USER)
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_mode & 0o6000:
            path.chmod(path.stat().st_mode & 0o0777)


def _forget_older(image: Image) -> None:
    """Only the newest three images stay: an archive takes some 300 MB."""
    archives = sorted(cache().glob("image-[0-9]*.tar"), key=lambda file: file.stat().st_mtime)
    for old in archives[:-3]:
        if old != image.archive:
            old.unlink(missing_ok=True)


def _program_version() -> str:
    found = re.search(r'^__version__ = "(.*)"$', (ROOT / "src/atomctl/__init__.py").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def _digest_of_inputs(version: str) -> str:
    digest = hashlib.sha256(f"{version}\n{_BASE_NUMBER}\n".encode())
    for file in _inputs():
        digest.update(f"{file.relative_to(ROOT)}\n{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _inputs() -> Iterator[Path]:
    yield from (ROOT / name for name in (*_FILES, *_RECIPE))
    for folder in _SOURCES:
        files = (file for file in (ROOT / folder).rglob("*") if file.is_file() and "__pycache__" not in file.parts)
        yield from sorted(files)


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    if done.returncode != 0:
        raise BuildError(f"{Path(command[0]).name} failed:\n{(done.stdout + done.stderr)[-2000:]}")


def main() -> int:
    """0 if the image is there and small enough, else 1."""
    parser = argparse.ArgumentParser(description="Make ATOM's container image without docker.")
    parser.add_argument("--version", help="what it says it is (default: the program's own)")
    given = parser.parse_args()
    started = time.monotonic()
    try:
        image = make(given.version)
    except (BuildError, OSError, subprocess.TimeoutExpired) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    size = image.size
    print(f"{image.name}\n{image.archive}\n{size / 1e6:.0f} MB unpacked, limit {SIZE_LIMIT / 1e6:.0f} MB")
    print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)
    return 0 if size <= SIZE_LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
