"""The restricted controls of the Pod Security Standards as predicates over one Pod.

They add to the baseline; where one is stricter than a baseline control it overrides it (see `pod_security`). Source:
https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

from __future__ import annotations

from collections.abc import Iterator

from atomctl.rules import baseline
from atomctl.rules.defaults import volume_source
from atomctl.rules.facts import PodFacts
from atomctl.rules.model import Hit
from atomctl.rules.shape import mapping, sequence

ALLOWED_SOURCES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)


def volumes(pod: PodFacts) -> Iterator[Hit]:
    """Every volume is of a kind that reaches neither the node nor a foreign network."""
    for index, volume in pod.volumes():
        source = volume_source(volume)
        if source not in ALLOWED_SOURCES and not any(volume.get(key) is not None for key in ALLOWED_SOURCES):
            yield Hit(pod.at("volumes", index, source), f"mounts a {source} volume")


def privilege_escalation(pod: PodFacts) -> Iterator[Hit]:
    """Every container says that it gains no privileges (from 1.8)."""
    for container in pod.containers:
        if container.security.get("allowPrivilegeEscalation") is not False:
            where = container.at("securityContext", "allowPrivilegeEscalation")
            yield Hit(where, "may gain privileges its parent process does not have", container.label)


def run_as_non_root(pod: PodFacts) -> Iterator[Hit]:
    """Every container must run as a user other than root."""
    of_pod = pod.security.get("runAsNonRoot")
    if of_pod is False:
        yield Hit(pod.at("securityContext", "runAsNonRoot"), "allows its containers to run as root")
    for container in pod.containers:
        own = container.security.get("runAsNonRoot")
        if own is False or (own is None and of_pod is not True):
            yield Hit(container.at("securityContext", "runAsNonRoot"), "may run as root", container.label)


def run_as_user(pod: PodFacts) -> Iterator[Hit]:
    """Nothing names user 0 (from 1.23)."""
    for context, path, label in baseline.security_contexts(pod):
        user = context.get("runAsUser")
        if user == 0 and user is not False:
            yield Hit((*path, "runAsUser"), "runs as user 0", label)


def seccomp_missing(pod: PodFacts) -> Iterator[Hit]:
    """Every container has a seccomp profile, its own or the Pod's."""
    if mapping(pod.security.get("seccompProfile")).get("type") in ("RuntimeDefault", "Localhost"):
        return
    for container in pod.containers:
        if not isinstance(container.security.get("seccompProfile"), dict):
            where = container.at("securityContext", "seccompProfile")
            yield Hit(where, "has no seccomp profile", container.label)


def seccomp(pod: PodFacts) -> Iterator[Hit]:
    """Profiles are there and confine (from 1.19)."""
    yield from baseline.seccomp(pod)
    yield from seccomp_missing(pod)


def capabilities_kept(pod: PodFacts) -> Iterator[Hit]:
    """Every container drops ALL capabilities."""
    for container in pod.containers:
        if "ALL" not in sequence(mapping(container.security.get("capabilities")).get("drop")):
            where = container.at("securityContext", "capabilities", "drop")
            yield Hit(where, "keeps capabilities it does not ask for", container.label)


def capabilities_added(pod: PodFacts) -> Iterator[Hit]:
    """Nothing but NET_BIND_SERVICE is added back."""
    for container in pod.containers:
        added = sequence(mapping(container.security.get("capabilities")).get("add"))
        for index, name in enumerate(added):
            if name != "NET_BIND_SERVICE":
                where = container.at("securityContext", "capabilities", "add", index)
                yield Hit(where, f"adds the capability {name}", container.label)


def capabilities(pod: PodFacts) -> Iterator[Hit]:
    """ALL is dropped and at most NET_BIND_SERVICE is added (from 1.22)."""
    yield from capabilities_kept(pod)
    yield from capabilities_added(pod)
