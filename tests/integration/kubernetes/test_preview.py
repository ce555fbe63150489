"""What the cluster says a run would do, and that a step does that and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.kubernetes.bench import WEB, Bench, deployment, job

from atomctl.errors import AtomError
from atomctl.kubernetes import codes
from atomctl.runs.steps import codes as step_codes
from atomctl.runs.steps.kubernetes.preview import Preview

MAP: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings"},
    "data": {"colour": "green"},
}
FROM_A_STEP = '${{ steps["read"].outputs.object.spec.replicas }}'


def test_the_preview_shows_what_changes_and_changes_nothing(bench: Bench) -> None:
    bench.web(replicas=0)
    bench.done("rollout-status", kind="Deployment", name="web")
    before = bench.look(WEB)["metadata"]["generation"]
    preview = bench.preview(
        bench.planned("scale", step="up", kind="Deployment", name="web", replicas=2),
        bench.planned("restart", step="restart", kind="Deployment", name="web"),
        bench.planned("apply", step="make", manifest=MAP),
        bench.planned("job", step="count", manifest=job("count", "true")),
        bench.planned("delete", step="drop", kind="Deployment", name="web"),
    )
    assert bench.look(WEB)["metadata"]["generation"] == before
    with pytest.raises(Exception, match="404"):
        bench.look("v1 configmaps/settings")
    assert differences(preview, "up") == [("spec.replicas", "0", "2")]
    assert differences(preview, "make") == [("", "(not there)", "(there)")]
    assert differences(preview, "drop") == [("", "(there)", "(not there)")]
    ((path, was, will),) = differences(preview, "restart")
    assert path == "spec.template.metadata.annotations"
    assert (was, "run-1/restart" in will) == ("(absent)", True)


def test_the_same_state_gives_the_same_preview_and_another_one_another(bench: Bench) -> None:
    bench.web(replicas=0)
    step = bench.planned("scale", kind="Deployment", name="web", replicas=2)
    first = bench.preview(step)
    assert bench.preview(step).digest == first.digest
    bench.change(WEB, {"spec": {"minReadySeconds": 3}})
    assert bench.preview(step).digest != first.digest


def test_what_was_approved_is_done(bench: Bench) -> None:
    bench.web(replicas=0)
    preview = bench.preview(bench.planned("scale", kind="Deployment", name="web", replicas=1))
    bench.done("scale", approved=preview, kind="Deployment", name="web", replicas=1)
    (change,) = bench.own
    (item,) = objects(preview)
    assert (str(change.before_digest), str(change.after_digest)) == (item["before"], item["after"])


def test_an_object_that_was_changed_since_the_preview_is_left_alone(bench: Bench) -> None:
    bench.web(replicas=0)
    preview = bench.preview(bench.planned("scale", kind="Deployment", name="web", replicas=1))
    bench.change(WEB, {"spec": {"template": {"metadata": {"annotations": {"colour": "red"}}}}})
    result = bench.act("scale", approved=preview, kind="Deployment", name="web", replicas=1)
    assert (result.outcome, result.code) == ("refused", step_codes.DRIFT)
    assert bench.look(WEB)["spec"]["replicas"] == 0
    assert bench.ledger.intents == []


def test_an_object_that_is_gone_since_the_preview_is_said_to_be(bench: Bench) -> None:
    bench.web(replicas=0)
    preview = bench.preview(bench.planned("restart", kind="Deployment", name="web"))
    bench.kubernetes.must("delete", "deployment", "web", "-n", bench.namespace)
    result = bench.act("restart", approved=preview, kind="Deployment", name="web")
    assert (result.outcome, result.code) == ("failed", codes.NOT_FOUND)


def test_an_object_that_a_selector_matches_since_the_preview_is_not_touched(bench: Bench) -> None:
    bench.create({**MAP, "metadata": {"name": "a", "labels": {"team": "shop"}}})
    preview = bench.preview(bench.planned("delete", kind="ConfigMap", selector="team=shop"))
    bench.create({**MAP, "metadata": {"name": "b", "labels": {"team": "shop"}}})
    result = bench.act("delete", approved=preview, kind="ConfigMap", selector="team=shop")
    assert result.code is step_codes.DRIFT
    assert "/b was not among" in (result.error or "")
    assert bench.look("v1 configmaps/b")["data"] == MAP["data"]


def test_an_autoscaler_may_work_between_the_preview_and_a_restart(bench: Bench) -> None:
    bench.web(replicas=0)
    preview = bench.preview(bench.planned("restart", kind="Deployment", name="web"))
    bench.change(WEB, {"spec": {"replicas": 1}})
    bench.done("restart", approved=preview, kind="Deployment", name="web")


def test_what_the_run_itself_did_to_the_object_is_no_drift(bench: Bench) -> None:
    bench.web(replicas=0)
    preview = bench.preview(
        bench.planned("scale", step="up", kind="Deployment", name="web", replicas=1),
        bench.planned("restart", step="restart", kind="Deployment", name="web"),
    )
    bench.done("scale", step="up", approved=preview, kind="Deployment", name="web", replicas=1)
    bench.done("restart", step="restart", approved=preview, kind="Deployment", name="web")
    bench.done("scale", step="up", approved=preview, kind="Deployment", name="web", replicas=1)


def test_a_value_of_another_step_is_decided_later_and_its_object_is_bound_all_the_same(bench: Bench) -> None:
    bench.web(replicas=0)
    preview = bench.preview(bench.planned("scale", kind="Deployment", name="web", replicas=FROM_A_STEP))
    (entry,) = steps(preview)
    assert (entry["certainty"], "replicas" in entry["why"]) == ("decided_later", True)
    assert differences(preview, "step") == [("replicas", "", FROM_A_STEP)]
    bench.change(WEB, {"spec": {"paused": True}})
    result = bench.act("scale", approved=preview, kind="Deployment", name="web", replicas=1)
    assert result.code is step_codes.DRIFT


def test_an_object_that_an_earlier_step_makes_is_decided_later(bench: Bench) -> None:
    preview = bench.preview(
        bench.planned("apply", step="make", manifest=deployment(replicas=0)),
        bench.planned("restart", step="restart", kind="Deployment", name="web"),
    )
    assert [entry["certainty"] for entry in steps(preview)] == ["changes", "decided_later"]
    bench.done("apply", step="make", approved=preview, manifest=deployment(replicas=0))
    bench.done("restart", step="restart", approved=preview, kind="Deployment", name="web")


def test_an_object_that_somebody_else_made_before_an_earlier_step_could_is_left_alone(bench: Bench) -> None:
    preview = bench.preview(
        bench.planned("apply", step="make", manifest=deployment(replicas=0)),
        bench.planned("restart", step="restart", kind="Deployment", name="web"),
    )
    bench.web(replicas=1)
    result = bench.act("restart", step="restart", approved=preview, kind="Deployment", name="web")
    assert result.code is step_codes.DRIFT


def test_the_preview_of_a_secret_names_its_keys_and_nothing_else(bench: Bench) -> None:
    bench.create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"p": "old-value"}})
    patch: dict[str, Any] = {"stringData": {"user": "app", "password": "${{ secrets.db }}"}}
    preview = bench.preview(bench.planned("patch", kind="Secret", name="db", patch=patch))
    assert differences(preview, "step") == [
        ("data.password", "(not shown)", "(set)"),
        ("data.user", "(not shown)", "(set)"),
    ]


def test_what_the_cluster_would_refuse_is_refused_before_anything_runs(bench: Bench) -> None:
    bench.web(replicas=0)
    with pytest.raises(AtomError) as refused:
        bench.preview(bench.planned("patch", kind="Deployment", name="web", patch={"spec": {"replicas": -1}}))
    assert refused.value.code is codes.INVALID
    assert "spec.replicas" in refused.value.why


def test_what_may_not_run_at_all_is_told_of_and_not_refused(bench: Bench) -> None:
    preview = bench.preview(bench.planned("restart", kind="Deployment", name="none", conditional=True))
    (entry,) = steps(preview)
    assert (entry["certainty"], entry["why"][:6]) == ("problem", "KUB011")


def test_what_was_a_problem_when_people_looked_is_not_done_later(bench: Bench) -> None:
    preview = bench.preview(bench.planned("restart", kind="Deployment", name="web", conditional=True))
    bench.web(replicas=0)
    result = bench.act("restart", approved=preview, kind="Deployment", name="web")
    assert (result.outcome, result.code) == ("refused", step_codes.DRIFT)


def test_nothing_to_change_is_said(bench: Bench) -> None:
    bench.web(replicas=0)
    preview = bench.preview(bench.planned("scale", kind="Deployment", name="web", replicas=0))
    (entry,) = steps(preview)
    assert entry["certainty"] == "nothing"


def steps(preview: Preview) -> list[dict[str, Any]]:
    found: Any = preview.document["steps"]
    return list(found)


def objects(preview: Preview) -> list[dict[str, Any]]:
    return [item for entry in steps(preview) for item in entry["objects"]]


def differences(preview: Preview, step: str) -> list[tuple[str, str, str]]:
    entry = next(entry for entry in steps(preview) if entry["step"] == step)
    return [(each["path"], each["before"], each["after"]) for item in entry["objects"] for each in item["differences"]]
