"""Each action of a k8s handler on a real cluster."""

from __future__ import annotations

from typing import Any

from tests.integration.kubernetes.bench import WEB, Bench, deployment, job

from atomctl.kubernetes import codes
from atomctl.runs.steps import codes as step_codes

CONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings"},
    "data": {"colour": "green"},
}


def test_get_hands_the_object_on_as_the_cluster_says_it(bench: Bench) -> None:
    bench.web(replicas=0)
    found: Any = bench.done("get", kind="Deployment", name="web").outputs["object"]
    assert found["spec"]["replicas"] == 0
    assert found["kind"] == "Deployment"
    assert "managedFields" not in found["metadata"]


def test_get_with_a_selector_hands_a_list_on(bench: Bench) -> None:
    bench.web("a", replicas=0)
    bench.web("b", replicas=0)
    result = bench.done("get", kind="Deployment", selector="app in (a,b)")
    objects: Any = result.outputs["objects"]
    assert [each["metadata"]["name"] for each in objects] == ["a", "b"]
    assert objects[0]["kind"] == "Deployment"
    assert bench.done("get", kind="Deployment", selector="app=none").outputs == {"objects": []}


def test_a_secret_is_never_handed_on(bench: Bench) -> None:
    bench.create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"p": "geheimnis"}})
    assert bench.done("get", kind="Secret", name="db").outputs == {}
    assert "geheim" not in bench.log.text


def test_apply_makes_an_object_and_then_changes_it_under_its_own_field_manager(bench: Bench) -> None:
    made: Any = bench.done("apply", manifest=CONFIG).outputs["object"]
    assert made["data"] == {"colour": "green"}
    bench.done("apply", manifest={**CONFIG, "data": {"colour": "blue"}})
    now = bench.look("v1 configmaps/settings")
    assert now["data"] == {"colour": "blue"}
    assert {each["manager"] for each in now["metadata"]["managedFields"]} == {"atomctl"}
    assert [change.before is None for change in bench.own] == [True, False]


def test_apply_takes_the_objects_of_a_file_of_the_package(bench: Bench) -> None:
    (bench.folder / "manifests").mkdir()
    two = "\n---\n".join(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{found: 'yes'}}"
        for name in ("one", "two")
    )
    (bench.folder / "manifests" / "maps.yaml").write_text(two)
    bench.done("apply", manifest="manifests/maps.yaml")
    assert bench.look("v1 configmaps/two")["data"] == {"found": "yes"}
    assert [change.name for change in bench.own] == ["one", "two"]


def test_what_is_already_as_wanted_is_not_written_again(bench: Bench) -> None:
    bench.done("apply", manifest=CONFIG)
    before = bench.look("v1 configmaps/settings")["metadata"]["resourceVersion"]
    result = bench.done("apply", manifest=CONFIG)
    assert result.changes == ()
    assert bench.look("v1 configmaps/settings")["metadata"]["resourceVersion"] == before


def test_fields_that_somebody_else_applied_are_a_conflict_and_stay(bench: Bench) -> None:
    bench.kubernetes.must(
        *("apply", "--server-side", "-n", bench.namespace, "-f", "-"),
        given='{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings"},"data":{"colour":"red"}}',
    )
    result = bench.act("apply", manifest=CONFIG)
    assert (result.outcome, result.code) == ("failed", codes.CONFLICT)
    assert "kubectl" in (result.error or "")
    assert ".data.colour" in (result.error or "")
    assert bench.look("v1 configmaps/settings")["data"] == {"colour": "red"}
    assert bench.ledger.intents == []


def test_patch_changes_a_part_and_leaves_the_rest(bench: Bench) -> None:
    bench.web(replicas=0)
    bench.done("patch", kind="Deployment", name="web", patch={"spec": {"minReadySeconds": 3}})
    spec = bench.look(WEB)["spec"]
    assert (spec["minReadySeconds"], spec["replicas"]) == (3, 0)
    (change,) = bench.own
    assert change.before_digest != change.after_digest
    assert "spec.minReadySeconds: (absent) -> 3" in bench.log.text


def test_patch_with_a_selector_changes_every_match(bench: Bench) -> None:
    for name in ("a", "b"):
        bench.create({**CONFIG, "metadata": {"name": name, "labels": {"team": "shop"}}})
    result = bench.done("patch", kind="ConfigMap", selector="team=shop", patch={"data": {"colour": "blue"}})
    objects: Any = result.outputs["objects"]
    assert [each["data"]["colour"] for each in objects] == ["blue", "blue"]


def test_a_secret_is_written_without_being_read_and_without_being_shown(bench: Bench) -> None:
    bench.create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"password": "old"}})
    value = "correct-horse-battery"
    result = bench.done(
        "patch", kind="Secret", name="db", patch={"stringData": {"password": value}}, secrets={"db": value}
    )
    assert result.outputs == {}
    assert value not in bench.log.text
    (change,) = result.changes
    assert (change.kept, change.before, change.after) == (False, None, None)
    assert bench.look("v1 secrets/db")["data"]["password"] == "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5"


def test_scale_goes_through_the_scale_subresource(bench: Bench) -> None:
    bench.web(replicas=0)
    outputs: Any = bench.done("scale", kind="Deployment", name="web", replicas="1").outputs
    assert outputs["object"]["spec"]["replicas"] == 1
    managed = bench.look(WEB)["metadata"]["managedFields"]
    assert any(each.get("subresource") == "scale" and each["manager"] == "atomctl" for each in managed)


def test_restart_replaces_the_pods_and_a_repeat_replaces_none(bench: Bench) -> None:
    bench.web()
    bench.done("rollout-status", kind="Deployment", name="web")
    before = pods(bench)
    bench.done("restart", kind="Deployment", name="web")
    bench.done("rollout-status", kind="Deployment", name="web")
    after = pods(bench)
    assert before.isdisjoint(after)
    assert bench.done("restart", kind="Deployment", name="web").changes == ()
    assert pods(bench) == after


def test_rollout_undo_brings_an_earlier_revision_back(bench: Bench) -> None:
    bench.web(replicas=0)
    for colour in ("green", "blue"):
        note = {"spec": {"template": {"metadata": {"annotations": {"colour": colour}}}}}
        bench.done("patch", kind="Deployment", name="web", patch=note)
        bench.done("rollout-status", kind="Deployment", name="web")
    bench.done("undo", kind="Deployment", name="web")
    assert colour_of(bench) == "green"
    bench.done("rollout-status", kind="Deployment", name="web")
    bench.done("undo", kind="Deployment", name="web", revision=1)
    assert colour_of(bench) is None
    refused = bench.act("undo", kind="Deployment", name="web", revision=99)
    assert (refused.outcome, refused.code) == ("refused", step_codes.NO_REVISION)


def test_rollout_undo_of_a_stateful_set(bench: Bench) -> None:
    item = deployment(replicas=0)
    del item["spec"]["progressDeadlineSeconds"]
    item["spec"]["serviceName"] = "web"
    bench.create({**item, "kind": "StatefulSet"})
    bench.done("rollout-status", kind="StatefulSet", name="web")
    note = {"spec": {"template": {"metadata": {"annotations": {"colour": "green"}}}}}
    bench.done("patch", kind="StatefulSet", name="web", patch=note)
    bench.done("rollout-status", kind="StatefulSet", name="web")
    bench.done("undo", kind="StatefulSet", name="web")
    found = bench.look("apps/v1 statefulsets/web")["spec"]["template"]["metadata"]
    assert "colour" not in found.get("annotations", {})


def test_wait_for_a_condition_and_for_the_end_of_it(bench: Bench) -> None:
    bench.web()
    bench.done("wait", kind="Deployment", name="web", condition="Available")
    bench.done("wait", kind="Pod", selector="app=web", condition="ready")
    bench.done("delete", kind="Deployment", name="web")
    bench.done("wait", kind="Pod", selector="app=web", condition="deleted")
    assert pods(bench) == set()


def test_delete_by_selector_and_again(bench: Bench) -> None:
    for name in ("a", "b"):
        bench.create({**CONFIG, "metadata": {"name": name, "labels": {"team": "shop"}}})
    assert len(bench.done("delete", kind="ConfigMap", selector="team=shop").changes) == 2
    assert bench.done("delete", kind="ConfigMap", name="a").changes == ()
    nothing = bench.act("delete", kind="ConfigMap", selector="team=shop")
    assert (nothing.outcome, nothing.code) == ("failed", codes.NOT_FOUND)


def test_logs_of_a_deployment_are_those_of_its_pods(bench: Bench) -> None:
    bench.web(replicas=2)
    bench.done("rollout-status", kind="Deployment", name="web")
    text: Any = bench.done("logs", kind="Deployment", name="web", tail_lines=10, since="5m").outputs["text"]
    assert text.count("/app: hello") == 2
    assert bench.log.text.count("/app: hello") == 2


def test_logs_of_a_container_that_does_not_start_say_so(bench: Bench) -> None:
    item = deployment("stuck")
    item["spec"]["template"]["spec"]["containers"][0]["image"] = "localhost/missing:1"
    bench.create(item)
    bench.act("wait", kind="Pod", selector="app=stuck", condition="Ready", seconds=2)
    assert bench.done("logs", kind="Deployment", name="stuck").outputs == {"text": ""}
    assert "ErrImageNeverPull" in bench.log.text


def test_events_of_a_deployment_are_also_those_of_its_pods(bench: Bench) -> None:
    bench.web()
    bench.web("other", replicas=0)
    bench.done("rollout-status", kind="Deployment", name="web")
    events: Any = bench.done("events", kind="Deployment", name="web", since="10m").outputs["events"]
    reasons = {event["reason"] for event in events}
    assert {"ScalingReplicaSet", "SuccessfulCreate", "Started"} <= reasons
    assert all("other" not in event["object"] for event in events)
    everything: Any = bench.done("events").outputs["events"]
    assert len(everything) >= len(events)


def test_a_job_runs_to_its_end_and_its_log_can_be_read(bench: Bench) -> None:
    manifest = job("count", "python3", "-c", "print(6 * 7)")
    outputs: Any = bench.done("job", manifest=manifest).outputs
    assert outputs["object"]["status"]["succeeded"] == 1
    assert bench.done("logs", kind="Job", name="count").outputs == {"text": "42"}


def test_a_job_of_an_attempt_that_was_lost_is_gone_on_with(bench: Bench) -> None:
    manifest = job("count", "true")
    first = bench.done("job", manifest=manifest)
    second = bench.done("job", manifest=manifest)
    uid = [result.outputs["object"]["metadata"]["uid"] for result in (first, second)]  # type: ignore[index, call-overload]
    assert uid[0] == uid[1]
    assert second.changes == ()


def test_another_try_makes_the_job_anew(bench: Bench) -> None:
    manifest = job("fails", "false")
    first = bench.act("job", manifest=manifest)
    assert (first.outcome, first.code) == ("failed", codes.JOB_FAILED)
    assert "exit code 1" in (first.error or "")
    second = bench.act("job", manifest=manifest, try_number=2)
    assert second.code is codes.JOB_FAILED
    assert [change.after is None for change in second.changes] == [True, False]


def test_a_job_of_somebody_else_is_left_alone(bench: Bench) -> None:
    bench.create(job("count", "true"))
    result = bench.act("job", manifest=job("count", "true"))
    assert (result.outcome, result.code) == ("failed", codes.EXISTS)
    assert bench.ledger.intents == []


def test_a_custom_resource_is_applied_patched_and_deleted_like_any_other(bench: Bench) -> None:
    bench.kubernetes.must("apply", "-f", "-", given=WIDGETS)
    bench.kubernetes.must("wait", "--for=condition=Established", "crd/widgets.tests.atomctl.dev")
    widget = {"apiVersion": "tests.atomctl.dev/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}}
    bench.done("apply", manifest=widget)
    bench.done("patch", kind="Widget", name="w", patch={"spec": {"size": 2}})
    found: Any = bench.done("get", kind="Widget", api_version="tests.atomctl.dev/v1", name="w").outputs["object"]
    assert found["spec"] == {"size": 2}
    bench.done("delete", kind="Widget", name="w")


WIDGETS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.tests.atomctl.dev}
spec:
  group: tests.atomctl.dev
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""


def pods(bench: Bench) -> set[str]:
    found = bench.look("v1 pods")["items"]
    return {each["metadata"]["name"] for each in found if "deletionTimestamp" not in each["metadata"]}


def colour_of(bench: Bench) -> str | None:
    template = bench.look(WEB)["spec"]["template"]["metadata"]
    found: str | None = template.get("annotations", {}).get("colour")
    return found
