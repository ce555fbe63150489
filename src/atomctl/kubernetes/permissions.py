"""What an account may do in a cluster, by asking the cluster (SelfSubjectAccessReview)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from atomctl.kubernetes.calls import Call, Patience
from atomctl.kubernetes.connection import Cluster
from atomctl.kubernetes.kinds import known_group
from atomctl.kubernetes.objects import mapping

_REVIEWS: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_DECLARED: Final = re.compile(r"(?P<resource>[^/.]+)(\.(?P<group>[^/]+))?(/(?P<sub>[^/]+))?/(?P<verb>[^/]+)")


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """One verb on one resource in one namespace."""

    group: str
    resource: str
    verb: str
    subresource: str = ""
    namespace: str = ""
    """Empty: in all namespaces, or of a cluster-wide resource."""

    def __str__(self) -> str:
        """As the manifest declares it, with the namespace: `deployments/scale/patch in namespace shop`."""
        known = known_group(self.resource) == self.group
        resource = self.resource if known or not self.group else f"{self.resource}.{self.group}"
        words = "/".join(part for part in (resource, self.subresource, self.verb) if part)
        return f"{words} in namespace {self.namespace}" if self.namespace else f"{words} in all namespaces"


def declared(text: str, namespace: str) -> Permission | None:
    """The permission that `resource/verb` or `resource/subresource/verb` names; None if the form is another.

    The group stands behind the resource, as in `deployments.apps/get`; it may be left out for what every cluster has.
    """
    parts = _DECLARED.fullmatch(text)
    if parts is None:
        return None
    group = parts["group"] if parts["group"] is not None else known_group(parts["resource"]) or ""
    return Permission(group, parts["resource"], parts["verb"], parts["sub"] or "", namespace)


def missing(cluster: Cluster, wanted: Iterable[Permission], patience: Patience) -> tuple[Permission, ...]:
    """Those of the permissions that the account of the connection does not have, in order, each asked once.

    Raises:
        AtomError: KUB001 to KUB017 the cluster cannot be asked.
        GivenUpError: it was cancelled.
    """
    return tuple(permission for permission in sorted(set(wanted)) if not _allowed(cluster, permission, patience))


def _allowed(cluster: Cluster, permission: Permission, patience: Patience) -> bool:
    attributes = {
        "group": permission.group,
        "resource": permission.resource,
        "subresource": permission.subresource,
        "verb": permission.verb,
        "namespace": permission.namespace,
    }
    call = Call(
        method="POST",
        path=_REVIEWS,
        what=f"ask whether {permission} is permitted",
        body={
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {name: value for name, value in attributes.items() if value}},
        },
    )
    return mapping(cluster.ask(call, patience), "status").get("allowed") is True
