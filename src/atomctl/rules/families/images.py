"""Which program a container really runs: an image that can change under its name has not been reviewed."""

from __future__ import annotations

from collections.abc import Iterator

from atomctl.rules.examples import handlers, package, pod
from atomctl.rules.facts import ContainerFacts, PodFacts
from atomctl.rules.image import Image, parse_image
from atomctl.rules.model import AnyRule, Controls, Family, Hit, Rule, RuleConfig, Severity
from atomctl.rules.subjects import PackageFacts

_GUIDE = "https://kubernetes.io/docs/concepts/containers/images/"
_PODS = ("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob")
_CONTROLS = Controls(("CC6.8", "CC8.1"), ("A.8.9", "A.8.32"), ("CM-2", "SI-7", "SR-4"))
_DIGEST = "sha256:9f1003c480699be56815db0f8146ad2e22efea85129b5b5983d0e0fb52d9ab70"


def _images(pod_facts: PodFacts) -> Iterator[tuple[ContainerFacts, Image]]:
    for container in pod_facts.containers:
        image = parse_image(container.value.get("image"))
        if image is not None:
            yield container, image


def _latest(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    for container, image in _images(pod_facts):
        if image.tag == "latest" and not image.digest:
            how = "says latest" if image.tagged else "names no tag, which means latest"
            yield Hit(container.at("image"), f"image {container.value['image']} {how}", container.label)


def _unpinned(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    for container, image in _images(pod_facts):
        if not image.digest and image.tag != "latest":
            message = f"image {container.value['image']} has a tag but no digest"
            yield Hit(container.at("image"), message, container.label)


def _untrusted(pod_facts: PodFacts, config: RuleConfig) -> Iterator[Hit]:
    if not config.trusted_registries:
        return
    for container, image in _images(pod_facts):
        if image.registry not in config.trusted_registries:
            message = f"image comes from {image.registry}, which is not a trusted registry"
            yield Hit(container.at("image"), message, container.label)


def _not_a_reference(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    for container in pod_facts.containers:
        value = container.value.get("image")
        if value is None:
            yield Hit(container.at("image"), "names no image", container.label)
        elif parse_image(value) is None:
            what = "is chosen when it runs" if "${" in str(value) else "is not an image reference"
            yield Hit(container.at("image"), f"image {str(value)[:80]} {what}", container.label)


def _runtime(found: PackageFacts, _config: RuleConfig) -> Iterator[Hit]:
    image = found.manifest.runtime.image
    parsed = parse_image(image)
    if image is not None and (parsed is None or not parsed.digest):
        yield Hit(("spec", "runtime", "image"), f"the image of Jobs, {image}, has no digest", "runtime")


RULES: tuple[AnyRule, ...] = (
    Rule(
        id="latest-image",
        title="An image has the tag latest, or none",
        severity=Severity.MEDIUM,
        family=Family.IMAGES,
        kinds=_PODS,
        remediation=f"Name the image by digest, like registry.example/web@{_DIGEST[:19]}...",
        references=(_GUIDE,),
        cwe=(1357, 829),
        controls=_CONTROLS,
        good=pod(container=f"image: registry.example/web:1.4.2@{_DIGEST}"),
        bad=pod(container="image: registry.example/web:latest"),
        subject=PodFacts,
        check=_latest,
    ),
    Rule(
        id="unpinned-image",
        title="An image has no digest",
        severity=Severity.LOW,
        family=Family.IMAGES,
        kinds=_PODS,
        remediation="Add the digest: `crane digest IMAGE` prints it.",
        references=(_GUIDE,),
        cwe=(1357, 829),
        controls=_CONTROLS,
        good=pod(container=f"image: registry.example/web@{_DIGEST}"),
        bad=pod(container="image: registry.example/web:1.4.2"),
        subject=PodFacts,
        check=_unpinned,
    ),
    Rule(
        id="untrusted-registry",
        title="An image comes from a registry that is not trusted",
        severity=Severity.MEDIUM,
        family=Family.IMAGES,
        kinds=_PODS,
        remediation="Mirror the image to a trusted registry, or have the registry added to the list.",
        references=(_GUIDE,),
        cwe=(829,),
        controls=_CONTROLS,
        good=pod(container=f"image: registry.example/web@{_DIGEST}"),
        bad=pod(container=f"image: docker.io/somebody/web@{_DIGEST}"),
        example_config=RuleConfig(trusted_registries=("registry.example",)),
        subject=PodFacts,
        check=_untrusted,
    ),
    Rule(
        id="invalid-image",
        title="An image is missing, malformed or chosen at run time",
        severity=Severity.MEDIUM,
        family=Family.IMAGES,
        kinds=_PODS,
        remediation="Write the whole reference, with its digest.",
        references=("https://github.com/distribution/reference",),
        cwe=(20,),
        controls=_CONTROLS,
        good=pod(container=f"image: registry.example/web@{_DIGEST}"),
        bad=pod(container="image: 'registry.example/Web Server'"),
        subject=PodFacts,
        check=_not_a_reference,
    ),
    Rule(
        id="unpinned-runtime-image",
        title="The image of the package's Jobs has no digest",
        severity=Severity.MEDIUM,
        family=Family.IMAGES,
        kinds=("WorkflowPackage",),
        remediation="Add the digest to spec.runtime.image.",
        references=(_GUIDE,),
        cwe=(1357, 829),
        controls=_CONTROLS,
        good=handlers("- {name: a, type: shell, config: {command: [echo, done]}}"),
        bad=package(
            """
            runtime: {type: k8s, image: registry.example/tools:1.0}
            handlers:
              - {name: a, type: shell, config: {command: [echo, done]}}
            """
        ),
        subject=PackageFacts,
        check=_runtime,
    ),
)
