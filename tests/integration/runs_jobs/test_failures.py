"""What goes wrong with a Job and its Pod: each has a code, names the object and the reason, and leaves nothing."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from tests.integration.runs_jobs.job_bench import RULES, JobBench
from tests.servers.kubernetes import Kubernetes
from tests.servers.waiting import wait_until

from atomctl.kubernetes import codes as cluster_codes
from atomctl.kubernetes.connection import Cluster, Credentials
from atomctl.kubernetes.permissions import Permission
from atomctl.runs.steps import codes as step_codes
from atomctl.runs.steps.jobs import codes
from atomctl.runs.steps.jobs.desk import needed
from atomctl.runs.steps.jobs.place import JobPlace
from atomctl.wpk.model import Runtime, RuntimeType


def test_an_image_that_is_not_on_the_node_is_named(bench: JobBench) -> None:
    rules = dataclasses.replace(RULES, local_images=frozenset({"localhost/nothing:1"}), image="localhost/nothing:1")
    bench.place = dataclasses.replace(bench.place, rules=rules)

    result = bench.run("true")

    assert (result.outcome, result.code) == ("failed", cluster_codes.NOT_STARTING)
    assert result.error is not None
    assert "ErrImageNeverPull" in result.error
    wait_until(bench.nothing_left, "nothing is left")


def test_an_image_without_a_digest_is_refused_before_anything_is_made(bench: JobBench) -> None:
    result = bench.run("true", runtime=Runtime(type=RuntimeType.K8S, image="registry.example/tools:1"))

    assert (result.outcome, result.code) == ("refused", codes.UNPINNED_IMAGE)
    assert bench.nothing_left()


def test_a_step_over_its_memory_limit_says_so(bench: JobBench) -> None:
    result = bench.execute(bench.request(config={"command": ["python3", "-c", "x = bytearray(200_000_000)"]}))

    assert (result.outcome, result.code) == ("failed", step_codes.OUT_OF_MEMORY)
    assert result.error is not None
    assert "64Mi" in result.error


def test_a_pod_that_is_deleted_or_evicted_is_lost_and_not_replaced(bench: JobBench) -> None:
    for how in ("delete", "evict"):
        bench.log.text = ""
        request = bench.request("echo up; sleep 60")
        with bench.running(request) as results:
            bench.wait_for_line("up")
            name = next(p["metadata"]["name"] for p in bench.pods() if "deletionTimestamp" not in p["metadata"])
            path = f"/api/v1/namespaces/{bench.namespace}/pods/{name}"
            if how == "delete":
                bench.kubernetes.request("DELETE", path)
            else:
                eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
                bench.kubernetes.request("POST", f"{path}/eviction", eviction)

        assert (results[0].outcome, results[0].code) == ("failed", codes.POD_LOST), results[0]
        assert results[0].error is not None
        made = [e for e in events(bench) if e["reason"] == "SuccessfulCreate"]
        assert len([e for e in made if e["involvedObject"]["name"] == bench.key(request).job]) == 1


def test_a_job_that_somebody_deletes_is_lost(bench: JobBench) -> None:
    with bench.running(bench.request("echo up; sleep 60")) as results:
        bench.wait_for_line("up")
        name = bench.jobs()[0]["metadata"]["name"]
        bench.must("delete", "job", name)

    assert (results[0].outcome, results[0].code) == ("failed", codes.POD_LOST)


def test_a_quota_that_is_full_is_named_and_the_job_is_gone(bench: JobBench) -> None:
    quota = {"metadata": {"name": "full"}, "spec": {"hard": {"pods": "0"}}}
    bench.kubernetes.request("POST", f"/api/v1/namespaces/{bench.namespace}/resourcequotas", quota)

    result = bench.run("true")

    assert (result.outcome, result.code) == ("failed", codes.NOT_SCHEDULED)
    assert result.error is not None
    assert "exceeded quota: full" in result.error
    wait_until(bench.nothing_left, "nothing is left")


def test_a_step_that_takes_too_long_hears_a_term_and_is_ended_by_the_cluster(bench: JobBench) -> None:
    result = bench.run("trap 'echo told; exit 9' TERM; echo up; sleep 60 & wait $!", seconds=3.0)

    assert (result.outcome, result.code) == ("timed_out", step_codes.TIMED_OUT)
    assert bench.log.said == "up\ntold\n"


def test_a_cancelled_step_hears_a_term_and_its_pod_is_gone(bench: JobBench) -> None:
    with bench.running(bench.request("trap 'echo told; exit 9' TERM; echo up; sleep 60 & wait $!")) as results:
        bench.wait_for_line("up")
        begun = time.monotonic()
        bench.cancelled.set()

    assert time.monotonic() - begun < 20
    assert (results[0].outcome, results[0].code) == ("cancelled", step_codes.CANCELLED)
    assert bench.log.said == "up\ntold\n"
    wait_until(bench.nothing_left, "nothing is left")


def test_a_namespace_that_is_not_there_is_named(bench: JobBench) -> None:
    bench.place = JobPlace.of(bench.place.desk.cluster, "nowhere-at-all", RULES)

    result = bench.run("true")

    assert (result.outcome, result.code) == ("refused", cluster_codes.NOT_FOUND)
    assert result.error is not None
    assert "nowhere-at-all" in result.error


def test_the_documented_permissions_suffice_and_fewer_are_named(bench: JobBench, tmp_path: Path) -> None:
    everything = needed(bench.namespace)
    for missing in (None, "secrets"):
        account = f"steps-{missing or 'all'}"
        grant(bench, account, [p for p in everything if p.resource != missing])
        kubeconfig = bench.kubernetes.account_kubeconfig(tmp_path, bench.namespace, account)
        with contextlib.closing(Cluster(Credentials(kubeconfig))) as cluster:
            place = JobPlace.of(cluster, None, RULES)
            tried = dataclasses.replace(bench, place=place)

            result = tried.run("cat $ATOM_SECRET_TOKEN_FILE", secrets={"token": "a secret value"})

        if missing is None:
            assert result.outcome == "succeeded", f"{result.code}: {result.error}"
        else:
            assert (result.outcome, result.code) == ("refused", cluster_codes.FORBIDDEN)
            assert result.error is not None
            assert "secrets" in result.error
            assert len(bench.jobs()) <= 1, (
                "the Job without its secrets is gone, the other one stays until it is recorded"
            )


@pytest.mark.alone
def test_the_api_server_may_go_away_while_a_step_runs(kubernetes: Kubernetes, bench: JobBench) -> None:
    with bench.running(
        bench.request("i=0; while [ $i -lt 60 ]; do echo line $i; i=$((i+1)); sleep 0.2; done")
    ) as results:
        bench.wait_for_line("line 3\n")
        kubernetes.stop_api()
        time.sleep(3.0)  # for as long as this it is away
        kubernetes.start_api()

    assert results[0].outcome == "succeeded", results[0]
    assert bench.log.said == "".join(f"line {number}\n" for number in range(60))


def grant(bench: JobBench, account: str, permissions: Iterable[Permission]) -> None:
    """An account of this name with just these permissions."""
    rules = [
        {
            "apiGroups": [permission.group],
            "resources": [f"{permission.resource}/{permission.subresource}".rstrip("/")],
            "verbs": [permission.verb],
        }
        for permission in permissions
    ]
    role = "/apis/rbac.authorization.k8s.io/v1/namespaces/" + bench.namespace
    bench.kubernetes.request(
        "POST", f"/api/v1/namespaces/{bench.namespace}/serviceaccounts", {"metadata": {"name": account}}
    )
    bench.kubernetes.request("POST", f"{role}/roles", {"metadata": {"name": account}, "rules": rules})
    binding = {
        "metadata": {"name": account},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": account},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": bench.namespace}],
    }
    bench.kubernetes.request("POST", f"{role}/rolebindings", binding)


def events(bench: JobBench) -> list[dict[str, Any]]:
    found = bench.kubernetes.request("GET", f"/api/v1/namespaces/{bench.namespace}/events")
    return list(found["items"])
