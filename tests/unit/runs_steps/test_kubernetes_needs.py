"""What a k8s handler needs to be permitted, by what it does."""

from __future__ import annotations

import pytest

from atomctl.canonical import Json
from atomctl.kubernetes.permissions import declared
from atomctl.runs.steps.kubernetes.needs import namespace_of, needs_of

WEB: dict[str, Json] = {"kind": "Deployment", "namespace": "shop", "name": "web"}
JOB: dict[str, Json] = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "again"}}


def named(config: dict[str, Json], *, undoes: str | None = None) -> set[str]:
    found = needs_of(config, undoes=undoes)
    assert {permission.namespace for permission in found} <= {"shop"}
    return {str(permission).removesuffix(" in namespace shop") for permission in found}


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        ({**WEB, "action": "get"}, {"deployments/get"}),
        ({**WEB, "action": "patch"}, {"deployments/get", "deployments/patch"}),
        ({**WEB, "action": "restart"}, {"deployments/get", "deployments/patch"}),
        ({**WEB, "action": "scale"}, {"deployments/get", "deployments/scale/patch"}),
        ({**WEB, "action": "delete"}, {"deployments/get", "deployments/delete"}),
        ({**WEB, "action": "rollout-status"}, {"deployments/get"}),
        ({**WEB, "action": "wait"}, {"deployments/get"}),
        ({**WEB, "action": "logs"}, {"deployments/get", "pods/list", "pods/log/get"}),
        ({"action": "logs", "namespace": "shop", "name": "web-0"}, {"pods/get", "pods/log/get"}),
        ({**WEB, "action": "events"}, {"events/list", "deployments/get", "replicasets/list", "pods/list"}),
        ({"action": "events", "namespace": "shop"}, {"events/list"}),
        ({**WEB, "action": "undo"}, {"deployments/get", "deployments/patch", "replicasets/list"}),
        ({"action": "job", "namespace": "shop", "manifest": JOB}, {"jobs/get", "jobs/create"}),
        ({"action": "apply", "namespace": "shop", "manifest": JOB}, {"jobs/get", "jobs/create", "jobs/patch"}),
    ],
)
def test_each_action_needs_what_it_does_and_no_more(config: dict[str, Json], wanted: set[str]) -> None:
    assert named(config) == wanted


def test_a_secret_is_written_without_a_right_to_read_it() -> None:
    assert named({"action": "patch", "kind": "Secret", "namespace": "shop", "name": "db"}) == {"secrets/patch"}


def test_a_selector_needs_a_list() -> None:
    config: dict[str, Json] = {"action": "delete", "kind": "Pod", "namespace": "shop", "selector": "app=web"}
    assert named(config) == {"pods/list", "pods/get", "pods/delete"}


def test_an_undo_of_a_step_looks_no_revision_up() -> None:
    undo: dict[str, Json] = {**WEB, "action": "undo"}
    assert named(undo, undoes="restart") == {"deployments/get", "deployments/patch"}
    assert "replicasets/list" in named({**undo, "revision": 3}, undoes="restart")


@pytest.mark.parametrize(
    ("undone", "verbs"), [("delete", {"create"}), ("job", {"delete"}), ("apply", {"patch", "delete"})]
)
def test_the_way_back_needs_what_the_way_there_makes_necessary(undone: str, verbs: set[str]) -> None:
    undo: dict[str, Json] = {**WEB, "action": "undo"}
    assert named(undo, undoes=undone) == {"deployments/get", *(f"deployments/{verb}" for verb in verbs)}


def test_what_only_a_step_will_tell_is_asked_for_when_it_is_known() -> None:
    later: dict[str, Json] = {**WEB, "action": "get", "namespace": '${{ steps["a"].outputs.namespace }}'}
    assert needs_of(later) == frozenset()
    assert namespace_of(later) is None
    assert namespace_of({**WEB, "action": "get"}) == "shop"


def test_kinds_that_only_a_cluster_knows_need_what_the_package_declares() -> None:
    assert named({"action": "get", "kind": "Widget", "namespace": "shop", "name": "w"}) == set()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("deployments/patch", ("apps", "deployments", "", "patch")),
        ("deployments/scale/patch", ("apps", "deployments", "scale", "patch")),
        ("pods/log/get", ("", "pods", "log", "get")),
        ("widgets.tests.atomctl.dev/get", ("tests.atomctl.dev", "widgets", "", "get")),
        ("widgets/get", ("", "widgets", "", "get")),
    ],
)
def test_a_declared_permission_finds_its_group(text: str, parts: tuple[str, ...]) -> None:
    found = declared(text, "shop")
    assert found is not None
    assert (found.group, found.resource, found.subresource, found.verb) == parts


def test_a_declared_permission_of_another_form_is_none() -> None:
    assert declared("deployments", "shop") is None
