"""Which cluster the settings mean: the one that was named, and never another one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from atomctl.errors import AtomError
from atomctl.kubernetes import codes
from atomctl.kubernetes.opening import configured, open_cluster
from atomctl.settings import load_settings


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    file = tmp_path / "kubeconfig"
    names = {"dev": "http://127.0.0.1:1", "prod": "http://127.0.0.1:2"}
    file.write_text(
        json.dumps(
            {
                "current-context": "dev",
                "clusters": [{"name": name, "cluster": {"server": url}} for name, url in names.items()],
                "users": [{"name": "me", "user": {"token": "abc"}}],
                "contexts": [{"name": n, "context": {"cluster": n, "user": "me", "namespace": n}} for n in names],
            }
        )
    )
    return file


def test_nothing_named_is_no_cluster(tmp_path: Path) -> None:
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text("{}")
    settings = load_settings(env={"HOME": str(tmp_path)})
    assert not configured(settings)
    assert open_cluster(settings) is None


def test_a_named_kubeconfig_is_used_with_its_current_context_or_another(kubeconfig: Path) -> None:
    current = open_cluster(load_settings(env={"KUBECONFIG": str(kubeconfig)}))
    assert current is not None
    assert (current.server, current.namespace) == ("http://127.0.0.1:1", "dev")
    other = open_cluster(load_settings(env={"KUBECONFIG": str(kubeconfig), "ATOM_KUBE_CONTEXT": "prod"}))
    assert other is not None
    assert (other.server, other.namespace) == ("http://127.0.0.1:2", "prod")


def test_off_is_off_whatever_else_is_set(kubeconfig: Path) -> None:
    assert open_cluster(load_settings(env={"KUBECONFIG": str(kubeconfig), "ATOM_KUBERNETES": "off"})) is None


def test_in_cluster_takes_no_file_instead(kubeconfig: Path) -> None:
    with pytest.raises(AtomError) as refused:
        open_cluster(load_settings(env={"KUBECONFIG": str(kubeconfig), "ATOM_KUBERNETES": "in-cluster"}))
    assert refused.value.code is codes.BAD_CONNECTION
    assert "service account" in refused.value.why


def test_a_file_that_is_not_there_is_no_silent_none(tmp_path: Path) -> None:
    with pytest.raises(AtomError) as refused:
        open_cluster(load_settings(env={"KUBECONFIG": str(tmp_path / "gone")}))
    assert refused.value.code is codes.BAD_CONNECTION
