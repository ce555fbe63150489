"""The cluster of an installation's k8s steps, with what is known of its kinds."""

from __future__ import annotations

from dataclasses import dataclass

from atomctl.kubernetes.connection import Cluster
from atomctl.kubernetes.kinds import Kinds


@dataclass(frozen=True, slots=True)
class Place:
    """One cluster, shared by all threads."""

    cluster: Cluster
    kinds: Kinds

    @classmethod
    def of(cls, cluster: Cluster) -> Place:
        """The cluster, of whose kinds nothing is known yet."""
        return cls(cluster, Kinds(cluster))
