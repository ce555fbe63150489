"""Which cluster the settings mean, if any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomctl.settings import Settings

if TYPE_CHECKING:
    from atomctl.kubernetes.connection import Cluster


def configured(settings: Settings) -> bool:
    """Whether the settings name a cluster. `~/.kube/config` is never taken by itself."""
    return settings.kubernetes == "in-cluster" or (settings.kubernetes is None and settings.kubeconfig is not None)


def open_cluster(settings: Settings) -> Cluster | None:
    """The cluster that the settings name; None if they name none. Nothing is sent yet.

    Raises:
        AtomError: KUB001 the credentials cannot be used.
    """
    if not configured(settings):
        return None
    from atomctl.kubernetes.connection import Cluster, Credentials

    if settings.kubernetes == "in-cluster":
        return Cluster(Credentials(None))
    return Cluster(Credentials(settings.kubeconfig, settings.kube_context))
