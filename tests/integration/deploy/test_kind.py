"""`deploy/kind`: a real API server judges each object; the script runs with stand-ins for docker and kind."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import yaml
from tests.integration.deploy.compose_file import DEPLOY, images
from tests.servers.kubernetes import Kubernetes

KIND = DEPLOY / "kind"


def surroundings() -> list[dict[str, Any]]:
    """The objects of `surroundings.yaml`, with the images' names put in."""
    text = (KIND / "surroundings.yaml").read_text()
    for name, image in images().items():
        text = text.replace(f"image: {name}\n", f"image: {image}\n")
    return list(yaml.safe_load_all(text))


def test_each_image_is_one_of_the_pinned_ones() -> None:
    templates = [each["spec"]["template"]["spec"] for each in surroundings() if each["kind"] == "StatefulSet"]
    named = {
        container["image"] for pod in templates for container in [*pod["containers"], *pod.get("initContainers", ())]
    }
    assert named == {images()[name] for name in ("POSTGRES_IMAGE", "S3_IMAGE", "ATOM_IMAGE")}


@pytest.mark.parametrize(
    "workload",
    [each for each in surroundings() if each["kind"] == "StatefulSet"],
    ids=lambda it: it["metadata"]["name"],
)
def test_its_pods_are_admitted_where_only_restricted_ones_are(kubernetes: Kubernetes, workload: dict[str, Any]) -> None:
    namespace = kubernetes.create_namespace("kind", enforce="restricted")
    template = workload["spec"]["template"]
    volumes = [*template["spec"].get("volumes", ()), {"name": "data", "emptyDir": {}}]
    pod = {**template, "metadata": {"name": "judged"}, "spec": {**template["spec"], "volumes": volumes}}
    pods = f"/api/v1/namespaces/{namespace}/pods"
    try:
        kubernetes.request("POST", pods, pod, dryRun="All")
        weaker = json.loads(json.dumps(pod))
        del weaker["spec"]["securityContext"]["runAsNonRoot"]
        with pytest.raises(httpx.HTTPStatusError) as refusal:
            kubernetes.request("POST", pods, weaker, dryRun="All")
        assert "violates PodSecurity" in refusal.value.response.text
    finally:
        kubernetes.delete_namespace(namespace)


def test_each_object_is_one_that_the_api_server_takes(kubernetes: Kubernetes, namespace: str) -> None:
    given = yaml.safe_dump_all(surroundings())
    said = kubernetes.must("apply", "--dry-run=server", "--namespace", namespace, "-f", "-", given=given)
    assert said.count("created (server dry run)") == len(surroundings())
