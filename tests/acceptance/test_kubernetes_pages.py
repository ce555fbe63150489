"""The pages about Kubernetes, line by line, on a real cluster: preview, second person, failure, rollback."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.acceptance.test_pages import follow
from tests.servers.kubernetes import PYTHON_IMAGE, Kubernetes
from tools.build import KUBERNETES

PROGRAMS = (KUBERNETES.program("kubectl").parent,)


@pytest.fixture
def own_namespace(kubernetes: Kubernetes, namespace: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("NAMESPACE", namespace)
    monkeypatch.setenv("IMAGE", PYTHON_IMAGE)
    monkeypatch.setenv("KUBECONFIG", str(kubernetes.kubeconfig))
    return namespace


def test_an_account_with_few_rights_is_made_as_the_page_shows_it(own_namespace: str, instance_folder: Path) -> None:
    printed, work = follow("docs/how-to/kubernetes-permissions.md", instance_folder, PROGRAMS)
    assert "yes" in printed.splitlines()
    assert "no" in printed.splitlines()
    assert f"namespace {own_namespace}" in printed
    assert (work / "atom.kubeconfig").stat().st_mode & 0o077 == 0


def test_a_package_that_fails_in_the_cluster_is_rolled_back_as_the_page_shows_it(
    kubernetes: Kubernetes, own_namespace: str, instance_folder: Path, tmp_path: Path
) -> None:
    kubernetes.must("create", "serviceaccount", "atom", "-n", own_namespace)
    verbs, resources = "--verb=get,list,watch,create,patch", "--resource=deployments.apps,replicasets.apps,pods"
    kubernetes.must("create", "role", "atom", "-n", own_namespace, verbs, resources)
    bound = f"--serviceaccount={own_namespace}:atom"
    kubernetes.must("create", "rolebinding", "atom", "-n", own_namespace, "--role=atom", bound)
    config = kubernetes.account_kubeconfig(tmp_path, own_namespace, "atom").read_text()
    printed, _ = follow("docs/how-to/kubernetes.md", instance_folder, PROGRAMS, atom__kubeconfig=config)
    change = f"spec.template.spec.containers[web].image: {PYTHON_IMAGE} -> localhost/no-such-image:1"
    assert printed.count(change) >= 3  # planned, shown to the second person, made
    assert "ROLLED_BACK" in printed
    assert "ErrImageNeverPull" in printed or "ImagePullBackOff" in printed or "ErrImagePull" in printed
    assert f"localhost/no-such-image:1 -> {PYTHON_IMAGE}" in printed


@pytest.mark.usefixtures("own_namespace")
def test_a_step_runs_as_a_job_as_the_page_shows_it(instance_folder: Path) -> None:
    printed, _ = follow("docs/how-to/kubernetes-jobs.md", instance_folder, PROGRAMS)
    assert "uid 65534, in /package, with 2 entries" in printed
    assert "SUCCEEDED" in printed
