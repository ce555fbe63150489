"""The verdicts of the Pod Security Standards, by level, version and override."""

from __future__ import annotations

from typing import Any

import pytest

from atomctl.rules.pod_security import CONTROLS, LATEST, Level, checks, evaluate, parse_version


def pod(spec: dict[str, Any] | None = None, container: dict[str, Any] | None = None) -> dict[str, Any]:
    main = {"name": "app", "image": "registry.example/app", **(container or {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a"},
        "spec": {"containers": [main], **(spec or {})},
    }


RESTRICTED = pod(
    {"securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}},
    {"securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}},
)


def controls(obj: dict[str, Any], level: str = "baseline", version: str = "latest") -> list[str]:
    return [violation.control for violation in evaluate(obj, level, version)]


def test_there_are_nineteen_controls() -> None:
    assert len(CONTROLS) == 19
    assert len({control.id for control in CONTROLS}) == 19


def test_a_minimal_pod_passes_baseline_and_fails_restricted() -> None:
    assert controls(pod()) == []
    assert controls(pod(), "restricted") == [
        "allowPrivilegeEscalation",
        "capabilities_restricted",
        "runAsNonRoot",
        "seccompProfile_restricted",
    ]


def test_a_hardened_pod_passes_restricted() -> None:
    assert controls(RESTRICTED, "restricted") == []


def test_privileged_allows_everything() -> None:
    assert controls(pod({"hostPID": True}, {"securityContext": {"privileged": True}}), "privileged") == []


@pytest.mark.parametrize(
    "kind",
    ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob", "PodTemplate"],
)
def test_the_verdict_is_the_same_inside_any_workload(kind: str) -> None:
    template = {"metadata": {}, "spec": pod({"hostIPC": True})["spec"]}
    wrapped: dict[str, Any] = {"kind": kind, "metadata": {"name": "a"}, "spec": {"template": template}}
    if kind == "CronJob":
        wrapped["spec"] = {"jobTemplate": {"spec": {"template": template}}}
    if kind == "PodTemplate":
        wrapped = {"kind": kind, "metadata": {"name": "a"}, "template": template}
    assert controls(wrapped) == ["hostNamespaces"]
    assert controls({"kind": "List", "items": [wrapped]}) == ["hostNamespaces"]


def test_every_kind_of_container_counts() -> None:
    for key in ("initContainers", "containers", "ephemeralContainers"):
        obj = pod({key: [{"name": "x", "image": "y", "securityContext": {"privileged": True}}]})
        assert controls(obj) == ["privileged"]


def test_a_volume_without_a_source_is_an_empty_dir() -> None:
    assert controls(pod({**RESTRICTED["spec"], "volumes": [{"name": "scratch"}]}), "restricted", "v1.0") == []


def test_a_container_port_is_a_host_port_under_host_network() -> None:
    obj = pod({"hostNetwork": True}, {"ports": [{"containerPort": 80}]})
    assert controls(obj) == ["hostNamespaces", "hostPorts"]


@pytest.mark.parametrize(
    ("obj", "level", "before", "since", "fails_before"),
    [
        (pod({"securityContext": {"sysctls": [{"name": "net.ipv4.tcp_rmem"}]}}), "baseline", "1.31", "1.32", True),
        (
            pod({"securityContext": {"seLinuxOptions": {"type": "container_engine_t"}}}),
            "baseline",
            "1.30",
            "1.31",
            True,
        ),
        (
            pod({"hostUsers": False}, {"securityContext": {"procMount": "Unmasked"}}),
            "baseline",
            "v1.34",
            "v1.35",
            True,
        ),
        (pod({}, {"livenessProbe": {"httpGet": {"host": "x", "port": 1}}}), "baseline", "1.33", "1.34", False),
        (
            pod({"os": {"name": "windows"}, "securityContext": {"runAsNonRoot": True}}),
            "restricted",
            "1.24",
            "1.25",
            True,
        ),
    ],
)
def test_a_control_changes_with_its_version(
    obj: dict[str, Any], level: str, before: str, since: str, fails_before: bool
) -> None:
    assert bool(controls(obj, level, before)) is fails_before
    assert bool(controls(obj, level, since)) is not fails_before


def test_seccomp_annotations_count_until_fields_came() -> None:
    obj = pod()
    obj["metadata"]["annotations"] = {"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}
    assert controls(obj, "baseline", "1.18") == ["seccompProfile_baseline"]
    assert controls(obj, "baseline", "1.19") == []


def test_restricted_controls_replace_the_baseline_ones_they_contain() -> None:
    names = [name for name, _ in checks(Level.RESTRICTED, LATEST)]
    assert "capabilities_baseline" not in names
    assert "hostPathVolumes" not in names
    assert "procMount" not in names
    assert "seccompProfile_baseline" not in names
    assert "capabilities_baseline" in [name for name, _ in checks(Level.RESTRICTED, 21)]


def test_hits_say_where() -> None:
    (violation,) = evaluate(pod({}, {"securityContext": {"capabilities": {"add": ["CHOWN", "SYS_ADMIN"]}}}), "baseline")
    (hit,) = violation.hits
    assert hit.path == ("spec", "containers", 0, "securityContext", "capabilities", "add", 1)
    assert hit.object == "Pod/a container app"


@pytest.mark.parametrize("version", ["2.0", "1", "v1.x", "", "1.-1"])
def test_what_is_no_version_is_refused(version: str) -> None:
    with pytest.raises(ValueError, match="not a Pod Security version"):
        parse_version(version)


def test_a_version_to_come_reads_as_the_newest_known() -> None:
    assert parse_version("v1.99") == parse_version("latest") == LATEST


def test_an_object_without_a_pod_has_no_verdict() -> None:
    with pytest.raises(ValueError, match="carries no Pod"):
        evaluate({"kind": "Service", "metadata": {"name": "a"}}, "baseline")
