"""`deploy/kind` from end to end, with stand-ins for docker and kind: the cluster is the node that tests share.

Everything else is what a user gets: kubectl, Helm, the chart, the scripts, the objects around the release, PostgreSQL
and the S3 server in pods. The images are made here instead of pulled, the volumes by hand instead of by a provisioner.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.integration.deploy.compose_file import DEPLOY
from tests.servers.kubernetes import Kubernetes
from tests.servers.requirement import require
from tests.servers.surrounding_images import POSTGRES, S3, postgres_archive, s3_archive
from tools import image
from tools.build import KUBERNETES, tool

KIND = DEPLOY / "kind"
_SECONDS = 400


_KIND = """#!/bin/sh
case "$1 $2" in
  "get clusters") echo atom ;;
  "get kubeconfig") cat {kubeconfig} ;;
  "load docker-image") ;;
  *) exit 9 ;;
esac
"""


def stand_ins(folder: Path, kubeconfig: Path) -> Path:
    """A folder of programs: docker has nothing to build, kind knows one cluster, the others are the real ones."""
    folder.mkdir()
    for name, text in {"docker": "#!/bin/sh\n", "kind": _KIND.format(kubeconfig=kubeconfig)}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    helm = tool("helm").binary
    require(helm.exists(), "Helm", "make tools")
    (folder / "helm").symlink_to(helm)
    (folder / "kubectl").symlink_to(KUBERNETES.program("kubectl"))
    return folder


def volume(name: str, namespace: str, folder: Path) -> dict[str, object]:
    """A volume for the claim of one StatefulSet, on this machine's disk, in a folder everybody may write."""
    folder.mkdir()
    folder.chmod(0o777)
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{namespace}-{name}"},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "claimRef": {"namespace": namespace, "name": f"data-{name}-0"},
            "hostPath": {"path": str(folder)},
        },
    }


@pytest.fixture
def environment(kubernetes: Kubernetes) -> Iterator[dict[str, str]]:
    """What the scripts are told: the programs, the images, a namespace of their own."""
    made = image.make()
    for archive in (postgres_archive(), s3_archive(), made.archive):
        kubernetes.load_image(archive)
    folder = Path(tempfile.mkdtemp(prefix="atom-kind-"))
    folder.chmod(0o711)  # pods pass to their volumes
    images = folder / "images.env"
    images.write_text(f"ATOM_IMAGE={made.name}\nPOSTGRES_IMAGE={POSTGRES}\nS3_IMAGE={S3}\n")
    namespace = kubernetes.create_namespace("kind")
    volumes = [volume(name, namespace, folder / name) for name in ("postgres", "s3")]
    kubernetes.must("apply", "-f", "-", given=yaml.safe_dump_all(volumes))
    programs = stand_ins(folder / "programs", kubernetes.kubeconfig)
    yield {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(folder),
        "IMAGES_FILE": str(images),
        "PYTHON": sys.executable,
        "ATOM_NAMESPACE": namespace,
    }
    for each in (namespace, f"{namespace}-steps"):  # the chart made the second one
        kubernetes.delete_namespace(each)
    kubernetes.must("delete", "persistentvolume", f"{namespace}-postgres", f"{namespace}-s3", "--wait=false")
    shutil.rmtree(folder, ignore_errors=True)  # its pods may still be going


@pytest.mark.slow
@pytest.mark.timeout(_SECONDS * 3)
def test_the_cluster_is_set_up_twice_without_harm_and_passes_the_smoke_suite(environment: dict[str, str]) -> None:
    def call(script: str) -> str:
        done = subprocess.run(
            [KIND / script], env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        assert done.returncode == 0, f"{script}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
        return done.stdout

    call("setup_kind.sh")
    call("setup_kind.sh")
    assert "skipped" not in call("run_smoke.sh")
