"""What Helm makes of the chart: linted, held to golden files, and read by ATOM's own validator.

Golden files: `minimal.yaml` is all that is rendered from the least values; the `.diff` beside it is what each other set
of values changes of it. `ATOM_WRITE_GOLDEN=1` writes them anew.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.servers.chart import CHART, Helm

from atomctl.rules import run
from atomctl.telemetry.alerts import ALERTS
from atomctl.wpk.archive import pack, unpack
from atomctl.wpk.source import load_source

HERE = Path(__file__).parent
SETS = {
    "minimal": (),
    "full": ("--api-versions=monitoring.coreos.com/v1/ServiceMonitor,monitoring.coreos.com/v1/PrometheusRule",),
    "no-kubernetes": (),
    "one-namespace": ("--set=kubernetes.namespaces={shop}",),
    "vault": ("--set=vault.address=https://vault.example:8200,vault.existingSecret=atom-vault",),
    "our-keys": ("--set=keys.existingSecret=atom-our-keys",),
    "pinned": (f"--set=image.repository=images.example/atomctl,image.digest=sha256:{'a' * 64}",),
}
PACKAGE = """\
apiVersion: atom/v1
kind: WorkflowPackage
metadata: {name: chart, version: 1.0.0, description: The rendered chart as the manifest of a step.}
spec:
  runtime: {type: k8s}
  safety: {mode: manual, approval_required: true}
  handlers:
    - {name: chart, type: k8s, config: {action: apply, manifest: manifests/chart.yaml}, timeout: 60s}
"""
KNOWN = {
    "no-rollback": "of the package around it, which is the test's",
    "service-account-token": "server and worker speak with the API server; so does the Job that makes the keys",
    "external-host-in-container": "database, buckets and Vault are outside the cluster, and named by whoever installs",
    "rbac-reads-secrets": "the worker reads the Secrets that it made for Jobs, in a namespace that holds no others",
}
UNTIL_SAID = {
    "unpinned-image": "image.digest is for whoever pushed the image",
    "open-egress-policy": "the addresses are for networkPolicy.database and its like",
}


def render(name: str) -> str:
    file = HERE / f"values/{name}.yaml"
    values = file if file.exists() else HERE / "values/minimal.yaml"
    return Helm().must("template", "atom", CHART, "--namespace=atom", "--values", values, *SETS[name])


def reviewable(rendered: str) -> str:
    """Without the alert rules, which are reviewed where they are made."""
    return re.sub(r"(?s)(?<=\nspec:\n)  # Written by .*?(?=\n---\n|\Z)", "  # files/atom-rules.yaml", rendered)


def objects(rendered: str) -> Iterator[Mapping[str, Any]]:
    yield from (each for each in yaml.safe_load_all(rendered) if each)


def test_the_chart_is_without_fault() -> None:
    assert "0 chart(s) failed" in Helm().must("lint", "--strict", CHART)


@pytest.mark.parametrize("name", SETS)
def test_each_set_of_values_is_without_fault(name: str) -> None:
    file = HERE / f"values/{name}.yaml"
    values = file if file.exists() else HERE / "values/minimal.yaml"
    settings = [each for each in SETS[name] if each.startswith("--set")]
    assert "0 chart(s) failed" in Helm().must("lint", "--strict", CHART, "--values", values, *settings)


@pytest.mark.parametrize("name", SETS)
def test_what_is_rendered_is_what_was_reviewed(name: str) -> None:
    rendered, minimal = reviewable(render(name)), reviewable(render("minimal"))
    if name == "minimal":
        golden, shown = HERE / "golden/minimal.yaml", minimal
    else:
        changed = difflib.unified_diff(minimal.splitlines(), rendered.splitlines(), "minimal", name, n=2, lineterm="")
        golden, shown = HERE / f"golden/{name}.diff", "\n".join(changed) + "\n"
    if os.environ.get("ATOM_WRITE_GOLDEN") == "1":
        golden.write_text(shown)
    assert shown == golden.read_text()


@pytest.mark.parametrize("name", SETS)
def test_atoms_own_validator_finds_nothing_that_is_not_explained(name: str, tmp_path: Path) -> None:
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests/chart.yaml").write_text(render(name))
    (tmp_path / "wpk.yaml").write_text(PACKAGE)
    findings = run(unpack(pack(load_source(tmp_path)).data)).findings
    assert len(findings) > 1, "it was read"
    known = KNOWN if name == "full" else KNOWN | UNTIL_SAID
    assert [f"{each.rule} on {each.object}: {each.message}" for each in findings if each.rule not in known] == []


@pytest.mark.parametrize("name", SETS)
def test_no_account_can_do_everything_and_no_pod_is_more_than_restricted(name: str) -> None:
    for each in objects(render(name)):
        for rule in each.get("rules") or []:
            assert each["kind"] in {"Role", "NetworkPolicy", "Ingress"}, "no right in the whole cluster"
            if each["kind"] == "Role":
                assert "*" not in str(rule), each["metadata"]["name"]
        template = each["spec"]["template"] if each["kind"] in {"Deployment", "Job"} else each
        if each["kind"] not in {"Deployment", "Job", "Pod"}:
            continue
        spec = template["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert set(container["resources"]["limits"]) == {"cpu", "memory"}


def test_only_the_migration_meets_the_administrator_of_the_database() -> None:
    holders = [each["metadata"]["name"] for each in objects(render("minimal")) if "atom-database" in str(each)]
    assert holders == ["atom-migrate"]


def test_each_process_gets_only_its_own_keys_and_passwords() -> None:
    def given(name: str) -> set[str]:
        deployments = (each for each in objects(render("minimal")) if each["kind"] == "Deployment")
        found = next(each for each in deployments if each["metadata"]["name"] == name)
        volumes = found["spec"]["template"]["spec"]["volumes"]
        return {item["key"] for volume in volumes if volume["name"] == "keys" for item in volume["secret"]["items"]}

    assert given("atom-server") == {"tenant", "issuer.key", "audit.vkey", "atom_app"}
    assert given("atom-worker") == {
        "tenant", "audit.key", "audit.vkey", "atom_worker", "atom_engine", "atom_sequencer",
    }  # fmt: skip


def test_prometheus_objects_are_made_where_their_kinds_exist_alone_and_from_the_one_source() -> None:
    assert "monitoring.coreos.com" not in render("minimal")
    found = {(each["kind"], each["metadata"]["name"]): each for each in objects(render("full"))}
    assert {("ServiceMonitor", "atom-server"), ("ServiceMonitor", "atom-worker")} <= set(found)
    rules = found["PrometheusRule", "atom"]["spec"]["groups"][0]["rules"]
    assert [rule["alert"] for rule in rules] == [alert.name for alert in ALERTS]


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("database.hosst=x", "additional properties 'hosst' not allowed"),
        ("database.host=admin:secret@db.example", "does not match pattern"),
        ("image.digest=sha256:short", "does not match pattern"),
        ("worker.terminationGracePeriodSeconds=10", "minimum: got 10, want 65"),
        ("environment=prod", "value must be one of"),
        ("objects.bucket=", "objects.bucket: the bucket of packages and logs"),
        ("database.host=", "database.host: where PostgreSQL is"),
        ("objects.existingSecret=", "objects.existingSecret: the Secret with the access key"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(setting: str, words: str) -> None:
    refused = Helm()("template", "atom", CHART, "--values", HERE / "values/minimal.yaml", f"--set={setting}")
    assert refused.returncode == 1
    assert words in refused.stderr
