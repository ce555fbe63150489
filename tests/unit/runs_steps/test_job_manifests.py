"""The objects of a step that runs as a Kubernetes Job: exactly these, and nothing the validator would object to."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import yaml

from atomctl import rules
from atomctl.canonical import Json, digest
from atomctl.errors import AtomError
from atomctl.kubernetes.calls import Object
from atomctl.rules.model import Severity
from atomctl.runs.steps.jobs import codes
from atomctl.runs.steps.jobs.contents import FILE_BYTES, PACKAGE_BYTES, CarriedFile, portions
from atomctl.runs.steps.jobs.image import JobImage, choose
from atomctl.runs.steps.jobs.manifests import JobDesign, job, owned
from atomctl.runs.steps.jobs.names import AttemptKey, owner_of
from atomctl.runs.steps.jobs.network import policy_spec
from atomctl.runs.steps.jobs.resources import resources
from atomctl.runs.steps.limits import limits_of
from atomctl.runs.steps.model import Limits
from atomctl.wpk.archive import FileEntry, Package
from atomctl.wpk.manifest import parse_manifest
from atomctl.wpk.model import Requirements

GOLDEN = Path(__file__).parent / "golden"
PINNED = "registry.example/tools@sha256:" + "1" * 64
KEY = AttemptKey(
    tenant_id=UUID("018f0000-0000-7000-8000-00000000000a"),
    run_id=UUID("018f0000-0000-7000-8000-00000000000b"),
    step="Restore_the sample, slowly and with care",
    attempt_id=UUID("018f0000-0000-7000-8000-00000000000c"),
)


def design(**changes: object) -> JobDesign:
    needs = Requirements(cpu="200m", memory="256Mi", storage="1Gi")
    limits = limits_of(needs, Limits())
    whole = JobDesign(
        name=KEY.job,
        namespace="atom-steps",
        labels=KEY.labels(network=False),
        image=JobImage(PINNED, pinned=True),
        argv=["./scripts/restore.sh", "$(HOME)", "5"],
        env={"HOME": "/tmp", "ATOM_PARAM_SET": "daily $x", "ATOM_OUTPUT": "/run/atom/output"},
        timeout=timedelta(seconds=90.5),
        grace=timedelta(seconds=5),
        resources=resources(needs, limits),
        scratch_bytes=limits.scratch_bytes,
        portions=portions([CarriedFile("scripts/restore.sh", b"#!/bin/sh\n", executable=True)]),
        secrets={},
        network=(),
    )
    return dataclasses.replace(whole, **changes)  # type: ignore[arg-type]  # the test's own fields


WITH_ALL = {
    "secrets": {"token": "hide this value"},
    "network": ("db.example:5432", "10.1.2.3:443"),
    "labels": KEY.labels(network=True),
    "portions": portions(
        [
            CarriedFile("data/a.bin", b"\0" * FILE_BYTES, executable=False),
            CarriedFile("scripts/restore.sh", b"#!/bin/sh\n", executable=True),
        ]
    ),
}


@pytest.mark.parametrize(("name", "changes"), [("job-plain", {}), ("job-with-all", WITH_ALL)])
def test_the_job_is_the_golden_one(name: str, changes: dict[str, object]) -> None:
    assert job(design(**changes)) == yaml.safe_load((GOLDEN / f"{name}.yaml").read_text())


def test_what_the_job_owns_goes_with_it_and_the_secret_is_in_no_other_object() -> None:
    objects = owned(design(**WITH_ALL), "uid-1")

    assert [item["kind"] for item in objects] == ["ConfigMap", "ConfigMap", "NetworkPolicy", "Secret"]
    for item in objects:
        metadata = item["metadata"]
        assert isinstance(metadata, dict)
        assert metadata["ownerReferences"] == [
            {"apiVersion": "batch/v1", "kind": "Job", "name": KEY.job, "uid": "uid-1", "controller": True}
        ]
        assert ("aGlkZSB0aGlzIHZhbHVl" in str(item)) is (item["kind"] == "Secret")
    assert "hide this value" not in str(job(design(**WITH_ALL)))
    assert "hide this value" not in repr(design(**WITH_ALL))


@pytest.mark.parametrize("changes", [{}, WITH_ALL])
def test_the_validator_has_nothing_to_say_about_a_job(changes: dict[str, object]) -> None:
    objects = [job(design(**changes)), *owned(design(**changes), "uid-1")]
    findings = [f for f in validated(objects[:1]) if f.severity is not Severity.INFO]
    assert findings == []


def validated(objects: list[Object]) -> tuple[rules.model.Finding, ...]:
    manifest = (
        b"apiVersion: atom/v1\nkind: WorkflowPackage\nmetadata: {name: example, version: 1.0.0}\nspec:\n  handlers:\n"
        b"    - {name: run, type: k8s, config: {action: job, namespace: atom-steps, manifest: manifests/job.yaml}}\n"
    )
    files = {"manifests/job.yaml": yaml.safe_dump_all(objects).encode(), "wpk.yaml": manifest}
    package = Package(
        manifest=parse_manifest(manifest),
        manifest_bytes=manifest,
        files={name: FileEntry(data) for name, data in files.items()},
        digest=digest(b"".join(files.values())),
    )
    return tuple(finding for finding in rules.run(package).findings if finding.file == "manifests/job.yaml")


def test_the_name_is_deterministic_valid_and_short_enough_for_a_label() -> None:
    assert KEY.job == "atom-00000000000b-restore-the-sample-slowl-00000000000c"
    assert len(dataclasses.replace(KEY, step="x" * 63).job) <= 63
    assert dataclasses.replace(KEY, step="___").job == "atom-00000000000b-step-00000000000c"


def test_labels_lead_back_to_the_attempt_and_to_nothing_if_they_are_not_ours() -> None:
    assert owner_of(KEY.labels(network=False)) == (KEY.tenant_id, KEY.attempt_id)
    assert owner_of({"atomctl/tenant": "somebody"}) is None
    assert len(KEY.labels(network=False)["atomctl/step"]) <= 63


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([CarriedFile("big.bin", b"x" * (FILE_BYTES + 1), executable=False)], "big.bin has 900,001 bytes"),
        ([CarriedFile(f"{n}", b"x" * FILE_BYTES, executable=False) for n in range(10)], "the package has 9,000,000"),
    ],
)
def test_a_package_that_is_too_large_is_refused_with_its_size(files: list[CarriedFile], says: str) -> None:
    with pytest.raises(AtomError) as caught:
        portions(files)
    assert caught.value.code is codes.TOO_LARGE
    assert says in caught.value.why


def test_every_file_is_in_one_portion_and_no_portion_is_over_the_limit() -> None:
    files = [CarriedFile(f"{n}", b"x" * 250_000, executable=False) for n in range(30)]
    found = portions(files)
    assert [file for portion in found for file in portion] == files
    assert all(sum(len(file.data) for file in portion) <= FILE_BYTES for portion in found)
    assert sum(len(file.data) for file in files) < PACKAGE_BYTES


def test_an_image_needs_a_digest_unless_it_is_allowed_by_name() -> None:
    assert choose(PINNED, None, ()) == JobImage(PINNED, pinned=True)
    assert choose(None, PINNED, ()).pull_policy == "IfNotPresent"
    local = choose("localhost/py:1", PINNED, {"localhost/py:1"})
    assert (local.pull_policy, local.pinned) == ("Never", False)
    assert local.warning is not None
    for named, default, code in ((None, None, codes.NO_IMAGE), ("localhost/py:1", None, codes.UNPINNED_IMAGE)):
        with pytest.raises(AtomError) as caught:
            choose(named, default, {"localhost/other:1"})
        assert caught.value.code is code


def test_without_declared_hosts_nothing_goes_in_or_out() -> None:
    spec = policy_spec(KEY.labels(network=False), ())
    assert spec == {
        "podSelector": {"matchLabels": {"atomctl/attempt": str(KEY.attempt_id)}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [],
        "egress": [],
    }


def test_declared_places_are_let_out_and_the_metadata_address_is_not() -> None:
    spec = policy_spec(KEY.labels(network=True), ("[fd00::1]:8443", "10.1.2.3:443", "db.example:5432"))
    egress = spec["egress"]
    assert isinstance(egress, list)
    ports: Json = [{"protocol": "TCP", "port": 8443}]
    assert egress[0] == {"to": [{"ipBlock": {"cidr": "fd00::1/128"}}], "ports": ports}
    assert egress[1] == {"to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}], "ports": [{"protocol": "TCP", "port": 443}]}
    named = egress[2]
    assert isinstance(named, dict)
    assert {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}} in named["to"]  # type: ignore[operator]
    assert egress[3] == {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}
