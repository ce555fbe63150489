"""What a workload reaches outside the cluster, and what reaches it from there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from atomctl.rules.examples import manifest, pod
from atomctl.rules.extract import KubernetesObject
from atomctl.rules.facts import ContainerFacts, PodFacts
from atomctl.rules.hosts import HostKind, allowed, urls
from atomctl.rules.model import AnyRule, Compound, Confidence, Controls, Family, Hit, Path, Rule, RuleConfig, Severity
from atomctl.rules.shape import at, mapping, mappings, sequence, text

_PODS = ("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob")
_CONTROLS = Controls(("CC6.6", "CC6.7"), ("A.8.20", "A.8.22"), ("SC-7", "AC-4"))
_EGRESS = frozenset({Compound.EXTERNAL_EGRESS})
_EVERYWHERE = ("0.0.0.0/0", "::/0")


def _texts(container: ContainerFacts) -> Iterator[tuple[Path, str]]:
    """The places where a container is told addresses: environment, command, arguments."""
    for index, entry in mappings(container.value.get("env")):
        yield container.at("env", index, "value"), text(entry.get("value"))
    for key in ("command", "args"):
        for index, word in enumerate(sequence(container.value.get(key))):
            yield container.at(key, index), text(word)


def _calls(pod_facts: PodFacts, kind: HostKind) -> Iterator[tuple[Path, str, ContainerFacts]]:
    for container in pod_facts.containers:
        for path, value in _texts(container):
            if "://" in value:
                for url in urls(value):
                    if url.kind is kind:
                        yield path, url.host, container


def _external(pod_facts: PodFacts, config: RuleConfig) -> Iterator[Hit]:
    for path, host, container in _calls(pod_facts, HostKind.EXTERNAL):
        if not allowed(host, config.allowed_hosts):
            yield Hit(path, f"reaches {host} outside the cluster", container.label)


def _metadata(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    for path, host, container in _calls(pod_facts, HostKind.METADATA):
        yield Hit(path, f"reaches {host}, which hands out cloud credentials", container.label)


def _open_service(item: KubernetesObject, _config: RuleConfig) -> Iterator[Hit]:
    if item.kind != "Service":
        return
    kind = at(item.value, "spec", "type")
    if kind in ("LoadBalancer", "NodePort"):
        yield Hit((*item.path, "spec", "type"), f"opens the service to the outside ({kind})")
    if at(item.value, "spec", "externalIPs"):
        yield Hit((*item.path, "spec", "externalIPs"), "takes traffic of addresses that are not its own")


def _external_name(item: KubernetesObject, config: RuleConfig) -> Iterator[Hit]:
    name = text(at(item.value, "spec", "externalName"))
    if item.kind == "Service" and name and not allowed(name, config.allowed_hosts):
        yield Hit((*item.path, "spec", "externalName"), f"stands for {name} outside the cluster")


def _open_egress(item: KubernetesObject, _config: RuleConfig) -> Iterator[Hit]:
    if item.kind != "NetworkPolicy":
        return
    spec = mapping(item.value.get("spec"))
    for index, rule in mappings(spec.get("egress")):
        path: Path = (*item.path, "spec", "egress", index)
        if not rule.get("to"):
            yield Hit(path, "lets the Pods reach everything")
        for number, peer in mappings(rule.get("to")):
            cidr: Any = at(peer, "ipBlock", "cidr")
            if cidr in _EVERYWHERE:
                yield Hit((*path, "to", number, "ipBlock", "cidr"), f"lets the Pods reach {cidr}")


def _ingress_tls(item: KubernetesObject, _config: RuleConfig) -> Iterator[Hit]:
    if item.kind == "Ingress" and not at(item.value, "spec", "tls"):
        yield Hit((*item.path, "spec", "tls"), "takes requests without TLS")


RULES: tuple[AnyRule, ...] = (
    Rule(
        id="external-host-in-container",
        title="A container is told to reach a host outside the cluster",
        severity=Severity.LOW,
        confidence=Confidence.MEDIUM,
        family=Family.NETWORK,
        kinds=_PODS,
        remediation="Have the host put on the list of allowed hosts, or go through a service of the cluster.",
        references=("https://kubernetes.io/docs/concepts/services-networking/network-policies/",),
        cwe=(441,),
        controls=_CONTROLS,
        compound=_EGRESS,
        yields_to=("script-reaches-internet",),
        good=pod(container="env: [{name: API, value: 'http://api.shop.svc.cluster.local'}]"),
        bad=pod(container="env: [{name: API, value: 'https://api.example.com/v1'}]"),
        subject=PodFacts,
        check=_external,
    ),
    Rule(
        id="metadata-address-in-container",
        title="A container is told to reach the cloud's metadata service",
        severity=Severity.HIGH,
        family=Family.NETWORK,
        kinds=_PODS,
        remediation="Use workload identity; block the metadata address with a NetworkPolicy.",
        references=("https://kubernetes.io/docs/concepts/security/multi-tenancy/",),
        cwe=(918, 522),
        controls=_CONTROLS,
        bypassable=False,
        compound=frozenset({Compound.SECRET_READABLE}),
        good=pod(container="env: [{name: API, value: 'http://api.shop.svc.cluster.local'}]"),
        bad=pod(container="env: [{name: API, value: 'http://169.254.169.254/latest/meta-data/'}]"),
        subject=PodFacts,
        check=_metadata,
    ),
    Rule(
        id="service-open-to-outside",
        title="A Service is reachable from outside the cluster",
        severity=Severity.MEDIUM,
        family=Family.NETWORK,
        kinds=("Service",),
        remediation="Use type ClusterIP behind an Ingress or Gateway.",
        references=("https://kubernetes.io/docs/concepts/services-networking/service/",),
        cwe=(668,),
        controls=_CONTROLS,
        good=manifest("{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80}]}}"),
        bad=manifest("{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: LoadBalancer}}"),
        subject=KubernetesObject,
        check=_open_service,
    ),
    Rule(
        id="external-name-service",
        title="A Service stands for a host outside the cluster",
        severity=Severity.MEDIUM,
        family=Family.NETWORK,
        kinds=("Service",),
        remediation="Name the host where it is called, so that it can be reviewed and allowed.",
        references=("https://kubernetes.io/docs/concepts/services-networking/service/#externalname",),
        cwe=(441,),
        controls=_CONTROLS,
        compound=_EGRESS,
        good=manifest("{apiVersion: v1, kind: Service, metadata: {name: db}, spec: {ports: [{port: 5432}]}}"),
        bad=manifest(
            "{apiVersion: v1, kind: Service, metadata: {name: db},"
            " spec: {type: ExternalName, externalName: db.example.com}}"
        ),
        subject=KubernetesObject,
        check=_external_name,
    ),
    Rule(
        id="open-egress-policy",
        title="A NetworkPolicy lets Pods reach everything",
        severity=Severity.MEDIUM,
        family=Family.NETWORK,
        kinds=("NetworkPolicy",),
        remediation="Name the Pods, namespaces or address blocks in `to`.",
        references=("https://kubernetes.io/docs/concepts/services-networking/network-policies/",),
        cwe=(284,),
        controls=_CONTROLS,
        compound=_EGRESS,
        good=manifest(
            """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: web}
            spec: {podSelector: {}, egress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]}
            """
        ),
        bad=manifest(
            """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: web}
            spec: {podSelector: {}, egress: [{}]}
            """
        ),
        subject=KubernetesObject,
        check=_open_egress,
    ),
    Rule(
        id="ingress-without-tls",
        title="An Ingress takes requests without TLS",
        severity=Severity.LOW,
        family=Family.NETWORK,
        kinds=("Ingress",),
        remediation="Add spec.tls with the certificate's Secret.",
        references=("https://kubernetes.io/docs/concepts/services-networking/ingress/#tls",),
        cwe=(319,),
        controls=_CONTROLS,
        good=manifest(
            "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web},"
            " spec: {tls: [{secretName: web}], defaultBackend: {service: {name: web}}}}"
        ),
        bad=manifest(
            "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web},"
            " spec: {defaultBackend: {service: {name: web}}}}"
        ),
        subject=KubernetesObject,
        check=_ingress_tls,
    ),
)
