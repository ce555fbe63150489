"""Loosening what confines a container: capabilities, AppArmor, SELinux, seccomp, /proc, sysctls.

All are baseline controls of the Pod Security Standards.
"""

from __future__ import annotations

from collections.abc import Iterator

from atomctl.rules import baseline
from atomctl.rules.examples import pod
from atomctl.rules.facts import PodFacts
from atomctl.rules.model import AnyRule, Compound, Controls, Family, Hit, Rule, RuleConfig, Severity
from atomctl.rules.source import value_at

_STANDARD = "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline"
_PODS = ("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob")
_CONTROLS = Controls(("CC6.1", "CC6.8"), ("A.8.2", "A.8.9"), ("AC-6", "CM-6", "CM-7"))

_NODE_OWNING_CAPABILITIES = frozenset(
    {
        "ALL",
        "BPF",
        "DAC_READ_SEARCH",
        "NET_ADMIN",
        "PERFMON",
        "SYS_ADMIN",
        "SYS_BOOT",
        "SYS_MODULE",
        "SYS_PTRACE",
        "SYS_RAWIO",
    }
)


def _capabilities(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    for hit in baseline.capabilities(pod_facts):
        name = str(value_at(pod_facts.spec, hit.path[len(pod_facts.spec_path) :]))
        owns = name.upper().removeprefix("CAP_") in _NODE_OWNING_CAPABILITIES
        compound = frozenset({Compound.HOST_BREAKOUT}) if owns else None
        yield Hit(hit.path, hit.message, hit.object, severity=Severity.CRITICAL if owns else None, compound=compound)


def _apparmor(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    return baseline.apparmor(pod_facts)


def _selinux(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    return baseline.selinux(pod_facts, baseline.SELINUX_TYPES_1_31)


def _seccomp(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    yield from baseline.seccomp(pod_facts)
    yield from baseline.seccomp_annotations(pod_facts)


def _proc_mount(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    return baseline.proc_mount_1_35(pod_facts)


def _sysctls(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    return baseline.sysctls(pod_facts, baseline.SYSCTLS_1_37)


RULES: tuple[AnyRule, ...] = (
    Rule(
        id="dangerous-capability",
        title="A container adds a capability beyond the runtime's default set",
        severity=Severity.HIGH,
        family=Family.CONFINEMENT,
        kinds=_PODS,
        remediation="Drop ALL capabilities and add none, or only NET_BIND_SERVICE.",
        references=(_STANDARD, "https://man7.org/linux/man-pages/man7/capabilities.7.html"),
        cwe=(250, 269),
        controls=_CONTROLS,
        good=pod(container="securityContext: {capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}"),
        bad=pod(container="securityContext: {capabilities: {add: [SYS_ADMIN]}}"),
        subject=PodFacts,
        check=_capabilities,
    ),
    Rule(
        id="apparmor-off",
        title="AppArmor is switched off",
        severity=Severity.HIGH,
        family=Family.CONFINEMENT,
        kinds=_PODS,
        remediation="Remove the profile, or set its type to RuntimeDefault or Localhost.",
        references=(_STANDARD, "https://kubernetes.io/docs/tutorials/security/apparmor/"),
        cwe=(693,),
        controls=_CONTROLS,
        good=pod(container="securityContext: {appArmorProfile: {type: RuntimeDefault}}"),
        bad=pod(container="securityContext: {appArmorProfile: {type: Unconfined}}"),
        subject=PodFacts,
        check=_apparmor,
    ),
    Rule(
        id="selinux-options",
        title="SELinux options leave the container types",
        severity=Severity.HIGH,
        family=Family.CONFINEMENT,
        kinds=_PODS,
        remediation="Remove user and role; keep type to container_t, container_init_t, container_kvm_t or"
        " container_engine_t.",
        references=(_STANDARD,),
        cwe=(693,),
        controls=_CONTROLS,
        good=pod("securityContext: {seLinuxOptions: {type: container_t}}"),
        bad=pod("securityContext: {seLinuxOptions: {type: spc_t}}"),
        subject=PodFacts,
        check=_selinux,
    ),
    Rule(
        id="seccomp-off",
        title="Seccomp is switched off",
        severity=Severity.HIGH,
        family=Family.CONFINEMENT,
        kinds=_PODS,
        remediation="Set seccompProfile.type to RuntimeDefault.",
        references=(_STANDARD, "https://kubernetes.io/docs/tutorials/security/seccomp/"),
        cwe=(693,),
        controls=_CONTROLS,
        good=pod("securityContext: {seccompProfile: {type: RuntimeDefault}}"),
        bad=pod("securityContext: {seccompProfile: {type: Unconfined}}"),
        subject=PodFacts,
        check=_seccomp,
    ),
    Rule(
        id="proc-mount",
        title="/proc is mounted without the runtime's masks",
        severity=Severity.HIGH,
        family=Family.CONFINEMENT,
        kinds=_PODS,
        remediation="Remove procMount, or give the Pod a user namespace (`hostUsers: false`).",
        references=(_STANDARD,),
        cwe=(668,),
        controls=_CONTROLS,
        good=pod(container="securityContext: {procMount: Default}"),
        bad=pod(container="securityContext: {procMount: Unmasked}"),
        subject=PodFacts,
        check=_proc_mount,
    ),
    Rule(
        id="unsafe-sysctl",
        title="A sysctl reaches beyond the Pod",
        severity=Severity.HIGH,
        family=Family.CONFINEMENT,
        kinds=_PODS,
        remediation="Remove the sysctl, or have the node's administrator set it.",
        references=(_STANDARD, "https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/"),
        cwe=(15,),
        controls=_CONTROLS,
        good=pod("securityContext: {sysctls: [{name: net.ipv4.tcp_syncookies, value: '1'}]}"),
        bad=pod("securityContext: {sysctls: [{name: kernel.msgmax, value: '65536'}]}"),
        subject=PodFacts,
        check=_sysctls,
    ),
)
