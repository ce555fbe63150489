"""The files around a package: its bundles lie beside it."""

from __future__ import annotations

from pathlib import Path

SUFFIX = ".sigstore.json"
PACKAGE_LIMIT = 96 * 1024 * 1024
"""Bytes that are read of a package file; the format's own limits are lower and give the better message."""
BUNDLE_LIMIT = 1024 * 1024


def bundles_beside(package: Path) -> list[Path]:
    """`PACKAGE.sigstore.json` and `PACKAGE.*.sigstore.json`, sorted by name."""
    found = {package.with_name(package.name + SUFFIX), *package.parent.glob(f"{_escaped(package.name)}.*{SUFFIX}")}
    return sorted(path for path in found if path.is_file())


def free_bundle_name(package: Path) -> Path:
    """Where the next signature of `package` goes: the plain name, then `.2`, `.3`, ..."""
    candidate, number = package.with_name(package.name + SUFFIX), 1
    while candidate.exists():
        number += 1
        candidate = package.with_name(f"{package.name}.{number}{SUFFIX}")
    return candidate


def read_bounded(path: Path, limit: int) -> bytes:
    """The file's bytes, at most `limit` and one more, so that the parser sees that it is too large."""
    with path.open("rb") as stream:
        return stream.read(limit + 1)


def _escaped(name: str) -> str:
    from glob import escape

    return escape(name)
