"""`atomctl cluster keys` on a real cluster: made once, never changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.servers.kubernetes import Kubernetes

from atomctl.cli.main import run


@pytest.fixture
def place(kubernetes: Kubernetes, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A namespace that is the connection's own, by an account that may do just what the chart's hook may."""
    kubernetes.must("create", "serviceaccount", "hook", "-n", namespace)
    kubernetes.must("create", "role", "make", "-n", namespace, "--verb=create", "--resource=secrets")
    kubernetes.must(
        "create", "role", "look", "-n", namespace, "--verb=get", "--resource=secrets", "--resource-name=atom-keys"
    )
    for role in ("make", "look"):
        bound = f"--serviceaccount={namespace}:hook"
        kubernetes.must("create", "rolebinding", role, "-n", namespace, f"--role={role}", bound)
    monkeypatch.setenv("ATOM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KUBECONFIG", str(kubernetes.account_kubeconfig(tmp_path, namespace, "hook")))
    return namespace


def secret(kubernetes: Kubernetes, namespace: str) -> dict[str, Any]:
    return kubernetes.request("GET", f"/api/v1/namespaces/{namespace}/secrets/atom-keys")


def test_the_keys_are_made_once_and_a_repeat_changes_nothing(
    place: str, kubernetes: Kubernetes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["cluster", "keys", "atom-keys", "-o", "json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["made"] is True
    made = secret(kubernetes, place)
    assert set(made["data"]) == set(first["entries"]) >= {"issuer.key", "audit.key", "atom_app", "tenant"}
    assert run(["cluster", "keys", "atom-keys"]) == 0
    assert "was there, nothing was changed" in capsys.readouterr().out
    assert secret(kubernetes, place) == made


def test_a_secret_that_lacks_something_is_refused_and_left_alone(
    place: str, kubernetes: Kubernetes, capsys: pytest.CaptureFixture[str]
) -> None:
    body = {"metadata": {"name": "atom-keys"}, "stringData": {"issuer.key": "of somebody else"}}
    there = kubernetes.request("POST", f"/api/v1/namespaces/{place}/secrets", body)
    assert run(["cluster", "keys", "atom-keys"]) == 5
    said = capsys.readouterr().err
    assert "error[CLI016]" in said
    assert "audit.key" in said
    assert "of somebody else" not in said
    assert secret(kubernetes, place)["data"] == there["data"]


def test_an_account_that_may_not_is_told_so(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cluster", "keys", "other-keys"]) == 0
    assert run(["cluster", "keys", "other-keys"]) != 0  # it may read but the one
    assert "forbidden" in capsys.readouterr().err.lower()


def test_without_a_cluster_nothing_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ATOM_HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    assert run(["cluster", "keys", "atom-keys"]) == 2
    assert "no cluster is configured" in capsys.readouterr().err
