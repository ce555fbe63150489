"""What a step changed is put back as it was; somebody else's later change is never written over."""

from __future__ import annotations

import dataclasses
from typing import Any

from tests.integration.kubernetes.bench import WEB, Bench, job

from atomctl.runs.steps import codes

MAP: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings", "labels": {"team": "shop"}},
    "data": {"colour": "green", "size": "1"},
}
MAPS = "v1 configmaps/settings"


def test_a_restart_that_did_not_help_is_taken_back(bench: Bench) -> None:
    bench.web(replicas=0)
    before = bench.look(WEB)["spec"]
    bench.done("restart", step="restart", kind="Deployment", name="web")
    assert bench.look(WEB)["spec"] != before
    bench.done("undo", step="undo", undoes="restart", kind="Deployment", name="web")
    assert bench.look(WEB)["spec"] == before


def test_an_undo_that_is_repeated_does_not_go_further_back(bench: Bench) -> None:
    bench.create(MAP)
    bench.done("patch", step="paint", kind="ConfigMap", name="settings", patch={"data": {"colour": "blue"}})
    bench.done("undo", step="undo", undoes="paint", kind="ConfigMap", name="settings")
    assert bench.done("undo", step="undo", undoes="paint", kind="ConfigMap", name="settings").changes == ()
    assert bench.look(MAPS)["data"] == MAP["data"]


def test_somebody_elses_later_change_of_the_same_place_is_not_written_over(bench: Bench) -> None:
    bench.web(replicas=0)
    bench.done("scale", step="scale", kind="Deployment", name="web", replicas=1)
    bench.change(WEB, {"spec": {"replicas": 3}})
    result = bench.act("undo", step="undo", undoes="scale", kind="Deployment", name="web")
    assert (result.outcome, result.code) == ("refused", codes.CHANGED_SINCE)
    assert "spec.replicas" in (result.error or "")
    assert bench.look(WEB)["spec"]["replicas"] == 3


def test_a_pod_template_is_one_place(bench: Bench) -> None:
    bench.web(replicas=0)
    bench.done("restart", step="restart", kind="Deployment", name="web")
    bench.change(WEB, {"spec": {"template": {"metadata": {"annotations": {"colour": "green"}}}}})
    result = bench.act("undo", step="undo", undoes="restart", kind="Deployment", name="web")
    assert (result.outcome, result.code) == ("refused", codes.CHANGED_SINCE)
    assert "spec.template" in (result.error or "")


def test_what_others_changed_elsewhere_stays(bench: Bench) -> None:
    bench.create(MAP)
    bench.done("patch", step="paint", kind="ConfigMap", name="settings", patch={"data": {"colour": "blue"}})
    bench.change(MAPS, {"data": {"size": "2"}, "metadata": {"labels": {"team": "payments"}}})
    bench.done("undo", step="undo", undoes="paint", kind="ConfigMap", name="settings")
    now = bench.look(MAPS)
    assert now["data"] == {"colour": "green", "size": "2"}
    assert now["metadata"]["labels"] == {"team": "payments"}


def test_what_was_deleted_is_made_again(bench: Bench) -> None:
    bench.create(MAP)
    bench.done("delete", step="drop", kind="ConfigMap", name="settings")
    bench.done("undo", step="undo", undoes="drop", kind="ConfigMap", name="settings")
    now = bench.look(MAPS)
    assert now["data"] == MAP["data"]
    assert now["metadata"]["labels"] == {"team": "shop"}


def test_what_somebody_made_in_place_of_the_deleted_stays(bench: Bench) -> None:
    bench.create(MAP)
    bench.done("delete", step="drop", kind="ConfigMap", name="settings")
    bench.create({**MAP, "data": {"mine": "yes"}})
    result = bench.act("undo", step="undo", undoes="drop", kind="ConfigMap", name="settings")
    assert (result.outcome, result.code) == ("refused", codes.CHANGED_SINCE)
    assert bench.look(MAPS)["data"] == {"mine": "yes"}


def test_what_was_made_is_removed(bench: Bench) -> None:
    bench.done("apply", step="make", manifest=MAP)
    bench.done("undo", step="undo", undoes="make", kind="ConfigMap", name="settings")
    assert bench.done("get", kind="ConfigMap", selector="team=shop").outputs == {"objects": []}


def test_what_was_made_and_then_used_by_somebody_is_not_removed(bench: Bench) -> None:
    bench.done("apply", step="make", manifest=MAP)
    bench.change(MAPS, {"data": {"colour": "theirs"}})
    result = bench.act("undo", step="undo", undoes="make", kind="ConfigMap", name="settings")
    assert (result.outcome, result.code) == ("refused", codes.CHANGED_SINCE)
    assert bench.look(MAPS)["data"]["colour"] == "theirs"


def test_a_job_that_was_made_is_removed_with_its_pods(bench: Bench) -> None:
    bench.done("job", step="count", manifest=job("count", "true"))
    bench.done("undo", step="undo", undoes="count", kind="Job", name="count")
    bench.done("wait", kind="Pod", selector="batch.kubernetes.io/job-name=count", condition="deleted")


def test_a_deleted_job_can_be_made_again(bench: Bench) -> None:
    bench.create(job("count", "true"))
    bench.done("wait", kind="Job", name="count", condition="Complete")
    bench.done("delete", step="drop", kind="Job", name="count")
    bench.done("undo", step="undo", undoes="drop", kind="Job", name="count")
    bench.done("wait", kind="Job", name="count", condition="Complete")


def test_all_objects_of_a_selector_are_put_back(bench: Bench) -> None:
    for name in ("a", "b"):
        bench.create({**MAP, "metadata": {"name": name, "labels": {"team": "shop"}}})
    bench.done("patch", step="paint", kind="ConfigMap", selector="team=shop", patch={"data": {"colour": "blue"}})
    bench.done("undo", step="undo", undoes="paint", kind="ConfigMap", selector="team=shop")
    assert {bench.look(f"v1 configmaps/{name}")["data"]["colour"] for name in ("a", "b")} == {"green"}


def test_a_secret_cannot_be_put_back_and_the_refusal_says_why(bench: Bench) -> None:
    bench.create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"p": "old-value"}})
    bench.done("patch", step="write", kind="Secret", name="db", patch={"stringData": {"p": "new-value"}})
    result = bench.act("undo", step="undo", undoes="write", kind="Secret", name="db")
    assert (result.outcome, result.code) == ("refused", codes.NOT_KEPT)


def test_a_step_that_changed_nothing_has_nothing_to_undo(bench: Bench) -> None:
    bench.create(MAP)
    assert bench.done("undo", step="undo", undoes="paint", kind="ConfigMap", name="settings").changes == ()
    assert "nothing to undo" in bench.log.text


def test_a_change_whose_answer_was_lost_with_its_worker_is_put_back_too(bench: Bench) -> None:
    """All that is left of the attempt is its intent: what was there, and what the dry run said would be."""
    bench.create(MAP)
    bench.done("patch", step="paint", kind="ConfigMap", name="settings", patch={"data": {"colour": "blue"}})
    bench.own[:] = [dataclasses.replace(change) for change in bench.ledger.intents]
    bench.done("undo", step="undo", undoes="paint", kind="ConfigMap", name="settings")
    assert bench.look(MAPS)["data"] == MAP["data"]


def test_an_intent_that_never_came_to_anything_is_nothing_to_undo(bench: Bench) -> None:
    bench.create(MAP)
    bench.done("patch", step="paint", kind="ConfigMap", name="settings", patch={"data": {"colour": "blue"}})
    bench.change(MAPS, {"data": {"colour": "green"}})
    assert bench.done("undo", step="undo", undoes="paint", kind="ConfigMap", name="settings").changes == ()
