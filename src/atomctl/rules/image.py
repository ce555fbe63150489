"""Image references taken apart, with the container runtime's defaults filled in.

Grammar: https://github.com/distribution/reference; defaults: no registry is docker.io, no tag and no digest is latest.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

DEFAULT_REGISTRY = "docker.io"
DEFAULT_TAG = "latest"
_HEX = frozenset("0123456789abcdef")
_MAX_LENGTH = 1024
_NEVER = frozenset(" ${}")


class Image(NamedTuple):
    """A reference; `tag` is empty if only a digest is given."""

    registry: str
    repository: str
    tag: str
    digest: str
    tagged: bool
    """Whether the tag is written and not filled in."""


def parse_image(reference: object) -> Image | None:
    """The parts of a reference; None if it is not one (a template counts as not one)."""
    return _parse(reference) if isinstance(reference, str) else None


@lru_cache(maxsize=1024)
def _parse(reference: str) -> Image | None:
    if not 0 < len(reference) <= _MAX_LENGTH or not _NEVER.isdisjoint(reference) or not reference.isprintable():
        return None
    name, _, digest = reference.partition("@")
    if digest and not _is_digest(digest):
        return None
    tail = name.rpartition("/")[2]
    tag = tail.partition(":")[2]
    repository = name[: -len(tag) - 1] if tag else name.removesuffix(":")
    registry, path = _registry(repository)
    if not path or path != path.lower():
        return None
    return Image(registry, path, tag or ("" if digest else DEFAULT_TAG), digest, bool(tag))


def _is_digest(digest: str) -> bool:
    algorithm, _, value = digest.partition(":")
    lengths = {"sha256": 64, "sha512": 128}
    return len(value) == lengths.get(algorithm) and _HEX.issuperset(value)


def _registry(repository: str) -> tuple[str, str]:
    first, slash, rest = repository.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first.lower(), rest
    return DEFAULT_REGISTRY, repository if slash else f"library/{repository}"
