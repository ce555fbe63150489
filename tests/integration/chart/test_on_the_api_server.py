"""A real API server judges what the chart renders, in a namespace that enforces `restricted`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests.servers.chart import CHART, Helm
from tests.servers.kubernetes import Kubernetes

HERE = Path(__file__).parent


def rendered(values: str, namespace: str) -> list[Mapping[str, Any]]:
    ours = [
        f"--set=jobs.namespace={namespace},jobs.createNamespace=false",
        f"--set=kubernetes.namespaces={{{namespace}}}",
    ]
    text = Helm().must("template", "atom", CHART, "-n", namespace, "--values", HERE / f"values/{values}.yaml", *ours)
    return [each for each in yaml.safe_load_all(text) if each]


@pytest.mark.parametrize("values", ["minimal", "full", "no-kubernetes"])
def test_every_object_is_valid(values: str, kubernetes: Kubernetes, restricted_namespace: str) -> None:
    text = yaml.safe_dump_all(rendered(values, restricted_namespace))
    done = kubernetes.kubectl("apply", "-n", restricted_namespace, "--dry-run=server", "-f", "-", given=text)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr


@pytest.mark.parametrize("values", ["minimal", "full", "no-kubernetes"])
def test_every_pod_is_let_in_where_restricted_is_enforced(
    values: str, kubernetes: Kubernetes, restricted_namespace: str
) -> None:
    judged = 0
    for each in rendered(values, restricted_namespace):
        if each["kind"] not in {"Deployment", "Job", "Pod"}:
            continue
        spec = dict(each["spec"] if each["kind"] == "Pod" else each["spec"]["template"]["spec"])
        spec.pop("serviceAccountName", None)  # it is looked for even in a dry run, and nothing is made here
        spec["automountServiceAccountToken"] = False
        pod = {"metadata": {"name": f"judged-{judged}"}, "spec": spec}
        path = f"/api/v1/namespaces/{restricted_namespace}/pods"
        kubernetes.request("POST", path, pod, dryRun="All")
        judged += 1
        spec["containers"] = [{**spec["containers"][0], "securityContext": {"allowPrivilegeEscalation": True}}]
        with pytest.raises(httpx.HTTPStatusError, match="403"):
            kubernetes.request("POST", path, pod, dryRun="All")
    assert judged >= 4, "server, worker, migration and test"
