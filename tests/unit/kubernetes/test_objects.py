from __future__ import annotations

import copy

from atomctl.kubernetes.calls import Object
from atomctl.kubernetes.objects import differences, normal_form, same_state, shown, state_digest


def deployment(image: str = "localhost/web:1", replicas: int = 2, version: str = "1") -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "uid": "u-1",
            "resourceVersion": version,
            "generation": int(version),
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "annotations": {"deployment.kubernetes.io/revision": version, "team": "shop"},
            "managedFields": [{"manager": "kubectl"}],
        },
        "spec": {
            "replicas": replicas,
            "template": {"spec": {"containers": [{"name": "web", "image": image}, {"name": "log", "image": "l"}]}},
        },
        "status": {"readyReplicas": int(version)},
    }


def secret(value: str, version: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "shop", "uid": "u", "resourceVersion": version},
        "data": {"password": value},
    }


def test_what_the_cluster_notes_by_itself_is_no_change() -> None:
    assert state_digest(deployment(version="1")) == state_digest(deployment(version="9"))
    assert same_state(deployment(version="1"), deployment(version="9"))
    assert differences(deployment(version="1"), deployment(version="9")) == ()


def test_what_somebody_wants_of_it_is_a_change() -> None:
    other = deployment()
    other["metadata"]["annotations"]["team"] = "payments"  # type: ignore[call-overload, index]
    assert state_digest(deployment()) != state_digest(other)
    assert not same_state(deployment(), other)


def test_the_number_of_replicas_can_be_left_out() -> None:
    few, many = deployment(replicas=1), deployment(replicas=9)
    assert state_digest(few) != state_digest(many)
    assert state_digest(few, without_replicas=True) == state_digest(many, without_replicas=True)


def test_a_difference_names_the_container_it_is_in() -> None:
    (found,) = differences(deployment("localhost/web:1"), deployment("localhost/web:2"))
    assert found.path == "spec.template.spec.containers[web].image"
    assert (found.before, found.after) == ("localhost/web:1", "localhost/web:2")


def test_an_object_that_comes_or_goes_is_one_difference() -> None:
    (came,) = differences(None, deployment())
    assert (came.before, came.after) == ("(not there)", "(there)")
    (went,) = differences(deployment(), None)
    assert (went.before, went.after) == ("(there)", "(not there)")
    assert differences(None, None) == ()


def test_a_long_value_is_cut_in_differences() -> None:
    (found,) = differences(deployment("a"), deployment("b" * 5000))
    assert len(found.after) < 400


def test_the_digest_of_a_secret_says_nothing_about_its_values() -> None:
    assert state_digest(secret("a", "1")) == state_digest(secret("b", "1"))
    assert state_digest(secret("a", "1")) != state_digest(secret("a", "2"))


def test_nothing_is_changed_by_looking() -> None:
    item = deployment()
    before = copy.deepcopy(item)
    normal_form(item), shown(item), state_digest(item, without_replicas=True), differences(item, deployment("x"))
    assert item == before


def test_steps_do_not_read_who_holds_which_field() -> None:
    assert "managedFields" not in shown(deployment())["metadata"]  # type: ignore[operator]
    assert shown(deployment())["status"] == {"readyReplicas": 1}
