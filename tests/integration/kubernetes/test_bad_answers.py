"""A cluster that refuses, is slow, is gone or breaks off: a code, the object and the reason, and a defined end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.kubernetes.bench import Bench, container, deployment, job, patient
from tests.servers.api_proxy import ApiProxy, Handler, refuse, sleep, times
from tests.servers.kubernetes import Kubernetes

from atomctl.errors import AtomError, Code
from atomctl.kubernetes import codes
from atomctl.kubernetes.connection import Cluster, Credentials
from atomctl.runs.steps.kubernetes.place import Place
from atomctl.runs.steps.model import StepResult

MAP: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "1"}}
PATCH: dict[str, Any] = {"kind": "ConfigMap", "name": "settings", "patch": {"data": {"a": "2"}}}
BUSY = refuse(429, "TooManyRequests", "too many requests", retry_after="1")
BROKEN = refuse(500, "InternalError", "etcdserver: leader changed")


@pytest.fixture
def proxy(kubernetes: Kubernetes) -> Iterator[ApiProxy]:
    with ApiProxy(kubernetes) as running:
        yield running


@pytest.fixture
def behind(bench: Bench, proxy: ApiProxy, tmp_path: Path) -> Iterator[Bench]:
    """The bench, with the misbehaving server in between."""
    place = Place.of(Cluster(Credentials(proxy.kubeconfig(tmp_path))))
    yield patient(bench, place)
    place.cluster.close()


def refused(result: StepResult, code: Code, *words: str, outcome: str = "failed") -> None:
    assert (result.outcome, result.code) == (outcome, code), result.error
    for word in words:
        assert word in (result.error or "")


def test_no_permission(bench: Bench, tmp_path: Path) -> None:
    bench.kubernetes.must("create", "serviceaccount", "nobody", "-n", bench.namespace)
    file = bench.kubernetes.account_kubeconfig(tmp_path, bench.namespace, "nobody")
    place = Place.of(Cluster(Credentials(file)))
    result = bench.act("get", kind="Deployment", name="web", place=place)
    place.cluster.close()
    refused(result, codes.FORBIDDEN, f"Deployment {bench.namespace}/web", 'cannot get resource "deployments"')


def test_wrong_namespace(bench: Bench) -> None:
    result = bench.act("apply", manifest=MAP, namespace="no-such-place")
    refused(result, codes.NOT_FOUND, "ConfigMap no-such-place/settings", "there is no namespace no-such-place")


def test_missing_resource(bench: Bench) -> None:
    result = bench.act("restart", kind="Deployment", name="web")
    refused(result, codes.NOT_FOUND, f"get Deployment {bench.namespace}/web", '"web" not found')


def test_an_unknown_kind(bench: Bench) -> None:
    refused(bench.act("get", kind="Deploiment", name="web"), codes.NO_KIND, "Deploiment")


def test_an_admission_refusal_by_pod_security(bench: Bench) -> None:
    label = "pod-security.kubernetes.io/enforce=restricted"
    bench.kubernetes.must("label", "namespace", bench.namespace, label)
    pod: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "root"},
        "spec": {"containers": [container()]},
    }
    result = bench.act("apply", manifest=pod)
    refused(result, codes.ADMISSION, f"Pod {bench.namespace}/root", "violates PodSecurity", "runAsNonRoot")
    assert bench.ledger.intents == []


def test_an_admission_refusal_by_a_quota(bench: Bench) -> None:
    bench.kubernetes.must("create", "quota", "few", "--hard=count/configmaps=1", "-n", bench.namespace)
    quota = "--for=jsonpath={.status.hard}", "resourcequota/few", "-n", bench.namespace
    bench.kubernetes.must("wait", *quota)
    refused(bench.act("apply", manifest=MAP), codes.ADMISSION, "exceeded quota: few")


def test_an_admission_refusal_by_a_policy(bench: Bench) -> None:
    bench.kubernetes.must("apply", "-f", "-", given=policy(bench.namespace))
    bench.create({**MAP, "data": {"a": "1"}})
    deadline = time.monotonic() + 20
    while (result := bench.act("patch", **PATCH)).code is not codes.ADMISSION and time.monotonic() < deadline:
        bench.done("patch", **{**PATCH, "patch": {"data": {"a": "1"}}})
    refused(result, codes.ADMISSION, "a stays 1")


def test_an_invalid_object(bench: Bench) -> None:
    result = bench.act("apply", manifest={**deployment(), "spec": {"replicas": 1}})
    refused(result, codes.INVALID, f"Deployment {bench.namespace}/web", "spec.selector")


def test_a_busy_server_is_asked_again(behind: Bench, proxy: ApiProxy) -> None:
    behind.create(MAP)
    proxy.misbehave = times(2, BUSY)
    behind.done("patch", **PATCH)


def test_a_server_that_stays_busy(behind: Bench, proxy: ApiProxy) -> None:
    behind.create(MAP)
    proxy.misbehave = times(99, BUSY, only="PATCH")
    refused(behind.act("patch", **PATCH), codes.BUSY, "patch ConfigMap", "too many requests")
    assert behind.look("v1 configmaps/settings")["data"] == {"a": "1"}


def test_a_server_that_fails_is_asked_again_what_is_and_not_to_change_it_twice(behind: Bench, proxy: ApiProxy) -> None:
    behind.create(MAP)
    proxy.misbehave = times(2, BROKEN)
    behind.done("get", kind="ConfigMap", name="settings")
    proxy.misbehave = times(99, BROKEN, only="PATCH")
    refused(behind.act("patch", **PATCH), codes.SERVER_ERROR, "patch ConfigMap", "500", "leader changed")
    assert len(proxy.writes()) == 1


def test_a_change_whose_answer_broke_off_is_found_made_by_the_next_attempt(behind: Bench, proxy: ApiProxy) -> None:
    behind.create(MAP)
    proxy.misbehave = times(1, Handler.do_and_cut, only="PATCH")
    refused(behind.act("patch", **PATCH), codes.BROKEN, "patch ConfigMap")
    assert behind.done("patch", **PATCH).changes == ()
    assert behind.look("v1 configmaps/settings")["data"] == {"a": "2"}


def test_a_slow_server_holds_a_step_no_longer_than_its_timeout(behind: Bench, proxy: ApiProxy) -> None:
    proxy.misbehave = times(99, sleep(30))
    begun = time.monotonic()
    result = behind.act("get", kind="ConfigMap", name="settings", seconds=1.5)
    refused(result, codes.SLOW, "get ConfigMap", outcome="timed_out")
    assert time.monotonic() - begun < 5


def test_an_answer_that_is_no_answer(behind: Bench, proxy: ApiProxy) -> None:
    proxy.misbehave = times(1, lambda handler: handler.say(200, b"<html>login</html>", "text/html"))
    refused(behind.act("get", kind="ConfigMap", name="settings"), codes.BROKEN, "not JSON")


def test_an_answer_without_end(behind: Bench, proxy: ApiProxy) -> None:
    proxy.misbehave = times(1, lambda handler: handler.say(200, b"[" * (17 * 1024 * 1024)))
    refused(behind.act("get", kind="ConfigMap", name="settings"), codes.TOO_LARGE)


def test_a_server_that_is_gone(bench: Bench, proxy: ApiProxy, tmp_path: Path) -> None:
    place = Place.of(Cluster(Credentials(proxy.kubeconfig(tmp_path))))
    proxy.__exit__()
    result = bench.act("get", kind="ConfigMap", name="settings", place=place)
    place.cluster.close()
    refused(result, codes.UNREACHABLE, "get ConfigMap", "refused")


def test_a_wait_goes_on_when_its_server_comes_back(behind: Bench, proxy: ApiProxy) -> None:
    behind.web()
    proxy.misbehave = times(8, lambda handler: handler.cut(b'{"kind'))
    behind.done("rollout-status", kind="Deployment", name="web", seconds=60)
    assert "KUB007" in behind.log.text


def test_a_log_that_breaks_off(behind: Bench, proxy: ApiProxy) -> None:
    behind.web()
    behind.done("rollout-status", kind="Deployment", name="web")
    proxy.misbehave = lambda handler: "/log?" in handler.path and handler.cut(b"hel")
    refused(behind.act("logs", kind="Deployment", name="web"), codes.BROKEN, "get log of Pod")


def test_a_rollout_that_the_controller_gives_up(bench: Bench) -> None:
    bench.web(ready=False)
    result = bench.act("rollout-status", kind="Deployment", name="web", seconds=40)
    refused(result, codes.ROLLOUT_FAILED, f"Deployment {bench.namespace}/web", "ProgressDeadlineExceeded", "Pod web-")


def test_a_rollout_that_is_not_ready_within_the_timeout(bench: Bench) -> None:
    item = deployment()
    item["spec"]["template"]["spec"]["containers"][0]["image"] = "localhost/missing:1"
    bench.create(item)
    result = bench.act("rollout-status", kind="Deployment", name="web", seconds=3)
    refused(result, codes.NOT_IN_TIME, "0 of 1 replicas available", "ErrImageNeverPull", outcome="timed_out")


def test_a_job_whose_image_is_not_there_is_removed(bench: Bench) -> None:
    result = bench.act("job", manifest=job("count", image="localhost/missing:1"), seconds=60)
    refused(result, codes.NOT_STARTING, f"Job {bench.namespace}/count", "ErrImageNeverPull", "localhost/missing:1")
    assert "removed with its Pods" in bench.log.text


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        (job("count", "sleep", "60", activeDeadlineSeconds=1), "DeadlineExceeded"),
        (job("count", "python3", "-c", "raise SystemExit(3)"), "exit code 3"),
    ],
)
def test_a_job_that_fails_says_why(bench: Bench, manifest: dict[str, Any], reason: str) -> None:
    result = bench.act("job", manifest=manifest, seconds=60)
    refused(result, codes.JOB_FAILED, f"Job {bench.namespace}/count", reason)


def test_a_job_of_a_cancelled_step_is_removed(bench: Bench) -> None:
    cancelled = threading.Event()
    threading.Timer(2.0, cancelled.set).start()
    result = bench.act("job", manifest=job("count", "sleep", "600"), cancelled=cancelled, seconds=60)
    assert result.outcome == "cancelled"
    bench.done("wait", kind="Job", name="count", condition="deleted")
    bench.done("wait", kind="Pod", selector="batch.kubernetes.io/job-name=count", condition="deleted")


def test_credentials_that_have_ended_and_are_renewed_in_place(bench: Bench, tmp_path: Path) -> None:
    bench.create(MAP)
    file = tmp_path / "kubeconfig"
    good = bench.kubernetes.kubeconfig.read_text()
    file.write_text(good.replace(bench.kubernetes.token, "ended"))
    place = Place.of(Cluster(Credentials(file)))
    result = bench.act("get", kind="ConfigMap", name="settings", place=place)
    refused(result, codes.CREDENTIALS, f"ConfigMap {bench.namespace}/settings", "Unauthorized")
    file.write_text(good)
    bench.done("get", kind="ConfigMap", name="settings", place=place)
    place.cluster.close()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.unlink(),
        lambda file: file.write_text("no: [kubeconfig"),
        lambda file: file.write_text("clusters: 7"),
        lambda file: file.write_text(file.read_text().replace("current-context", "other")),
        lambda file: file.write_bytes(b"\xff\xfe\x00"),
    ],
)
def test_a_kubeconfig_that_is_none(bench: Bench, tmp_path: Path, spoil: Callable[[Path], Any]) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(bench.kubernetes.kubeconfig.read_text())
    spoil(file)
    with pytest.raises(AtomError) as bad:
        Cluster(Credentials(file))
    assert bad.value.code is codes.BAD_CONNECTION
    assert str(file) in bad.value.why


def test_a_context_that_is_not_there_is_named(bench: Bench) -> None:
    with pytest.raises(AtomError, match="moon"):
        Cluster(Credentials(bench.kubernetes.kubeconfig, "moon"))


def test_outside_of_a_pod_there_is_no_service_account() -> None:
    with pytest.raises(AtomError) as bad:
        Cluster(Credentials(None))
    assert bad.value.code is codes.BAD_CONNECTION


def policy(namespace: str) -> str:
    return f"""
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: {namespace}}}
spec:
  matchConstraints:
    resourceRules:
      - {{apiGroups: [""], apiVersions: [v1], operations: [UPDATE], resources: [configmaps]}}
  validations:
    - {{expression: "object.data.a == '1'", message: a stays 1}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: {namespace}}}
spec:
  policyName: {namespace}
  validationActions: [Deny]
  matchResources:
    namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {namespace}}}}}
"""
