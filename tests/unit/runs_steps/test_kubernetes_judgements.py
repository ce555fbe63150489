"""When a rollout is complete or given up, what is wrong with a Pod, and which states a change may be made from."""

from __future__ import annotations

from typing import Any

import pytest

from atomctl.db.ids import new_id
from atomctl.errors import AtomError
from atomctl.kubernetes.kinds import known_kind
from atomctl.kubernetes.objects import state_digest
from atomctl.kubernetes.pods import why_it_cannot_start, why_it_ended, why_it_is_not_ready
from atomctl.kubernetes.references import Reference
from atomctl.runs.steps import codes
from atomctl.runs.steps.kubernetes.grounds import ground_of, require_ground
from atomctl.runs.steps.kubernetes.model import Grounds, ObjectChange
from atomctl.runs.steps.kubernetes.rollouts import what_is_missing, why_given_up


def deployment(*, wanted: int = 2, generation: int = 1, **status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "generation": generation},
        "spec": {"replicas": wanted},
        "status": {"observedGeneration": 1, **status},
    }


DONE = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize(
    ("item", "missing"),
    [
        (deployment(**DONE), None),
        (deployment(wanted=0), None),
        (deployment(generation=2, **DONE), "not seen the change"),
        (deployment(**{**DONE, "updatedReplicas": 1}), "1 of 2 replicas updated"),
        (deployment(**{**DONE, "availableReplicas": 1}), "1 of 2 replicas available"),
        (deployment(**{**DONE, "replicas": 3}), "1 old replicas"),
        (
            {
                "kind": "DaemonSet",
                "metadata": {"generation": 1},
                "status": {"observedGeneration": 1, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3},
            },
            "0 of 3 replicas available",
        ),
    ],
)
def test_a_rollout_is_complete_or_something_is_missing(item: dict[str, Any], missing: str | None) -> None:
    found = what_is_missing(item)
    assert found is None if missing is None else missing in (found or "")


def test_a_rollout_past_its_progress_deadline_is_given_up() -> None:
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
    assert why_given_up(deployment(conditions=[late])) == "ProgressDeadlineExceeded: timed out"
    assert why_given_up(deployment(conditions=[{**late, "status": "True"}])) is None
    assert why_given_up(deployment(generation=2, conditions=[late])) is None, "it is about an earlier one"


def pod(**state: Any) -> dict[str, Any]:
    return {"metadata": {"name": "web-0"}, "status": {"containerStatuses": [{"name": "app", **state}]}}


def test_an_image_that_cannot_be_pulled_is_named_with_pod_and_container() -> None:
    found = why_it_cannot_start(pod(state={"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}))
    assert found == "Pod web-0, container app: ImagePullBackOff: no such image"
    assert why_it_cannot_start(pod(state={"waiting": {"reason": "ContainerCreating"}})) is None


def test_a_pod_that_was_killed_for_memory_or_evicted_says_so() -> None:
    killed = pod(state={"terminated": {"reason": "OOMKilled", "exitCode": 137}})
    assert why_it_ended(killed) == "Pod web-0, container app: OOMKilled (exit code 137)"
    evicted: dict[str, Any] = {
        "metadata": {"name": "web-0"},
        "status": {"phase": "Failed", "reason": "Evicted", "message": "disk"},
    }
    assert why_it_ended(evicted) == "Pod web-0: Evicted: disk"
    assert why_it_ended(pod(state={"terminated": {"reason": "Completed", "exitCode": 0}})) is None


def test_a_crash_loop_tells_of_the_crash() -> None:
    looping = pod(
        state={"waiting": {"reason": "CrashLoopBackOff"}},
        lastState={"terminated": {"reason": "Error", "exitCode": 3}},
    )
    assert why_it_is_not_ready(looping) == "Pod web-0, container app: Error (exit code 3)"


def test_a_ready_pod_has_nothing_wrong() -> None:
    ready: dict[str, Any] = {
        "metadata": {"name": "web-0"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
    assert why_it_is_not_ready(ready) is None


class Nowhere:
    def intend(self, change: ObjectChange) -> None:
        raise AssertionError(str(new_id()))


DEPLOYMENT = known_kind("Deployment")
assert DEPLOYMENT is not None
REFERENCE = Reference(DEPLOYMENT, "shop", "web")


def grounds(action: str, before: dict[str, Any] | None, **more: Any) -> Grounds:
    entry: dict[str, Any] = {"object": "Deployment shop/web", "ground": ground_of(action, before)}
    return Grounds(owner="run/step", try_number=1, ledger=Nowhere(), approved=(entry,), **more)


def test_the_approved_state_is_a_ground_and_another_one_is_not() -> None:
    require_ground("scale", REFERENCE, deployment(), grounds("scale", deployment()))
    with pytest.raises(AtomError) as drift:
        require_ground("scale", REFERENCE, deployment(wanted=3), grounds("scale", deployment()))
    assert drift.value.code is codes.DRIFT


def test_the_number_of_replicas_is_no_matter_to_a_restart() -> None:
    require_ground("restart", REFERENCE, deployment(wanted=3), grounds("restart", deployment()))


def test_an_object_that_came_or_went_is_drift() -> None:
    with pytest.raises(AtomError, match="it is gone"):
        require_ground("scale", REFERENCE, None, grounds("scale", deployment()))
    with pytest.raises(AtomError, match="not in the state"):
        require_ground("apply", REFERENCE, deployment(), grounds("apply", None))
    require_ground("apply", REFERENCE, None, grounds("apply", None))


def test_what_this_run_left_is_a_ground_too() -> None:
    left = ObjectChange(
        step="up",
        action="scale",
        kind="Deployment",
        api_version="apps/v1",
        namespace="shop",
        name="web",
        before_digest=state_digest(deployment()),
        after_digest=state_digest(deployment(wanted=3)),
    )
    require_ground("scale", REFERENCE, deployment(wanted=3), grounds("scale", deployment(), own=(left,)))
    with pytest.raises(AtomError):
        require_ground("scale", REFERENCE, deployment(wanted=4), grounds("scale", deployment(), own=(left,)))


def test_a_compensation_has_no_preview_to_compare_with() -> None:
    free = Grounds(owner="run/step", try_number=1, ledger=Nowhere())
    require_ground("scale", REFERENCE, deployment(wanted=9), free)
