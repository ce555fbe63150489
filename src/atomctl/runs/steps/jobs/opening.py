"""Where shell steps run as Jobs, by the settings. What speaks to a cluster is loaded late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomctl.errors import AtomError
from atomctl.runs.steps import codes
from atomctl.settings import Settings

if TYPE_CHECKING:
    from atomctl.runs.steps.jobs.place import JobPlace
    from atomctl.runs.steps.kubernetes.place import Place


def open_jobs(settings: Settings, place: Place | None) -> JobPlace | None:
    """Where Jobs run: in the cluster of k8s steps; None if there is none. Nothing is sent yet.

    Raises:
        AtomError: RUN662 every shell step is to be a Job, and there is no cluster.
    """
    always = settings.step_runtime == "k8s"
    if place is None:
        if always:
            raise AtomError(codes.NO_CONTAINERS, "ATOM_STEP_RUNTIME is k8s, and no cluster is configured")
        return None
    from atomctl.runs.steps.jobs.place import JobPlace, JobRules

    rules = JobRules(always=always, image=settings.job_image, local_images=frozenset(settings.job_local_images))
    return JobPlace.of(place.cluster, settings.job_namespace, rules)
