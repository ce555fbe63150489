"""The packages that come with ATOM: each validates, packs, signs, is published and decided."""

import json
from pathlib import Path

import pytest
from tests.acceptance.command import ROOT, Atomctl

DECISIONS = {
    "backup-verify": "allow",
    "hello-atom": "require_approval",
    "requeue-job": "require_approval",
    "restart-unhealthy": "require_approval",
    "rotate-secret": "require_approval",
    "scale-on-latency": "require_approval",
}


@pytest.mark.parametrize(("name", "decision"), DECISIONS.items())
def test_an_example_is_published_and_decided(atomctl: Atomctl, name: str, decision: str) -> None:
    source = ROOT / "examples" / name
    report = json.loads(atomctl("validate", source, "-o", "json").stdout)
    assert not {finding["severity"] for finding in report["findings"]} & {"critical", "high"}
    atomctl("pack", source, "--out", f"{name}.wpk")
    atomctl("sign", f"{name}.wpk", "--key", "atom.key")
    pushed = json.loads(atomctl("push", f"{name}.wpk", "-o", "json").stdout)
    assert pushed["state"] == "accepted"
    assert pushed["decision"]["outcome"] == decision


def test_a_run_that_needs_kubernetes_says_exactly_what_is_missing(atomctl: Atomctl, tmp_path: Path) -> None:
    package = tmp_path / "restart.wpk"
    atomctl("pack", ROOT / "examples" / "restart-unhealthy", "--out", package)
    atomctl("sign", package, "--key", "atom.key")
    atomctl("push", package)
    asked = ("run", "restart-unhealthy", "-p", "namespace=shop", "-p", "deployment=web")
    planned = atomctl(*asked, "--dry-run").stdout
    assert "cannot be run here" in planned
    assert "Kubernetes connection" in planned
    refused = atomctl(*asked, expect=1).stderr
    assert "error[RUN606]" in refused
    assert "read-state, collect-logs, collect-events, restart, verify" in refused
