"""What is left of a run for auditors and for those who learn from it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from tests.acceptance.smoke.crowd import Crowd
from tests.acceptance.smoke.deployment import Beside, Deployment, Part
from tests.acceptance.smoke.story import Story
from tests.servers.waiting import wait_until


@pytest.fixture(scope="session")
def beside(deployment: Deployment) -> Beside:
    """The shell beside the server."""
    if deployment.beside is None:
        pytest.skip("there is no shell beside the server (--beside)")
    return deployment.beside


@pytest.fixture(scope="session")
def bundle(crowd: Crowd, story: Story) -> Path:
    """What the auditor exported of the run, from its request to its end."""
    ute = crowd[Part.AUDITOR]
    log = ("audit", "log", "--run", story.id)
    wait_until(lambda: "run.succeeded" in ute(*log).stdout, "the end of the run is in the log")
    ute("audit", "export", "--run", story.id, "--out", "run.atomaudit")
    return crowd.work / "run.atomaudit"


@pytest.fixture(scope="session")
def vkey(beside: Beside, crowd: Crowd) -> Path:
    """The key that the deployment signs its log with: its public half."""
    file = crowd.work / "audit.vkey"
    file.write_text(beside.text("$ATOM_HOME/keys/audit.vkey"))
    return file


def test_the_audit_proof_is_verified_offline(crowd: Crowd, bundle: Path, vkey: Path) -> None:
    verdict = crowd[Part.AUDITOR].json("audit", "verify", str(bundle), "--offline", "--vkey", str(vkey))
    assert verdict["outcome"] == "verified"
    assert verdict["signer"]["known"] is True
    assert verdict["entries"] >= 5


def test_without_the_key_it_is_said_that_nobody_vouches_for_it(crowd: Crowd, bundle: Path) -> None:
    verdict = crowd[Part.AUDITOR].json("audit", "verify", str(bundle), "--offline", expect=11)
    assert verdict["signer"]["known"] is False


def test_one_changed_word_breaks_the_proof(crowd: Crowd, bundle: Path, vkey: Path) -> None:
    forged = crowd.work / "forged.atomaudit"
    forged.write_bytes(bundle.read_bytes().replace(b"run.succeeded", b"run.cancelled", 1))
    assert forged.read_bytes() != bundle.read_bytes()
    done = crowd[Part.AUDITOR]("audit", "verify", str(forged), "--offline", "--vkey", str(vkey), expect=14)
    assert "error[AUD" in done.stderr


def test_the_run_is_exported_as_training_data_and_verified(
    deployment: Deployment, crowd: Crowd, beside: Beside, story: Story, vkey: Path
) -> None:
    keyholder = deployment.keyholder or beside
    there, here = f"/tmp/smoke-{uuid4().hex}", crowd.work / "training"
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    token = crowd.tokens[Part.AUDITOR]
    keyholder.atomctl_as(token, "dataset", "export", "--since", yesterday, "--out", there)
    keyholder.fetch(there, here)
    verdict = crowd[Part.AUDITOR].json("dataset", "verify", str(here), "--vkey", str(vkey))
    assert verdict["outcome"] == "verified"
    rows = [json.loads(line) for file in here.rglob("*.jsonl") for line in file.read_text().splitlines()]
    (row,) = [row for row in rows if row["run_id"] == story.id]
    assert row["labels"]["success"] is True
    assert row["status"] == "SUCCEEDED"
