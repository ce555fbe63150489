"""Agreement with Kubernetes: every fixture of its own Pod Security tests gets the verdict it must get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from atomctl.rules.pod_security import evaluate

CORPUS = Path(__file__).parents[4] / "shared" / "corpora" / "psa"
FIXTURES = sorted(CORPUS.glob("*/v*/*/*.yaml"))

pytestmark = pytest.mark.skipif(not FIXTURES, reason=f"the fixtures of Kubernetes are not at {CORPUS}")


def read(fixture: Path) -> tuple[dict[str, Any], str, str, bool]:
    """The Pod, the level and version it is judged by, and whether it must be admitted."""
    pod = yaml.load(fixture.read_bytes(), Loader=yaml.CSafeLoader)
    level, version, verdict = fixture.parts[-4:-1]
    return pod, level, version, verdict == "pass"


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: "-".join(path.parts[-4:]))
def test_the_verdict_is_the_api_servers(fixture: Path) -> None:
    pod, level, version, admitted = read(fixture)
    assert (not evaluate(pod, level, version)) is admitted


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: "-".join(path.parts[-4:]))
def test_a_deployment_in_a_list_gets_the_verdict_of_its_pod(fixture: Path) -> None:
    pod, level, version, admitted = read(fixture)
    template = {"metadata": pod["metadata"], "spec": pod["spec"]}
    deployment = {"kind": "Deployment", "metadata": {"name": "a"}, "spec": {"template": template}}
    assert (not evaluate({"kind": "List", "items": [deployment]}, level, version)) is admitted


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: "-".join(path.parts[-4:]))
def test_the_control_named_by_the_fixture_is_the_one_violated(fixture: Path) -> None:
    pod, level, version, admitted = read(fixture)
    if admitted:
        return
    violated = {violation.control.lower() for violation in evaluate(pod, level, version)}
    replaced = {"hostpathvolumes": "restrictedvolumes"} if level == "restricted" else {}
    named = fixture.stem.rstrip("0123456789").lower()
    named = replaced.get(named, named)
    assert any(control.startswith(named) or named.startswith(control) for control in violated) or (
        named.partition("_")[0] in {control.partition("_")[0] for control in violated}
    )
