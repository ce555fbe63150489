"""What is asked of the cluster before a run starts: is everything permitted, and what would happen."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import UUID

from atomctl.errors import AtomError
from atomctl.kubernetes import codes
from atomctl.kubernetes.calls import Patience
from atomctl.kubernetes.permissions import Permission, declared, missing
from atomctl.runs.plan import Plan, PlannedStep, When
from atomctl.runs.steps.kubernetes.needs import namespace_of, needs_of
from atomctl.runs.steps.kubernetes.place import Place
from atomctl.runs.steps.kubernetes.preview import Planned, Preview, preview_of
from atomctl.wpk.archive import Package, extract
from atomctl.wpk.model import HandlerType, Manifest

_PERMISSIONS_SECONDS: Final = 10.0
_PREVIEW_SECONDS: Final = 20.0
_AT_ONCE: Final = 4
"""Requests that may ask the cluster at the same time: each holds a connection of the database meanwhile, and a cluster
that is slow must not take them all."""
_QUEUE_SECONDS: Final = 5.0
_NAMED: Final = 20


class ClusterChecks:
    """Asks one cluster; shared by all threads.

    Args:
        place: the cluster.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._turns = threading.BoundedSemaphore(_AT_ONCE)

    def require_permissions(self, manifest: Manifest, plan: Plan) -> None:
        """Returns if the account may do what the manifest declares and what its k8s steps do.

        Raises:
            AtomError: KUB030 permissions are missing, and which; KUB001 to KUB017 the cluster cannot be asked.
        """
        wanted = set(_wanted(manifest, plan))
        if not wanted:
            return
        with self._turn():
            lacking = missing(self._place.cluster, wanted, Patience.of(_PERMISSIONS_SECONDS))
        if lacking:
            more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
            named = ", ".join(str(permission) for permission in lacking[:_NAMED])
            raise AtomError(codes.NOT_PERMITTED, f"the account of this installation may not: {named}{more}")

    def preview(self, package: Package, plan: Plan, run_id: UUID) -> Preview | None:
        """What the plan would do to objects of the cluster; None if it changes none.

        Raises:
            AtomError: a step that is certain to run would be refused: KUB001 to KUB029, RUN651.
        """
        steps = [_planned(step) for step in plan.steps if _is_k8s(step)]
        if not steps:
            return None
        with self._turn(), tempfile.TemporaryDirectory(prefix="atom-preview-") as parent:
            folder = Path(parent) / "package"
            extract(package, folder)
            return preview_of(steps, self._place, folder, str(run_id), Patience.of(_PREVIEW_SECONDS))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One of the few turns there are.

        Raises:
            AtomError: KUB005 the others take too long.
        """
        if not self._turns.acquire(timeout=_QUEUE_SECONDS):
            raise AtomError(codes.BUSY, f"{_AT_ONCE} other requests are waiting for the cluster")
        try:
            yield
        finally:
            self._turns.release()


def _is_k8s(step: PlannedStep) -> bool:
    return step.type is HandlerType.K8S and step.when is not When.SKIPPED


def _planned(step: PlannedStep) -> Planned:
    return Planned(step=step.name, config=step.config, conditional=step.when is When.DECIDED_LATER)


def _wanted(manifest: Manifest, plan: Plan) -> Iterator[Permission]:
    steps = [step for step in (*plan.steps, *plan.rollback) if _is_k8s(step)]
    if not steps:
        return
    actions = {step.name: str(step.config.get("action")) for step in plan.steps}
    for step in steps:
        yield from needs_of(step.config, undoes=actions.get(step.compensates) if step.compensates else None)
    namespaces = sorted({found for step in steps if (found := namespace_of(step.config)) is not None}) or [""]
    for text in manifest.validation.required_permissions:
        for namespace in namespaces:
            if (permission := declared(text, namespace)) is not None:
                yield permission
