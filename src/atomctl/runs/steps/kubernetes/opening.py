"""The cluster that the settings name, for steps and for questions before a run. What speaks to it is loaded late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomctl.kubernetes.opening import open_cluster
from atomctl.settings import Settings

if TYPE_CHECKING:
    from atomctl.runs.plan import ClusterQuestions
    from atomctl.runs.steps.kubernetes.place import Place


def open_place(settings: Settings) -> Place | None:
    """Where k8s steps are carried out; None if the settings name no cluster. Nothing is sent yet.

    Raises:
        AtomError: KUB001 the credentials cannot be used.
    """
    cluster = open_cluster(settings)
    if cluster is None:
        return None
    from atomctl.runs.steps.kubernetes.place import Place

    return Place.of(cluster)


def questions_to(place: Place | None) -> ClusterQuestions | None:
    """What is asked of that place before a run starts; None if there is none."""
    if place is None:
        return None
    from atomctl.runs.steps.kubernetes.checks import ClusterChecks

    return ClusterChecks(place)
