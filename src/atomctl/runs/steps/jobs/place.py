"""Where shell steps run as Jobs, and what the worker says about them."""

from __future__ import annotations

from dataclasses import dataclass, field

from atomctl.kubernetes.connection import Cluster
from atomctl.runs.steps.jobs.desk import JobDesk
from atomctl.wpk.model import RuntimeType


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRules:
    """What a worker says about Jobs.

    Attributes:
        always: whether every shell step is a Job, whatever its package says.
        image: the image where a package names none.
        local_images: images without a digest that are allowed, because they exist on the node alone.
    """

    always: bool = False
    image: str | None = None
    local_images: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class JobPlace:
    """One namespace of one cluster; shared by all threads of a worker."""

    desk: JobDesk
    rules: JobRules = field(default_factory=JobRules)

    @classmethod
    def of(cls, cluster: Cluster, namespace: str | None, rules: JobRules) -> JobPlace:
        """The place in this namespace, or in the one that the connection names."""
        return cls(JobDesk(cluster, namespace or cluster.namespace), rules)

    def takes(self, runtime: RuntimeType) -> bool:
        """Whether shell steps of packages with this runtime are Jobs here."""
        return self.rules.always or runtime is not RuntimeType.SHELL
