"""What a container may take from its node: limits that are missing, or larger than the deployment allows."""

from __future__ import annotations

from collections.abc import Iterator

from atomctl.rules.examples import handlers, manifest, package, pod
from atomctl.rules.extract import KubernetesObject
from atomctl.rules.facts import ContainerFacts, ContainerRole, PodFacts
from atomctl.rules.model import AnyRule, Controls, Family, Hit, Path, Rule, RuleConfig, Severity
from atomctl.rules.quantity import thousandths
from atomctl.rules.shape import at, mapping, mappings
from atomctl.rules.subjects import PackageFacts

_GUIDE = "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"
_PODS = ("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob")
_CONTROLS = Controls(("A1.1", "CC7.1"), ("A.8.6",), ("SC-5", "SC-6"))
_LIMITED = "resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {cpu: 500m, memory: 256Mi}}"


def _running(pod_facts: PodFacts) -> Iterator[ContainerFacts]:
    """Ephemeral containers cannot have resources."""
    return (each for each in pod_facts.containers if each.role is not ContainerRole.EPHEMERAL)


def _asked(pod_facts: PodFacts, container: ContainerFacts, section: str, name: str) -> object:
    """What is asked for in a section, by the container or for its whole Pod."""
    own = mapping(mapping(container.value.get("resources")).get(section)).get(name)
    return own or mapping(mapping(pod_facts.spec.get("resources")).get(section)).get(name)


def _no_limit(pod_facts: PodFacts, name: str) -> Iterator[Hit]:
    for container in _running(pod_facts):
        if not _asked(pod_facts, container, "limits", name):
            yield Hit(container.at("resources", "limits", name), f"has no {name} limit", container.label)


def _memory_limit(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    return _no_limit(pod_facts, "memory")


def _cpu_limit(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    return _no_limit(pod_facts, "cpu")


def _requests(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    """A limit without a request is the request too (API server default)."""
    for container in _running(pod_facts):
        missing = [
            name
            for name in ("cpu", "memory")
            if not any(_asked(pod_facts, container, section, name) for section in ("requests", "limits"))
        ]
        if missing:
            message = f"does not say how much {' and '.join(missing)} it needs"
            yield Hit(container.at("resources", "requests"), message, container.label)


def _ceiling(name: str, config: RuleConfig) -> tuple[int, str]:
    """The most of a resource in thousandths, and in words."""
    if name == "cpu":
        return config.cpu_limit_millicores, f"{config.cpu_limit_millicores / 1000:g} CPU"
    top = config.memory_limit_bytes if name == "memory" else config.storage_limit_bytes
    return top * 1000, f"{top / (1 << 30):g}Gi"


def _above(name: str, value: object, path: Path, label: str, config: RuleConfig) -> Iterator[Hit]:
    amount = thousandths(value)
    top, words = _ceiling(name, config)
    if amount is not None and amount > top:
        yield Hit(path, f"{name} {value} is above {words}", label)


_LIMITED_NAMES = {"cpu": "cpu", "memory": "memory", "ephemeral-storage": "storage"}
_CLAIM = ("ephemeral", "volumeClaimTemplate", "spec", "resources", "requests", "storage")


def _excessive(pod_facts: PodFacts, config: RuleConfig) -> Iterator[Hit]:
    for container in _running(pod_facts):
        for section, values in mapping(container.value.get("resources")).items():
            for key, value in mapping(values).items():
                if key in _LIMITED_NAMES:
                    path = container.at("resources", section, key)
                    yield from _above(_LIMITED_NAMES[key], value, path, container.label, config)
    for index, volume in pod_facts.volumes():
        if "ephemeral" in volume:
            path = pod_facts.at("volumes", index, *_CLAIM)
            yield from _above("storage", at(volume, *_CLAIM), path, pod_facts.label, config)


def _excessive_claim(item: KubernetesObject, config: RuleConfig) -> Iterator[Hit]:
    keys = ("spec", "resources", "requests", "storage")
    if item.kind == "PersistentVolumeClaim":
        yield from _above("storage", at(item.value, *keys), (*item.path, *keys), item.label, config)
    for index, claim in mappings(at(item.value, "spec", "volumeClaimTemplates")):
        path = (*item.path, "spec", "volumeClaimTemplates", index, *keys)
        yield from _above("storage", at(claim, *keys), path, item.label, config)


def _excessive_step(found: PackageFacts, config: RuleConfig) -> Iterator[Hit]:
    needs = found.manifest.runtime.requirements
    for name, value in (("cpu", needs.cpu), ("memory", needs.memory), ("storage", needs.storage)):
        yield from _above(name, value, ("spec", "runtime", "requirements", name), "runtime", config)


def _not_a_quantity(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    for container in _running(pod_facts):
        for section in ("limits", "requests"):
            for name, value in mapping(at(container.value, "resources", section)).items():
                amount = thousandths(value)
                if (amount is None or amount < 0) and "${" not in str(value):
                    path = container.at("resources", section, name)
                    yield Hit(path, f"{name} {value} is not a quantity", container.label)


RULES: tuple[AnyRule, ...] = (
    Rule(
        id="no-memory-limit",
        title="A container has no memory limit",
        severity=Severity.MEDIUM,
        family=Family.RESOURCES,
        kinds=_PODS,
        remediation="Set resources.limits.memory to what the program needs at its peak.",
        references=(_GUIDE,),
        cwe=(770,),
        controls=_CONTROLS,
        good=pod(container=_LIMITED),
        bad=pod(container="resources: {limits: {cpu: 500m}}"),
        subject=PodFacts,
        check=_memory_limit,
    ),
    Rule(
        id="no-cpu-limit",
        title="A container has no CPU limit",
        severity=Severity.LOW,
        family=Family.RESOURCES,
        kinds=_PODS,
        remediation="Set resources.limits.cpu, so that a loop cannot take the whole node.",
        references=(_GUIDE,),
        cwe=(770,),
        controls=_CONTROLS,
        good=pod(container=_LIMITED),
        bad=pod(container="resources: {limits: {memory: 256Mi}}"),
        subject=PodFacts,
        check=_cpu_limit,
    ),
    Rule(
        id="no-resource-request",
        title="A container does not say what it needs",
        severity=Severity.LOW,
        family=Family.RESOURCES,
        kinds=_PODS,
        remediation="Set resources.requests for cpu and memory, so that the scheduler can place the Pod.",
        references=(_GUIDE,),
        cwe=(770,),
        controls=_CONTROLS,
        good=pod(container=_LIMITED),
        bad=pod(container="resources: {}"),
        subject=PodFacts,
        check=_requests,
    ),
    Rule(
        id="excessive-resources",
        title="A container asks for more than the deployment allows",
        severity=Severity.MEDIUM,
        family=Family.RESOURCES,
        kinds=_PODS,
        remediation="Ask for less, or have the limit of the deployment raised.",
        references=(_GUIDE,),
        cwe=(400, 770),
        controls=_CONTROLS,
        good=pod(container=_LIMITED),
        bad=pod(container="resources: {limits: {cpu: '64', memory: 256Mi}}"),
        subject=PodFacts,
        check=_excessive,
    ),
    Rule(
        id="excessive-storage",
        title="A volume claim asks for more than the deployment allows",
        severity=Severity.MEDIUM,
        family=Family.RESOURCES,
        kinds=("PersistentVolumeClaim", "StatefulSet"),
        remediation="Ask for less, or have the limit of the deployment raised.",
        references=("https://kubernetes.io/docs/concepts/storage/persistent-volumes/",),
        cwe=(400, 770),
        controls=_CONTROLS,
        good=manifest(
            """
            apiVersion: v1
            kind: PersistentVolumeClaim
            metadata: {name: data}
            spec: {resources: {requests: {storage: 10Gi}}}
            """
        ),
        bad=manifest(
            """
            apiVersion: v1
            kind: PersistentVolumeClaim
            metadata: {name: data}
            spec: {resources: {requests: {storage: 10Ti}}}
            """
        ),
        subject=KubernetesObject,
        check=_excessive_claim,
    ),
    Rule(
        id="excessive-step-resources",
        title="The package's steps ask for more than the deployment allows",
        severity=Severity.MEDIUM,
        family=Family.RESOURCES,
        kinds=("WorkflowPackage",),
        remediation="Lower spec.runtime.requirements, or have the limit of the deployment raised.",
        references=(_GUIDE,),
        cwe=(400, 770),
        controls=_CONTROLS,
        good=handlers("- {name: a, type: shell, config: {command: [echo, done]}}"),
        bad=package(
            """
            runtime: {type: shell, requirements: {memory: 64Gi}}
            handlers:
              - {name: a, type: shell, config: {command: [echo, done]}}
            """
        ),
        subject=PackageFacts,
        check=_excessive_step,
    ),
    Rule(
        id="invalid-quantity",
        title="A resource is not a quantity",
        severity=Severity.MEDIUM,
        family=Family.RESOURCES,
        kinds=_PODS,
        remediation="Write a number with a Kubernetes suffix: 500m, 256Mi, 1Gi.",
        references=("https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/",),
        cwe=(20,),
        controls=_CONTROLS,
        good=pod(container=_LIMITED),
        bad=pod(container="resources: {limits: {cpu: 500m, memory: 256MB}}"),
        subject=PodFacts,
        check=_not_a_quantity,
    ),
)
