"""What the answers of an API server mean; the messages are those of Kubernetes 1.36."""

from __future__ import annotations

import json

import pytest

from atomctl.errors import Code
from atomctl.kubernetes import codes
from atomctl.kubernetes.failures import error_of, refusal_of

RBAC = 'deployments.apps "web" is forbidden: User "u" cannot patch resource "deployments" in API group "apps"'
POD_SECURITY = 'pods "web" is forbidden: violates PodSecurity "restricted:latest": privileged (container "a")'
QUOTA = 'pods "web" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1'
WEBHOOK = 'admission webhook "deny.example.org" denied the request: not on a Friday'
POLICY = (
    "deployments.apps \"web\" is forbidden: ValidatingAdmissionPolicy 'few' with binding 'few' denied request: many"
)
FIELDS = 'Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas'


def status(reason: str, message: str, **details: object) -> bytes:
    return json.dumps({"kind": "Status", "reason": reason, "message": message, "details": details}).encode()


@pytest.mark.parametrize(
    ("number", "reason", "message", "code"),
    [
        (401, "Unauthorized", "Unauthorized", codes.CREDENTIALS),
        (403, "Forbidden", RBAC, codes.FORBIDDEN),
        (403, "Forbidden", POD_SECURITY, codes.ADMISSION),
        (403, "Forbidden", QUOTA, codes.ADMISSION),
        (400, "", WEBHOOK, codes.ADMISSION),
        (422, "Invalid", POLICY, codes.ADMISSION),
        (404, "NotFound", 'deployments.apps "web" not found', codes.NOT_FOUND),
        (409, "Conflict", FIELDS, codes.CONFLICT),
        (409, "Conflict", "the object has been modified; please apply your changes", codes.OUTDATED),
        (409, "Conflict", "Precondition failed: UID in precondition: a, UID in object meta: b", codes.OUTDATED),
        (409, "AlreadyExists", 'jobs.batch "again" already exists', codes.EXISTS),
        (410, "Expired", "The provided continue parameter is too old", codes.EXPIRED),
        (400, "BadRequest", "container is waiting to start", codes.INVALID),
        (415, "UnsupportedMediaType", "the body of the request was in an unknown format", codes.INVALID),
        (422, "Invalid", 'Deployment.apps "web" is invalid: spec.replicas: -1', codes.INVALID),
        (429, "TooManyRequests", "too many requests", codes.BUSY),
        (500, "InternalError", "etcdserver: leader changed", codes.SERVER_ERROR),
        (504, "Timeout", "the server was unable to return a response", codes.SERVER_ERROR),
    ],
)
def test_each_refusal_has_its_code_and_names_object_and_reason(
    number: int, reason: str, message: str, code: Code
) -> None:
    error = error_of(refusal_of(number, {}, status(reason, message)), "patch Deployment shop/web")
    assert error.code is code
    assert "Deployment shop/web" in error.why
    assert message in error.why


def test_an_error_page_of_a_proxy_is_no_answer_of_an_api_server() -> None:
    error = error_of(refusal_of(418, {}, b"<html>\n<b>teapot</b>"), "get Pod a/b")
    assert error.code is codes.BROKEN
    assert "<html> <b>teapot</b>" in error.why


def test_a_bad_gateway_without_a_body_is_a_failure_of_the_server() -> None:
    error = error_of(refusal_of(502, {}, b""), "get Pod a/b")
    assert (error.code, error.code.retryable) == (codes.SERVER_ERROR, True)
    assert "502" in error.why


def test_a_missing_namespace_is_named() -> None:
    refusal = refusal_of(404, {}, status("NotFound", 'namespaces "shopp" not found'))
    error = error_of(refusal, "create Job shopp/again")
    assert error.code is codes.NOT_FOUND
    assert "there is no namespace shopp" in error.why
    assert error.hint == "kubectl get namespaces"


def test_the_hint_of_a_missing_permission_asks_about_that_permission() -> None:
    error = error_of(refusal_of(403, {}, status("Forbidden", RBAC)), "patch Deployment shop/web")
    assert error.hint.startswith("kubectl auth can-i patch deployments")


def test_the_wish_for_a_later_repeat_is_heard_in_header_and_body() -> None:
    assert refusal_of(429, {"retry-after": "3"}, b"").retry_after == 3.0
    assert refusal_of(429, {}, status("TooManyRequests", "busy", retryAfterSeconds=2)).retry_after == 2.0
    assert refusal_of(429, {"retry-after": "soon"}, b"").retry_after is None


def test_a_message_of_any_length_is_cut() -> None:
    assert len(refusal_of(500, {}, b"x" * 100_000).message) < 2000
