"""A release of the chart on a real node: installed, tested, upgraded with a run in flight, uninstalled, back again.

The tests are chapters of one story and run in their order.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.smoke.crowd import Crowd, gathered
from tests.acceptance.smoke.deployment import Beside, Deployment, Part
from tests.acceptance.smoke.signing import signed_package
from tests.servers.chart import CHART, InstalledChart, installed_chart
from tests.servers.kubernetes import Kubernetes
from tests.servers.waiting import wait_until
from tools import image

NEXT = "0.1.1"
SECONDS = 80
"""What the long step takes: more than the 30 s that a worker gives its steps when it is told to stop."""


@pytest.fixture(scope="module")
def release(kubernetes: Kubernetes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InstalledChart]:
    with installed_chart(kubernetes, tmp_path_factory.mktemp("release")) as chart:
        yield chart


@pytest.fixture(scope="module")
def crowd(release: InstalledChart) -> Iterator[Crowd]:
    where = ["kubectl", f"--kubeconfig={release.kubeconfig}", "-n", release.namespace, "exec", "-i"]
    beside = Beside(prefix=(*where, f"deploy/{release.release}-server", "--"))
    with gathered(Deployment(release.base_url, beside, isolation=("job",))) as crowd:
        yield crowd


@pytest.fixture(scope="module")
def next_chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart as its next version will be: another version, another image."""
    chart = tmp_path_factory.mktemp("next") / "atom"
    shutil.copytree(CHART, chart)
    described = re.sub(r"^(version|appVersion): .*$", rf"\1: {NEXT}", (chart / "Chart.yaml").read_text(), flags=re.M)
    (chart / "Chart.yaml").write_text(described)
    return chart


def pods(release: InstalledChart, component: str) -> list[dict[str, Any]]:
    """Those that are not going away."""
    chosen = f"app.kubernetes.io/instance={release.release},app.kubernetes.io/component={component}"
    found = json.loads(release.kubectl("get", "pods", "-l", chosen, "-o", "json"))["items"]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def verified_log(release: InstalledChart, crowd: Crowd) -> None:
    """The audit log is whole, and signed by the key that the deployment's Secret keeps."""
    vkey = crowd.work / "audit.vkey"
    vkey.write_text(release.beside("sh", "-c", 'cat "$ATOM_HOME/keys/audit.vkey"'))
    crowd[Part.AUDITOR]("audit", "verify", "--vkey", vkey)


def test_helm_finds_the_release_well(release: InstalledChart) -> None:
    said = release.test()
    assert "Phase:          Succeeded" in said
    assert '"name":"worker","ok":true' in said


def test_the_notes_say_the_next_command_and_it_works(release: InstalledChart) -> None:
    notes = release.helm.must("get", "notes", release.release, "-n", release.namespace)
    token = next(line for line in notes.splitlines() if "auth token" in line)
    command = token.partition(" -- ")[2].partition(" >")[0].replace('"$USER"', "ada").split()
    assert release.beside(*command).count(".") == 2, "a token has three parts"


def test_a_pod_can_write_nowhere_but_where_it_was_told_and_holds_no_key_of_another(release: InstalledChart) -> None:
    refused = release.beside("sh", "-c", "touch /usr/file 2>&1 || true; id -u")
    assert "Read-only file system" in refused
    assert refused.splitlines()[-1] == "65532"
    homes = {
        part: release.kubectl(
            "exec", f"deploy/{release.release}-{part}", "--", "sh", "-c", "cd $ATOM_HOME && ls keys/* credentials/*"
        ).split()
        for part in ("server", "worker")
    }
    assert homes["server"] == ["credentials/atom_app", "keys/audit.vkey", "keys/issuer.key"]
    assert "keys/issuer.key" not in homes["worker"], "whoever takes a worker over is nobody in the API"


def test_an_upgrade_with_a_run_in_flight_loses_nothing(release: InstalledChart, crowd: Crowd, next_chart: Path) -> None:
    made = image.make(NEXT)
    release.node.load_image(made.archive)
    with signed_package(crowd, Path(__file__).with_name("long")) as signed:
        ada, bob = crowd[Part.AUTHOR], crowd[Part.APPROVER]
        ada("push", signed.file)
        ada("run", signed.name, "--dry-run")
        run = ada.json("run", signed.name, "--reason", "it outlives an upgrade")["id"]
        bob("approve", run, "--comment", "looks right")
        before = {pod["metadata"]["name"] for pod in pods(release, "worker")}
        wait_until(lambda: "second 3" in ada("logs", run).stdout, "the long step counts", 60)
        release.upgrade(next_chart, "--set", f"image.tag={made.tag}")
        ended = ada.json("status", run, "--wait", "--timeout", "85s")
        after = {pod["metadata"]["name"] for pod in pods(release, "worker")}
        text = [item["text"] for item in ada.json("logs", run)["items"]]
    assert not before & after, "each worker is a new one"
    assert ended["state"] == "SUCCEEDED", ended
    assert [len(step["attempts"]) for step in ended["steps"]] == [1, 1], "no step ran twice"
    counted = [line for line in "\n".join(text).splitlines() if line.startswith("second ")]
    assert counted == [f"second {number}" for number in range(1, SECONDS + 1)], "every line is there, and once"
    assert f"after {SECONDS}" in "\n".join(text)
    verified_log(release, crowd)


def test_the_upgrade_brought_the_next_version(release: InstalledChart) -> None:
    for component in ("server", "worker"):
        (pod,) = pods(release, component)
        assert pod["metadata"]["labels"]["app.kubernetes.io/version"] == NEXT
    assert NEXT in release.beside("atomctl", "--version")
    assert "Phase:          Succeeded" in release.test()


def test_an_uninstall_leaves_the_database_and_the_keys_and_the_next_installation_finds_them(
    release: InstalledChart, crowd: Crowd
) -> None:
    runs = crowd[Part.AUTHOR].json("runs", "list")["items"]
    assert runs
    keys = release.kubectl("get", "secret", "atom-keys", "-o", "jsonpath={.data}")
    release.helm.must("uninstall", release.release, "-n", release.namespace, "--wait", "--timeout", "120s")
    left = release.kubectl("get", "deployments,jobs,services,networkpolicies,serviceaccounts,roles", "-o", "name")
    assert [name for name in left.split() if "atom" in name] == []
    assert release.kubectl("get", "secret", "atom-keys", "-o", "jsonpath={.data}") == keys
    with release.postgres.admin.connect() as connection:
        counted = connection.execute("SELECT count(*) AS runs FROM atom.workflow_runs").fetchone()
    assert counted is not None
    assert counted["runs"] >= len(runs)
    release.helm.must(
        "install", release.release, CHART, "-n", release.namespace, "-f", release.values, "--wait", "--timeout", "90s"
    )
    again = Deployment(release.base_url, tokens=crowd.tokens)
    with gathered(again) as same:
        assert same[Part.AUTHOR].json("runs", "list")["items"] == runs, "the same people see the same runs"
        verified_log(release, same)
