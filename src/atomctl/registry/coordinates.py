"""Which name and version something is pushed as, before any of it is believed (pure).

Verification needs to know, and nothing may be parsed out of an archive that verification has not accepted. So what the
bundles claim is asked first: verification then holds them to it, and the manifest inside must say the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from atomctl.errors import AtomError
from atomctl.registry import codes
from atomctl.registry.model import Coordinates
from atomctl.trust.formats import bundle, dsse, statement
from atomctl.trust.versions import Version
from atomctl.wpk.archive import Package, unpack

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)


def claimed_coordinates(data: bytes, bundles: Sequence[bytes]) -> Coordinates:
    """The name and version a push is about: as its bundles claim, else as the archive itself says.

    Raises:
        AtomError: REG411 neither can be read.
    """
    for claim in map(_of_bundle, bundles):
        if claim is not None:
            return claim
    try:
        return of_package(unpack(data))
    except AtomError as error:
        why = f"no bundle holds a release statement, and the archive cannot be read: {error.why}"
        raise AtomError(codes.NO_COORDINATES, why, hint=error.hint) from error


def of_package(package: Package) -> Coordinates:
    """The name and version the manifest inside carries."""
    return Coordinates(package.manifest.name, package.manifest.version)


def require_same(package: Package, wanted: Coordinates) -> None:
    """Returns if the package is what it is published as.

    Raises:
        AtomError: REG410 its manifest says something else.
    """
    inside = of_package(package)
    if inside != wanted:
        raise AtomError(codes.COORDINATES, f"{wanted} holds a manifest that says {inside}")


def checked(coordinates: Coordinates) -> Coordinates:
    """The coordinates, whose name is a DNS label and whose version is SemVer 2.

    Raises:
        AtomError: REG411 they are not.
    """
    try:
        Version.parse(coordinates.version)
    except ValueError as error:
        raise AtomError(codes.NO_COORDINATES, str(error)) from error
    if _NAME.fullmatch(coordinates.name) is None:
        raise AtomError(codes.NO_COORDINATES, f"not a workflow's name: {coordinates.name[:80]!r}")
    return coordinates


def _of_bundle(data: bytes) -> Coordinates | None:
    try:
        content = bundle.parse(data).content
        release = statement.parse(content.payload).release if isinstance(content, dsse.Envelope) else None
        return checked(Coordinates(release.name, release.version)) if release else None
    except AtomError:
        return None  # verification reads the bundle again and says what is wrong with it
