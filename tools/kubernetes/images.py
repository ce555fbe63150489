"""Makes the two images that every node starts with, from Go and Debian's packages: nothing is pulled from anywhere.

    python -m tools.kubernetes.images    make what is missing

`localhost/pause:1` keeps a pod's namespaces, `localhost/py:1` is this machine's Debian with python3, for the pods of
tests. Debian's part needs root, as the node does; for anybody else it is left out, which is said.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools import debian
from tools.build import BuildError, cache, go_environment
from tools.kubernetes.oci import ImageConfig, write_image

FOLDER_NAME = "kubernetes-images-1"
PAUSE, PYTHON = "localhost/pause:1", "localhost/py:1"
_PAUSE_SOURCE = Path(__file__).parent / "pause"
_PATIENCE = 1200
"""Seconds that one program may take."""


def folder() -> Path:
    """Where the images lie."""
    return cache() / FOLDER_NAME


def archives() -> tuple[Path, Path]:
    """Where `PAUSE` and `PYTHON` lie, or would lie."""
    return folder() / "pause.tar", folder() / "py.tar"


def make_pause(archive: Path) -> None:
    """Afterwards `archive` holds `PAUSE`, one static program.

    Raises:
        BuildError: there is no Go, or it does not build.
    """
    go = shutil.which("go")
    if go is None:
        raise BuildError("Go is needed to build the pause image: install it from https://go.dev/dl")
    with tempfile.TemporaryDirectory(prefix="pause-", dir=cache()) as name:
        scratch = Path(name)
        root = scratch / "root"
        root.mkdir()
        command = [go, "build", "-ldflags", "-s -w", "-o", str(root / "pause"), "."]
        _run(command, go_environment(scratch), _PAUSE_SOURCE)
        write_image(archive, PAUSE, root, ImageConfig(entrypoint=["/pause"], user="65535:65535"))


def make_python(archive: Path) -> None:
    """Afterwards `archive` holds `PYTHON`, a minimal Debian of this machine's release.

    Raises:
        BuildError: debootstrap or a mirror is missing, or it failed.
    """
    with tempfile.TemporaryDirectory(prefix="py-", dir=cache()) as name:
        root = Path(name) / "root"
        make_debian(root, ["python3"])
        write_image(archive, PYTHON, root, ImageConfig(command=["python3"]))


def make_debian(root: Path, packages: Sequence[str]) -> None:
    """Afterwards `root`, which is made, holds a minimal Debian of this machine's release with further packages.

    Raises:
        BuildError: debootstrap or a mirror is missing, or it failed.
    """
    tool = debian.tool("debootstrap")
    debian_root = tool.root()
    if debian_root is None:
        raise BuildError("debootstrap is missing; try: python -m tools.debian debootstrap")
    release = _release()
    environment = {**os.environ, "DEBOOTSTRAP_DIR": str(debian_root / "usr/share/debootstrap"), "LC_ALL": "C"}
    included = f"--include={','.join(packages)}"
    command = [str(tool.program("debootstrap")), "--variant=minbase", included, release, str(root)]
    _run([*command, _mirror(release)], environment, root.parent)
    for useless in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"):
        _empty(root / useless)
    (root / "etc/resolv.conf").unlink(missing_ok=True)


def _release() -> str:
    """The code name of this Debian. Format: os-release(5)."""
    named = re.search(r"^VERSION_CODENAME=(\w+)$", Path("/etc/os-release").read_text(), re.MULTILINE)
    if named is None:
        raise BuildError("/etc/os-release names no release of Debian")
    return named[1]


def _mirror(release: str) -> str:
    """Where this machine's apt gets its packages."""
    wanted = ["Origin: Debian", f"Codename: {release}", "Created-By: Packages"]
    found = _run(["apt-get", "indextargets", "--format", "$(REPO_URI)", *wanted], os.environ, Path("/")).split()
    if not found:
        raise BuildError(f"the package lists name no mirror of {release}; try: sudo apt-get update")
    return found[0]


def _empty(path: Path) -> None:
    for entry in path.iterdir() if path.is_dir() else ():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _run(command: Sequence[str], environment: Mapping[str, str], where: Path) -> str:
    done = subprocess.run(
        command, cwd=where, env=environment, capture_output=True, text=True, check=False, timeout=_PATIENCE
    )
    if done.returncode != 0:
        raise BuildError(f"{Path(command[0]).name} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    """0 if all images are there afterwards or cannot be used here, else 1."""
    pause, python = archives()
    missing = [archive for archive in (pause, python) if not archive.exists()]
    if missing and os.geteuid() != 0:
        _say("images of the Kubernetes node: left out, they need root, as the node does")
        return 0
    folder().mkdir(parents=True, exist_ok=True)
    try:
        for archive, make, name in ((pause, make_pause, PAUSE), (python, make_python, PYTHON)):
            if archive in missing:
                _say(f"{name}: making it, under a minute")
                make(archive)
            _say(f"{name}: there, {archive}")
    except (BuildError, OSError, subprocess.TimeoutExpired) as error:
        _say(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
