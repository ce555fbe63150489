"""The tutorial's second half, line by line, on the real node."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.acceptance.test_pages import follow
from tests.servers.kubernetes import Kubernetes
from tools.build import KUBERNETES


@pytest.fixture
def shop(kubernetes: Kubernetes) -> Kubernetes:
    """The node without what an earlier reader of the page left behind."""
    kubernetes.must("delete", "namespace", "shop", "--ignore-not-found", "--wait", "--timeout=60s")
    return kubernetes


def test_a_broken_deployment_is_restarted_as_the_tutorial_shows(
    shop: Kubernetes, instance_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(shop.kubeconfig))
    programs = (KUBERNETES.program("kubectl").parent,)
    printed, _ = follow("docs/tutorial/broken-deployment.md", instance_folder, programs)
    assert "SUCCEEDED" in printed
    assert "serving" in printed
    assert "Unhealthy" in printed
    assert "restarted-by" in printed
