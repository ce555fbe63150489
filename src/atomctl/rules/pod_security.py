"""The Pod Security Standards as the API server applies them: level, version, overrides.

Which control holds from which version, and which restricted control replaces which baseline one, is the table below,
after Kubernetes' `k8s.io/pod-security-admission/policy`. A version newer than the table reads as the newest in it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any, NamedTuple, TypeAlias

from atomctl.rules import baseline, restricted
from atomctl.rules.extract import objects_in, template_path
from atomctl.rules.facts import PodFacts, read_pod
from atomctl.rules.model import Hit
from atomctl.rules.shape import at, mapping

Check: TypeAlias = Callable[[PodFacts], Iterator[Hit]]
Minor: TypeAlias = int


class Level(enum.StrEnum):
    """A Pod Security level; each contains the one before."""

    PRIVILEGED = "privileged"
    BASELINE = "baseline"
    RESTRICTED = "restricted"


class Control(NamedTuple):
    """One control: its revisions by the minor version of Kubernetes 1.x that introduced them."""

    id: str
    level: Level
    revisions: tuple[tuple[Minor, Check], ...]
    overrides: str | None = None
    """The baseline control that this one replaces at its level."""

    def revision(self, minor: Minor) -> Check | None:
        """The check in force at a version, or None before its first."""
        return next((check for since, check in reversed(self.revisions) if since <= minor), None)


class Violation(NamedTuple):
    """A control that a Pod violates, and where."""

    control: str
    hits: tuple[Hit, ...]


def _unless(exempt: Callable[[PodFacts], bool], check: Check) -> Check:
    def exempting(pod: PodFacts) -> Iterator[Hit]:
        return iter(()) if exempt(pod) else check(pod)

    return exempting


def _windows(pod: PodFacts) -> bool:
    return pod.windows


def _user_namespace(pod: PodFacts) -> bool:
    return pod.user_namespace


def _baseline(name: str, *revisions: tuple[Minor, Check]) -> Control:
    return Control(name, Level.BASELINE, revisions)


def _restricted(name: str, *revisions: tuple[Minor, Check], overrides: str | None = None) -> Control:
    return Control(name, Level.RESTRICTED, revisions, overrides)


CONTROLS: tuple[Control, ...] = (
    _baseline("appArmorProfile", (0, baseline.apparmor)),
    _baseline("capabilities_baseline", (0, baseline.capabilities)),
    _baseline("hostNamespaces", (0, baseline.host_namespaces)),
    _baseline("hostPathVolumes", (0, baseline.host_paths)),
    _baseline("hostPorts", (0, baseline.host_port)),
    _baseline("hostProbesAndHostLifecycle", (34, baseline.host_probes)),
    _baseline("privileged", (0, baseline.privileged)),
    _baseline("procMount", (0, baseline.proc_mount), (35, baseline.proc_mount_1_35)),
    _baseline(
        "seLinuxOptions",
        (0, partial(baseline.selinux, types=baseline.SELINUX_TYPES_1_0)),
        (31, partial(baseline.selinux, types=baseline.SELINUX_TYPES_1_31)),
    ),
    _baseline("seccompProfile_baseline", (0, baseline.seccomp_annotations), (19, baseline.seccomp)),
    _baseline(
        "sysctls",
        (0, partial(baseline.sysctls, allowed=baseline.SYSCTLS_1_0)),
        (27, partial(baseline.sysctls, allowed=baseline.SYSCTLS_1_27)),
        (29, partial(baseline.sysctls, allowed=baseline.SYSCTLS_1_29)),
        (32, partial(baseline.sysctls, allowed=baseline.SYSCTLS_1_32)),
        (37, partial(baseline.sysctls, allowed=baseline.SYSCTLS_1_37)),
    ),
    _baseline("windowsHostProcess", (0, baseline.windows_host_process)),
    _restricted(
        "allowPrivilegeEscalation",
        (8, restricted.privilege_escalation),
        (25, _unless(_windows, restricted.privilege_escalation)),
    ),
    _restricted(
        "capabilities_restricted",
        (22, restricted.capabilities),
        (25, _unless(_windows, restricted.capabilities)),
        overrides="capabilities_baseline",
    ),
    _restricted("procMount_restricted", (35, baseline.proc_mount), overrides="procMount"),
    _restricted("restrictedVolumes", (0, restricted.volumes), overrides="hostPathVolumes"),
    _restricted(
        "runAsNonRoot",
        (0, restricted.run_as_non_root),
        (35, _unless(_user_namespace, restricted.run_as_non_root)),
    ),
    _restricted(
        "runAsUser",
        (23, restricted.run_as_user),
        (35, _unless(_user_namespace, restricted.run_as_user)),
    ),
    _restricted(
        "seccompProfile_restricted",
        (19, restricted.seccomp),
        (25, _unless(_windows, restricted.seccomp)),
        overrides="seccompProfile_baseline",
    ),
)
LATEST: Minor = max(since for control in CONTROLS for since, _ in control.revisions)


def parse_version(version: str) -> Minor:
    """The minor number of `latest`, `1.30` or `v1.30`.

    Raises:
        ValueError: anything else.
    """
    if version == "latest":
        return LATEST
    major, dot, minor = version.removeprefix("v").partition(".")
    if major != "1" or not dot or not minor.isascii() or not minor.isdigit():
        raise ValueError(f"not a Pod Security version: {version!r} (like v1.30 or latest)")
    return min(int(minor), LATEST)


@cache
def checks(level: Level, minor: Minor) -> tuple[tuple[str, Check], ...]:
    """The checks in force at a level and version, overridden ones left out, by name."""
    if level is Level.PRIVILEGED:
        return ()
    levels = {Level.BASELINE} if level is Level.BASELINE else {Level.BASELINE, Level.RESTRICTED}
    active = {c: check for c in CONTROLS if c.level in levels and (check := c.revision(minor)) is not None}
    overridden = {control.overrides for control in active}
    return tuple((control.id, check) for control, check in active.items() if control.id not in overridden)


def evaluate_facts(pod: PodFacts, level: Level, version: str = "latest") -> tuple[Violation, ...]:
    """The controls that a Pod violates; empty means the API server would admit it."""
    found = ((name, tuple(check(pod))) for name, check in checks(level, parse_version(version)))
    return tuple(Violation(name, hits) for name, hits in found if hits)


def evaluate(pod: Mapping[str, Any], level: str, version: str = "latest") -> tuple[Violation, ...]:
    """The controls that an object violates: a Pod, any kind with a Pod template, or a List of them.

    Args:
        pod: the object as plain values.
        level: `privileged`, `baseline` or `restricted`.
        version: `latest`, or the policy version such as `v1.30`.

    Raises:
        ValueError: an unknown level or version, or an object that carries no Pod.
    """
    wanted = Level(level)
    templates = [(item, path) for item in objects_in(pod) if (path := template_path(item)) is not None]
    if not templates:
        raise ValueError("the object carries no Pod")
    violations: list[Violation] = []
    for item, path in templates:
        template = mapping(at(item.value, *(str(key) for key in path)))
        violations += evaluate_facts(read_pod(template, (*item.path, *path), item), wanted, version)
    return tuple(violations)
