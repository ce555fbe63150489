"""The kinds of objects: those every cluster has, by table; all others by asking the cluster."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from atomctl.errors import AtomError
from atomctl.kubernetes import codes
from atomctl.kubernetes.calls import Call, Object, Patience
from atomctl.kubernetes.connection import Cluster


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object in one version of its API group."""

    group: str
    """Empty for the core group."""
    version: str
    name: str
    """As in `kind`, such as `Deployment`."""
    plural: str
    """As in URLs and roles, such as `deployments`."""
    namespaced: bool = True
    built_in: bool = field(default=True, compare=False)
    """Whether strategic merge patches are understood; custom resources take JSON merge patches."""

    @property
    def api_version(self) -> str:
        """As in `apiVersion`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        """The path all URLs of the group and version begin with."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"


_TABLE: Final = (
    Kind("", "v1", "Pod", "pods"),
    Kind("", "v1", "Service", "services"),
    Kind("", "v1", "ConfigMap", "configmaps"),
    Kind("", "v1", "Secret", "secrets"),
    Kind("", "v1", "ServiceAccount", "serviceaccounts"),
    Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    Kind("", "v1", "PersistentVolume", "persistentvolumes", namespaced=False),
    Kind("", "v1", "Namespace", "namespaces", namespaced=False),
    Kind("", "v1", "Node", "nodes", namespaced=False),
    Kind("", "v1", "Event", "events"),
    Kind("apps", "v1", "Deployment", "deployments"),
    Kind("apps", "v1", "StatefulSet", "statefulsets"),
    Kind("apps", "v1", "DaemonSet", "daemonsets"),
    Kind("apps", "v1", "ReplicaSet", "replicasets"),
    Kind("apps", "v1", "ControllerRevision", "controllerrevisions"),
    Kind("batch", "v1", "Job", "jobs"),
    Kind("batch", "v1", "CronJob", "cronjobs"),
    Kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    Kind("networking.k8s.io", "v1", "Ingress", "ingresses"),
    Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"),
    Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    Kind("rbac.authorization.k8s.io", "v1", "Role", "roles"),
    Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"),
)
_BY_NAME: Final = {kind.name: kind for kind in _TABLE}
_BY_PLURAL: Final = {kind.plural: kind for kind in _TABLE}

POD, EVENT, SECRET, JOB = (_BY_NAME[name] for name in ("Pod", "Event", "Secret", "Job"))
REPLICA_SET, CONTROLLER_REVISION = _BY_NAME["ReplicaSet"], _BY_NAME["ControllerRevision"]


def known_kind(name: str, api_version: str | None = None) -> Kind | None:
    """The kind by the table; None if only a cluster can tell."""
    kind = _BY_NAME.get(name)
    return kind if kind is not None and api_version in {None, kind.api_version} else None


def known_group(plural: str) -> str | None:
    """The API group of a resource by the table, such as `apps` of `deployments`; None if it is not in it."""
    kind = _BY_PLURAL.get(plural)
    return kind.group if kind is not None else None


class Kinds:
    """The kinds of one cluster, each asked for once; shared by all threads."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._lock = threading.Lock()
        self._found: dict[tuple[str, str | None], Kind] = {}

    def find(self, name: str, api_version: str | None, patience: Patience) -> Kind:
        """The kind of this name, in this version or in the one its group prefers.

        Raises:
            AtomError: KUB012 the cluster has none, or several groups have one and no version says which; KUB001 to
                KUB017 it cannot be asked.
        """
        known = known_kind(name, api_version) or self._found.get((name, api_version))
        if known is not None:
            return known
        versions = [api_version] if api_version else list(self._preferred_versions(patience))
        found = [kind for version in versions for kind in self._kinds_of(version, patience) if kind.name == name]
        if len(found) != 1:
            among = f" several times: {', '.join(k.api_version for k in found)}" if found else " not"
            wanted = f"{name} in {api_version}" if api_version else name
            raise AtomError(codes.NO_KIND, f"the cluster has {wanted}{among}")
        with self._lock:
            self._found[name, api_version] = found[0]
        return found[0]

    def _preferred_versions(self, patience: Patience) -> Iterator[str]:
        yield "v1"
        groups = self._cluster.ask(Call(method="GET", path="/apis", what="list the API groups"), patience)
        for group in objects_in(groups, "groups"):
            preferred = group.get("preferredVersion")
            if isinstance(preferred, dict):
                yield str(preferred["groupVersion"])

    def _kinds_of(self, api_version: str, patience: Patience) -> Iterator[Kind]:
        group, _, version = api_version.rpartition("/")
        path = f"/apis/{api_version}" if group else f"/api/{api_version}"
        call = Call(method="GET", path=path, what=f"list the kinds of {api_version}")
        try:
            listed = self._cluster.ask(call, patience)
        except AtomError as error:
            if error.code is codes.NOT_FOUND:
                return  # the group is not served, or was taken away just now
            raise
        for resource in objects_in(listed, "resources"):
            plural = str(resource["name"])
            if "/" not in plural:
                namespaced = resource.get("namespaced") is True
                yield Kind(group, version, str(resource["kind"]), plural, namespaced, built_in=False)


def objects_in(listing: Object, name: str = "items") -> list[Object]:
    """The objects of a list in an answer."""
    items = listing.get(name)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
