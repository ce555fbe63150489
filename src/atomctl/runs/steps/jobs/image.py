"""Which image a Job runs in: pinned by digest, or one that was allowed by name. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from atomctl.errors import AtomError
from atomctl.kubernetes.calls import Object
from atomctl.kubernetes.objects import mapping
from atomctl.rules.image import parse_image
from atomctl.runs.steps.jobs import codes


@dataclass(frozen=True, slots=True)
class JobImage:
    """An image that may be run."""

    reference: str
    pinned: bool

    @property
    def pull_policy(self) -> str:
        """What has no digest is never pulled: it is what lies on the node, and nothing that a registry says."""
        return "IfNotPresent" if self.pinned else "Never"

    @property
    def warning(self) -> str | None:
        """What every attempt in an unpinned image says first in its log."""
        if self.pinned:
            return None
        return f"atom: WARNING image {self.reference} is not pinned by a digest; ATOM_JOB_LOCAL_IMAGES allows it\n"


def choose(named: str | None, default: str | None, local: Collection[str]) -> JobImage:
    """The image that the package names, else the worker's.

    Raises:
        AtomError: RUN690 nobody names one, RUN691 it has no digest and is not among the `local` ones.
    """
    reference = named or default
    if reference is None:
        raise AtomError(codes.NO_IMAGE, "spec.runtime.image and ATOM_JOB_IMAGE are both unset")
    parsed = parse_image(reference)
    if parsed is not None and parsed.digest:
        return JobImage(reference, pinned=True)
    if reference in local:
        return JobImage(reference, pinned=False)
    raise AtomError(codes.UNPINNED_IMAGE, f"image {reference} has no digest")


def image_of(job: Object) -> JobImage:
    """The image that a Job runs in."""
    spec = mapping(job, "spec", "template", "spec")
    containers = spec.get("containers")
    first = containers[0] if isinstance(containers, list) and containers else None
    reference = str(first.get("image")) if isinstance(first, dict) else ""
    parsed = parse_image(reference)
    return JobImage(reference, pinned=parsed is not None and bool(parsed.digest))
