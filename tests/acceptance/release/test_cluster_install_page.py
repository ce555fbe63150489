"""The page about installing in a cluster, line by line, on a real node, by Helm itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.acceptance.test_pages import ROOT, follow
from tests.servers.chart import outside
from tests.servers.kubernetes import Kubernetes
from tools.build import KUBERNETES, tool

PROGRAMS = (KUBERNETES.program("kubectl").parent, tool("helm").binary.parent)


def test_atom_is_installed_upgraded_and_uninstalled_as_the_page_shows_it(
    kubernetes: Kubernetes, instance_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace = kubernetes.create_namespace("page")
    kubernetes.delete_namespace(namespace)  # a name that nobody else has; the page makes the namespace
    kubernetes.must("wait", "--for=delete", f"namespace/{namespace}", "--timeout=60s")
    with outside(kubernetes) as found:
        admin = found.postgres.admin
        assert admin.password is not None
        named = {
            "NAMESPACE": namespace,
            "KUBECONFIG": str(kubernetes.kubeconfig),
            "CHART": str(ROOT / "deploy/helm/atom"),
            "REPOSITORY": found.image.name.rpartition(":")[0],
            "TAG": found.image.tag,
            "DATABASE_HOST": found.postgres.host,
            "DATABASE_PORT": str(found.postgres.port),
            "S3_ENDPOINT": found.s3.endpoint,
        }
        for name, value in named.items():
            monkeypatch.setenv(name, value)
        files = {
            "database__user": admin.user,
            "database__password": admin.password,
            "s3__access_key": found.s3.access_key,
            "s3__secret_key": found.s3.secret_key,
        }
        try:
            printed, work = follow("docs/how-to/cluster-install.md", instance_folder, PROGRAMS, patience=170, **files)
        finally:
            kubernetes.delete_namespace(namespace)
    assert "ada in tenant default" in printed
    assert "successfully rolled out" in printed
    assert 'release "atom" uninstalled' in printed
    assert "issuer.key" in (work / "atom-keys.yaml").read_text()
    assert printed.rstrip().splitlines()[-1].startswith("atom-keys ")
