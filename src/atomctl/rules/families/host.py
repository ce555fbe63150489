"""Reaching the node: privileged containers, the node's namespaces, paths, ports and processes.

All are baseline controls of the Pod Security Standards: whoever may do this owns the node.
"""

from __future__ import annotations

from collections.abc import Iterator

from atomctl.rules import baseline
from atomctl.rules.examples import pod
from atomctl.rules.facts import PodFacts
from atomctl.rules.model import AnyRule, Compound, Controls, Family, Hit, Rule, RuleConfig, Severity
from atomctl.rules.shape import at, text

_STANDARD = "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline"
_PODS = ("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob")
_CONTROLS = Controls(("CC6.1", "CC6.8"), ("A.8.2", "A.8.9"), ("AC-6", "CM-7", "SC-39"))
_BREAKOUT = frozenset({Compound.HOST_BREAKOUT})

_NODE_OWNING_PATHS = (
    "/", "/etc", "/proc", "/sys", "/dev", "/root", "/boot", "/home", "/usr", "/lib", "/bin", "/sbin", "/run", "/var",
    "/var/run", "/var/lib", "/var/lib/kubelet", "/var/lib/docker", "/var/lib/containerd", "/var/lib/etcd",
)  # fmt: skip
_SOCKETS = ("docker.sock", "containerd.sock", "crio.sock", "dockershim.sock", "podman.sock")


def _privileged(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    return baseline.privileged(pod_facts)


def _namespaces(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    return baseline.host_namespaces(pod_facts)


def _paths(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    for hit in baseline.host_paths(pod_facts):
        index = hit.path[-2]
        assert isinstance(index, int), "a host path hit points into the list of volumes"
        path = text(at(pod_facts.spec["volumes"][index], "hostPath", "path"))
        yield Hit(hit.path, hit.message, severity=Severity.CRITICAL if _owns_node(path) else None)


def _owns_node(path: str) -> bool:
    """Whether who can write there can take over the node; a path that climbs is judged by where it could lead."""
    plain = "/" + "/".join(part for part in path.split("/") if part not in ("", "."))
    return plain in _NODE_OWNING_PATHS or plain.endswith(_SOCKETS) or "/.." in plain


def _ports(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    return baseline.host_port(pod_facts)


def _probes(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    return baseline.host_probes(pod_facts)


def _windows(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    return baseline.windows_host_process(pod_facts)


RULES: tuple[AnyRule, ...] = (
    Rule(
        id="privileged-container",
        title="A container runs privileged",
        severity=Severity.CRITICAL,
        family=Family.HOST,
        kinds=_PODS,
        remediation="Remove `privileged: true`; add the single capability the program needs, if any.",
        references=(_STANDARD,),
        cwe=(250, 269),
        controls=_CONTROLS,
        bypassable=False,
        compound=_BREAKOUT,
        good=pod(container="securityContext: {privileged: false}"),
        bad=pod(container="securityContext: {privileged: true}"),
        subject=PodFacts,
        check=_privileged,
    ),
    Rule(
        id="host-namespace",
        title="A Pod shares a namespace of its node",
        severity=Severity.HIGH,
        family=Family.HOST,
        kinds=_PODS,
        remediation="Remove hostNetwork, hostPID and hostIPC; reach the program through a Service.",
        references=(_STANDARD,),
        cwe=(653, 668),
        controls=_CONTROLS,
        compound=_BREAKOUT,
        good=pod("hostNetwork: false"),
        bad=pod("hostPID: true"),
        subject=PodFacts,
        check=_namespaces,
    ),
    Rule(
        id="host-path",
        title="A volume is a path of the node",
        severity=Severity.HIGH,
        family=Family.HOST,
        kinds=_PODS,
        remediation="Use a PersistentVolumeClaim, a ConfigMap or an emptyDir instead of hostPath.",
        references=(_STANDARD, "https://kubernetes.io/docs/concepts/storage/volumes/#hostpath"),
        cwe=(668, 732),
        controls=_CONTROLS,
        compound=_BREAKOUT,
        good=pod(volumes="- {name: data, persistentVolumeClaim: {claimName: data}}"),
        bad=pod(volumes="- {name: data, hostPath: {path: /opt/data}}"),
        subject=PodFacts,
        check=_paths,
    ),
    Rule(
        id="host-port",
        title="A container opens a port of the node",
        severity=Severity.HIGH,
        family=Family.HOST,
        kinds=_PODS,
        remediation="Remove hostPort and publish the port with a Service.",
        references=(_STANDARD,),
        cwe=(668,),
        controls=_CONTROLS,
        good=pod(container="ports: [{containerPort: 8080}]"),
        bad=pod(container="ports: [{containerPort: 8080, hostPort: 8080}]"),
        subject=PodFacts,
        check=_ports,
    ),
    Rule(
        id="host-probe",
        title="A probe makes the node call another host",
        severity=Severity.HIGH,
        family=Family.HOST,
        kinds=_PODS,
        remediation="Remove `host` from the probe or hook: the kubelet then asks the Pod itself.",
        references=(_STANDARD,),
        cwe=(918,),
        controls=_CONTROLS,
        good=pod(container="livenessProbe: {httpGet: {port: 8080, path: /healthz}}"),
        bad=pod(container="livenessProbe: {httpGet: {port: 80, host: 169.254.169.254}}"),
        subject=PodFacts,
        check=_probes,
    ),
    Rule(
        id="windows-host-process",
        title="A Windows container is a process of the node",
        severity=Severity.CRITICAL,
        family=Family.HOST,
        kinds=_PODS,
        remediation="Remove windowsOptions.hostProcess.",
        references=(_STANDARD, "https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/"),
        cwe=(250,),
        controls=_CONTROLS,
        bypassable=False,
        compound=_BREAKOUT,
        good=pod("os: {name: windows}"),
        bad=pod("os: {name: windows}\nsecurityContext: {windowsOptions: {hostProcess: true}}"),
        subject=PodFacts,
        check=_windows,
    ),
)
