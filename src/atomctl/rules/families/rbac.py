"""Permissions in the cluster: what a Role grants, to whom a binding gives it, and what tokens Pods carry.

Escalation paths: https://kubernetes.io/docs/concepts/security/rbac-good-practices/#kubernetes-rbac-privilege-escalation-risks
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from atomctl.rules.examples import manifest, pod
from atomctl.rules.extract import KubernetesObject
from atomctl.rules.facts import PodFacts
from atomctl.rules.model import AnyRule, Compound, Controls, Example, Family, Hit, Path, Rule, RuleConfig, Severity
from atomctl.rules.shape import mapping, mappings, sequence, text

_GUIDE = "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"
_ROLES = ("Role", "ClusterRole")
_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
_CONTROLS = Controls(("CC6.1", "CC6.3"), ("A.5.15", "A.5.18", "A.8.2"), ("AC-2", "AC-3", "AC-6"))
_ESCALATES = frozenset({Compound.CLUSTER_ESCALATION})
_READS_SECRETS = frozenset({Compound.SECRET_READABLE})

_ESCALATING_VERBS = frozenset({"escalate", "bind", "impersonate"})
_READING = frozenset({"get", "list", "watch", "*"})
_WRITING = frozenset({"create", "update", "patch", "*"})
_ESCALATING_RESOURCES: Mapping[str, str] = {
    "pods/exec": "run commands in any Pod",
    "pods/attach": "attach to any Pod",
    "pods/ephemeralcontainers": "add a container to any Pod",
    "nodes/proxy": "reach every kubelet, past the API server's audit log",
    "serviceaccounts/token": "make tokens of other accounts",
    "certificatesigningrequests/approval": "approve client certificates",
    "mutatingwebhookconfigurations": "change any object on its way in",
    "validatingwebhookconfigurations": "read any object on its way in",
}
_EVERYBODY = frozenset({"system:anonymous", "system:unauthenticated", "system:authenticated", "system:serviceaccounts"})
_ADMIN_ROLES = frozenset({"cluster-admin", "admin", "edit"})


def _role_rules(item: KubernetesObject) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    if item.kind in _ROLES:
        for index, rule in mappings(item.value.get("rules")):
            yield (*item.path, "rules", index), rule


def _words(rule: Mapping[str, Any], key: str) -> list[str]:
    return [word for word in sequence(rule.get(key)) if isinstance(word, str)]


def _wildcards(item: KubernetesObject, _config: RuleConfig) -> Iterator[Hit]:
    for path, rule in _role_rules(item):
        for key in ("verbs", "resources", "apiGroups"):
            words = _words(rule, key)
            if "*" in words and not (key == "apiGroups" and "*" not in _words(rule, "resources")):
                everything = "*" in _words(rule, "verbs") and "*" in _words(rule, "resources")
                severity = Severity.CRITICAL if everything and item.kind == "ClusterRole" else None
                compound = _ESCALATES | _READS_SECRETS if everything else None
                where = (*path, key, words.index("*"))
                yield Hit(where, f"grants every one of {key}", severity=severity, compound=compound)


def _escalation(item: KubernetesObject, _config: RuleConfig) -> Iterator[Hit]:
    for path, rule in _role_rules(item):
        for index, verb in enumerate(sequence(rule.get("verbs"))):
            if isinstance(verb, str) and verb in _ESCALATING_VERBS:
                yield Hit((*path, "verbs", index), f"grants {verb}: more rights than it has itself")
        if not _WRITING.intersection(_words(rule, "verbs")):
            continue
        for index, resource in enumerate(sequence(rule.get("resources"))):
            if isinstance(resource, str) and resource in _ESCALATING_RESOURCES:
                yield Hit((*path, "resources", index), f"grants to {_ESCALATING_RESOURCES[resource]}")


def _secrets(item: KubernetesObject, _config: RuleConfig) -> Iterator[Hit]:
    for path, rule in _role_rules(item):
        words = _words(rule, "resources")
        if "secrets" in words and _READING.intersection(_words(rule, "verbs")) and not rule.get("resourceNames"):
            scope = "of the whole cluster" if item.kind == "ClusterRole" else "of its namespace"
            severity = Severity.HIGH if item.kind == "ClusterRole" else None
            where = (*path, "resources", words.index("secrets"))
            yield Hit(where, f"grants to read every Secret {scope}", severity=severity)


def _cluster_role(item: KubernetesObject, _config: RuleConfig) -> Iterator[Hit]:
    if item.kind == "ClusterRole" and item.value.get("rules"):
        yield Hit((*item.path, "kind"), "grants permissions in every namespace it is bound in")


def _cluster_binding(item: KubernetesObject, _config: RuleConfig) -> Iterator[Hit]:
    if item.kind == "ClusterRoleBinding":
        role = text(mapping(item.value.get("roleRef")).get("name"))
        yield Hit((*item.path, "roleRef", "name"), f"gives {role or 'a role'} in the whole cluster")


def _admin(item: KubernetesObject, _config: RuleConfig) -> Iterator[Hit]:
    if item.kind not in _BINDINGS:
        return
    role = text(mapping(item.value.get("roleRef")).get("name"))
    if role in _ADMIN_ROLES and (role == "cluster-admin" or item.kind == "ClusterRoleBinding"):
        severity = Severity.CRITICAL if role == "cluster-admin" and item.kind == "ClusterRoleBinding" else None
        yield Hit((*item.path, "roleRef", "name"), f"gives the role {role}", severity=severity)


def _everybody(item: KubernetesObject, _config: RuleConfig) -> Iterator[Hit]:
    if item.kind not in _BINDINGS:
        return
    for index, subject in mappings(item.value.get("subjects")):
        name = text(subject.get("name"))
        if name in _EVERYBODY:
            yield Hit((*item.path, "subjects", index, "name"), f"gives a role to {name}")
        elif subject.get("kind") == "ServiceAccount" and name == "default":
            message = "gives a role to the account every Pod of the namespace has"
            yield Hit((*item.path, "subjects", index, "name"), message, severity=Severity.MEDIUM)


def _webhook(item: KubernetesObject, _config: RuleConfig) -> Iterator[Hit]:
    if item.kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
        yield Hit((*item.path, "kind"), "sees every object it matches on its way into the cluster")


def _token(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    if pod_facts.spec and pod_facts.spec.get("automountServiceAccountToken") is not False:
        account = text(pod_facts.spec.get("serviceAccountName")) or "default"
        where = pod_facts.at("automountServiceAccountToken")
        yield Hit(where, f"carries a token of the service account {account}")


def _role(rules: str, kind: str = "ClusterRole") -> Example:
    head = "apiVersion: rbac.authorization.k8s.io/v1\n"
    return Example(f"{head}kind: {kind}\nmetadata: {{name: operator}}\nrules:\n  - {rules}\n")


def _binding(role: str, subject: str, kind: str = "ClusterRoleBinding") -> Example:
    return manifest(
        f"apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata: {{name: operator}}\n"
        f"roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {role}}}\nsubjects:\n  - {subject}\n"
    )


_ACCOUNT = "{kind: ServiceAccount, name: operator, namespace: ops}"
_NARROW = "{apiGroups: [apps], resources: [deployments], verbs: [get, patch]}"

RULES: tuple[AnyRule, ...] = (
    Rule(
        id="rbac-wildcard",
        title="A role grants everything of a kind",
        severity=Severity.HIGH,
        family=Family.RBAC,
        kinds=_ROLES,
        remediation="Name the verbs, resources and API groups that are needed.",
        references=(_GUIDE,),
        cwe=(250, 284),
        controls=_CONTROLS,
        compound=_ESCALATES,
        good=_role(_NARROW),
        bad=_role('{apiGroups: [apps], resources: ["*"], verbs: [get]}'),
        subject=KubernetesObject,
        check=_wildcards,
    ),
    Rule(
        id="rbac-escalation",
        title="A role grants a way to more rights",
        severity=Severity.CRITICAL,
        family=Family.RBAC,
        kinds=_ROLES,
        remediation="Remove escalate, bind and impersonate, and rights to exec, tokens, node proxies and webhooks.",
        references=(_GUIDE,),
        cwe=(269, 284),
        controls=_CONTROLS,
        bypassable=False,
        compound=_ESCALATES,
        good=_role(_NARROW),
        bad=_role("{apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [escalate]}"),
        subject=KubernetesObject,
        check=_escalation,
    ),
    Rule(
        id="rbac-reads-secrets",
        title="A role grants to read every Secret",
        severity=Severity.MEDIUM,
        family=Family.RBAC,
        kinds=_ROLES,
        remediation="Name the Secrets with resourceNames, or mount the one that is needed.",
        references=(_GUIDE,),
        cwe=(200, 284),
        controls=_CONTROLS,
        compound=_READS_SECRETS,
        good=_role('{apiGroups: [""], resources: [secrets], verbs: [get], resourceNames: [db]}'),
        bad=_role('{apiGroups: [""], resources: [secrets], verbs: [list]}'),
        subject=KubernetesObject,
        check=_secrets,
    ),
    Rule(
        id="cluster-role",
        title="A package brings a ClusterRole",
        severity=Severity.MEDIUM,
        family=Family.RBAC,
        kinds=("ClusterRole",),
        remediation="Use a Role in the namespace where it is needed.",
        references=(_GUIDE,),
        cwe=(250,),
        controls=_CONTROLS,
        good=_role(_NARROW, "Role"),
        bad=_role(_NARROW),
        subject=KubernetesObject,
        check=_cluster_role,
    ),
    Rule(
        id="cluster-role-binding",
        title="A package gives a role in the whole cluster",
        severity=Severity.HIGH,
        family=Family.RBAC,
        kinds=("ClusterRoleBinding",),
        remediation="Use a RoleBinding in the namespace where it is needed.",
        references=(_GUIDE,),
        cwe=(250,),
        controls=_CONTROLS,
        compound=_ESCALATES,
        good=_binding("view", _ACCOUNT, "RoleBinding"),
        bad=_binding("view", _ACCOUNT),
        subject=KubernetesObject,
        check=_cluster_binding,
    ),
    Rule(
        id="admin-binding",
        title="A binding gives an administrator's role",
        severity=Severity.HIGH,
        family=Family.RBAC,
        kinds=_BINDINGS,
        remediation="Bind a role that holds only what is needed.",
        references=(_GUIDE,),
        cwe=(250, 269),
        controls=_CONTROLS,
        bypassable=False,
        compound=_ESCALATES | _READS_SECRETS,
        good=_binding("view", _ACCOUNT, "RoleBinding"),
        bad=_binding("cluster-admin", _ACCOUNT),
        subject=KubernetesObject,
        check=_admin,
    ),
    Rule(
        id="binding-to-everybody",
        title="A binding gives a role to everybody",
        severity=Severity.CRITICAL,
        family=Family.RBAC,
        kinds=_BINDINGS,
        remediation="Bind the role to one named service account.",
        references=(_GUIDE,),
        cwe=(284, 306),
        controls=_CONTROLS,
        bypassable=False,
        good=_binding("view", _ACCOUNT, "RoleBinding"),
        bad=_binding("view", "{kind: Group, name: 'system:unauthenticated', apiGroup: rbac.authorization.k8s.io}"),
        subject=KubernetesObject,
        check=_everybody,
    ),
    Rule(
        id="admission-webhook",
        title="A package brings an admission webhook",
        severity=Severity.HIGH,
        family=Family.RBAC,
        kinds=("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
        remediation="Use a ValidatingAdmissionPolicy, or have the webhook installed by the platform.",
        references=("https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/",),
        cwe=(284,),
        controls=_CONTROLS,
        compound=_ESCALATES,
        good=manifest("{apiVersion: v1, kind: ServiceAccount, metadata: {name: hook}}"),
        bad=manifest(
            "{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: hook}}"
        ),
        subject=KubernetesObject,
        check=_webhook,
    ),
    Rule(
        id="service-account-token",
        title="A Pod carries a token for the API server",
        severity=Severity.LOW,
        family=Family.RBAC,
        kinds=("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"),
        remediation="Set `automountServiceAccountToken: false` unless the program talks to the API server.",
        references=("https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/",),
        cwe=(522,),
        controls=_CONTROLS,
        good=pod("automountServiceAccountToken: false"),
        bad=pod("serviceAccountName: web"),
        subject=PodFacts,
        check=_token,
    ),
)
