"""Calls and patience."""

from __future__ import annotations

import threading

import pytest

from atomctl.errors import AtomError
from atomctl.kubernetes import codes
from atomctl.kubernetes.calls import Call, GivenUpError, Patience, dry_run
from atomctl.kubernetes.kinds import Kind, known_kind
from atomctl.kubernetes.references import Reference, collection, listing

DEPLOYMENT = Kind("apps", "v1", "Deployment", "deployments")
WEB = Reference(DEPLOYMENT, "shop", "web")


def test_a_dry_run_is_asked_for_in_the_query() -> None:
    tried = dry_run(WEB.call("PATCH", query={"fieldManager": "atomctl"}, body={"spec": {}}))
    assert tried.query == {"fieldManager": "atomctl", "dryRun": "All"}


def test_a_dry_run_of_a_deletion_is_asked_for_in_the_body_where_the_server_looks() -> None:
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": "u"}}
    assert dry_run(WEB.call("DELETE", body=options)).body == {**options, "dryRun": ["All"]}
    assert dry_run(WEB.call("DELETE")).body == {"apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"]}


def test_paths_name_group_version_and_namespace() -> None:
    assert WEB.call("GET").path == "/apis/apps/v1/namespaces/shop/deployments/web"
    assert WEB.call("PATCH", "scale").path.endswith("/deployments/web/scale")
    pod, node = known_kind("Pod"), known_kind("Node")
    assert pod is not None
    assert node is not None
    assert collection(pod, "shop") == "/api/v1/namespaces/shop/pods"
    assert collection(pod, None) == "/api/v1/pods"
    assert collection(node, None) == "/api/v1/nodes"


@pytest.mark.parametrize("name", ["", ".", "..", "../../secrets/db", "a%2Fb"])
def test_a_name_cannot_lead_elsewhere(name: str) -> None:
    for namespace, object_ in (("shop", name), (name, "web")):
        with pytest.raises(AtomError) as refused:
            Reference(DEPLOYMENT, namespace, object_)
        assert refused.value.code is codes.INVALID


def test_a_listing_says_what_it_looks_for() -> None:
    call = listing(DEPLOYMENT, "shop", labels="app=web")
    assert call.query == {"labelSelector": "app=web"}
    assert call.what == "list deployments in namespace shop with app=web"


def test_the_body_of_a_call_is_not_shown() -> None:
    assert "hunter2" not in repr(Call(method="PATCH", path="/x", what="patch", body={"password": "hunter2"}))


def test_patience_ends_with_its_time_and_with_a_cancel() -> None:
    assert Patience.of(0.0).over
    cancelled = threading.Event()
    patience = Patience.of(60.0, cancelled)
    patience.check()
    cancelled.set()
    with pytest.raises(GivenUpError):
        patience.check()
    with pytest.raises(GivenUpError):
        patience.pause(30.0)
