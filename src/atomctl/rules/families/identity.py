"""As whom a container runs and what it may become: the restricted controls of the Pod Security Standards."""

from __future__ import annotations

from collections.abc import Iterator

from atomctl.rules import baseline, restricted
from atomctl.rules.examples import pod
from atomctl.rules.facts import PodFacts
from atomctl.rules.model import AnyRule, Controls, Family, Hit, Rule, RuleConfig, Severity
from atomctl.rules.source import value_at

_STANDARD = "https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"
_PODS = ("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob")
_CONTROLS = Controls(("CC6.1", "CC6.3"), ("A.8.2", "A.8.9"), ("AC-6", "CM-6"))


def _non_root(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    return iter(()) if pod_facts.user_namespace else restricted.run_as_non_root(pod_facts)


def _root_user(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    return iter(()) if pod_facts.user_namespace else restricted.run_as_user(pod_facts)


def _escalation(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    return iter(()) if pod_facts.windows else restricted.privilege_escalation(pod_facts)


def _kept(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    return iter(()) if pod_facts.windows else restricted.capabilities_kept(pod_facts)


def _added(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    """What is beyond the default set is reported by `dangerous-capability` alone."""
    for hit in restricted.capabilities_added(pod_facts):
        name = value_at(pod_facts.spec, hit.path[len(pod_facts.spec_path) :])
        if isinstance(name, str) and name in baseline.DEFAULT_CAPABILITIES:
            yield hit


def _no_seccomp(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    return iter(()) if pod_facts.windows else restricted.seccomp_missing(pod_facts)


def _volumes(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    """A hostPath volume is reported by `host-path` alone."""
    return (hit for hit in restricted.volumes(pod_facts) if hit.path[-1] != "hostPath")


RULES: tuple[AnyRule, ...] = (
    Rule(
        id="may-run-as-root",
        title="A container may run as root",
        severity=Severity.MEDIUM,
        family=Family.IDENTITY,
        kinds=_PODS,
        remediation="Set `runAsNonRoot: true` in the Pod's securityContext and a numeric USER in the image.",
        references=(_STANDARD,),
        cwe=(250,),
        controls=_CONTROLS,
        good=pod("securityContext: {runAsNonRoot: true}"),
        bad=pod("securityContext: {}"),
        subject=PodFacts,
        check=_non_root,
    ),
    Rule(
        id="runs-as-user-0",
        title="A container is told to run as user 0",
        severity=Severity.MEDIUM,
        family=Family.IDENTITY,
        kinds=_PODS,
        remediation="Set runAsUser to a number above 0, or leave it out.",
        references=(_STANDARD,),
        cwe=(250,),
        controls=_CONTROLS,
        good=pod("securityContext: {runAsUser: 10001}"),
        bad=pod("securityContext: {runAsUser: 0}"),
        subject=PodFacts,
        check=_root_user,
    ),
    Rule(
        id="privilege-escalation",
        title="A container may gain privileges",
        severity=Severity.LOW,
        family=Family.IDENTITY,
        kinds=_PODS,
        remediation="Set `allowPrivilegeEscalation: false`.",
        references=(_STANDARD,),
        cwe=(269,),
        controls=_CONTROLS,
        good=pod(container="securityContext: {allowPrivilegeEscalation: false}"),
        bad=pod(container="securityContext: {allowPrivilegeEscalation: true}"),
        subject=PodFacts,
        check=_escalation,
    ),
    Rule(
        id="capabilities-kept",
        title="A container keeps the runtime's capabilities",
        severity=Severity.LOW,
        family=Family.IDENTITY,
        kinds=_PODS,
        remediation="Set `capabilities: {drop: [ALL]}`.",
        references=(_STANDARD,),
        cwe=(250,),
        controls=_CONTROLS,
        good=pod(container="securityContext: {capabilities: {drop: [ALL]}}"),
        bad=pod(container="securityContext: {capabilities: {drop: [NET_RAW]}}"),
        subject=PodFacts,
        check=_kept,
    ),
    Rule(
        id="capability-added",
        title="A container adds back a default capability",
        severity=Severity.LOW,
        family=Family.IDENTITY,
        kinds=_PODS,
        remediation="Add only NET_BIND_SERVICE, or nothing.",
        references=(_STANDARD,),
        cwe=(250,),
        controls=_CONTROLS,
        good=pod(container="securityContext: {capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}"),
        bad=pod(container="securityContext: {capabilities: {drop: [ALL], add: [CHOWN]}}"),
        subject=PodFacts,
        check=_added,
    ),
    Rule(
        id="no-seccomp-profile",
        title="A container has no seccomp profile",
        severity=Severity.LOW,
        family=Family.IDENTITY,
        kinds=_PODS,
        remediation="Set `seccompProfile: {type: RuntimeDefault}` in the Pod's securityContext.",
        references=(_STANDARD,),
        cwe=(693,),
        controls=_CONTROLS,
        good=pod("securityContext: {seccompProfile: {type: RuntimeDefault}}"),
        bad=pod("securityContext: {runAsNonRoot: true}"),
        subject=PodFacts,
        check=_no_seccomp,
    ),
    Rule(
        id="restricted-volume",
        title="A volume is of a kind that reaches the node or another network",
        severity=Severity.MEDIUM,
        family=Family.IDENTITY,
        kinds=_PODS,
        remediation="Use a PersistentVolumeClaim, CSI, ephemeral, projected, configMap, secret or emptyDir volume.",
        references=(_STANDARD,),
        cwe=(668,),
        controls=_CONTROLS,
        good=pod(volumes="- {name: data, emptyDir: {sizeLimit: 1Gi}}"),
        bad=pod(volumes="- {name: data, nfs: {server: nfs.example, path: /}}"),
        subject=PodFacts,
        check=_volumes,
    ),
)
