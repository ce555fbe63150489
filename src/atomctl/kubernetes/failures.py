"""What an API server's refusal means: every bad answer becomes one error that names the object and the reason. Pure.

The reasons are those of `Status` objects (Kubernetes API conventions, "Response Status Kind"). Admission refusals have
no reason of their own: they come as 403, 422 or the webhook's own status, and are told apart by what they say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from atomctl.errors import AtomError, Code
from atomctl.kubernetes import codes

_LONGEST: Final = 1500
_RBAC: Final = re.compile(r'cannot (?P<verb>[a-z]+) resource "(?P<resource>[^"]+)"')
_ADMISSION: Final = re.compile(
    r"violates PodSecurity|admission webhook|ValidatingAdmissionPolicy|MutatingAdmissionPolicy|exceeded quota"
    r"|denied the request|denied request|failed quota|is being terminated|maximum .* usage per|minimum .* usage per"
)
_OUTDATED: Final = re.compile(r"the object has been modified|Precondition failed")
_NO_NAMESPACE: Final = re.compile(r'^namespaces "([^"]+)" not found$')


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a bad answer says."""

    status: int
    reason: str
    """The `reason` of the Status object; empty where there is none."""
    message: str
    retry_after: float | None = None
    """Seconds after which the server wants to be asked again."""


def refusal_of(status: int, headers: Mapping[str, str], body: bytes) -> Refusal:
    """Reads an answer with a status of 400 or more, whatever its body is."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or document.get("kind") != "Status":
        text = " ".join(body.decode(errors="replace").split()) or "no further words"
        return Refusal(status, "", text[:_LONGEST], _seconds(headers.get("retry-after")))
    details = document.get("details")
    after = details.get("retryAfterSeconds") if isinstance(details, dict) else None
    return Refusal(
        status,
        str(document.get("reason") or ""),
        str(document.get("message") or "no further words")[:_LONGEST],
        _seconds(headers.get("retry-after")) or (float(after) if isinstance(after, int) else None),
    )


def error_of(refusal: Refusal, what: str) -> AtomError:
    """The error for a refusal of what was asked about `what`, such as `patch Deployment shop/web`."""
    code = _code(refusal)
    why = f"{what}: {refusal.message}"
    if code is codes.NOT_FOUND and (named := _NO_NAMESPACE.match(refusal.message)):
        return AtomError(code, f"{what}: there is no namespace {named[1]}", hint="kubectl get namespaces")
    if code is codes.FORBIDDEN and (denied := _RBAC.search(refusal.message)):
        hint = (
            f"kubectl auth can-i {denied['verb']} {denied['resource']}    # see docs/how-to/kubernetes-permissions.md"
        )
        return AtomError(code, why, hint=hint)
    if code in {codes.SERVER_ERROR, codes.BROKEN}:
        why = f"{what}: status {refusal.status}: {refusal.message}"
    return AtomError(code, why)


def _code(refusal: Refusal) -> Code:
    if refusal.status < 500 and refusal.status != 429 and _ADMISSION.search(refusal.message):
        return codes.ADMISSION
    if refusal.status == 409:
        return _conflict(refusal)
    if refusal.status == 403:
        return codes.FORBIDDEN if _RBAC.search(refusal.message) or not refusal.reason else codes.ADMISSION
    if refusal.status >= 500:
        return codes.SERVER_ERROR
    return _BY_STATUS.get(refusal.status, codes.INVALID if refusal.reason else codes.BROKEN)


def _conflict(refusal: Refusal) -> Code:
    if refusal.reason == "AlreadyExists":
        return codes.EXISTS
    return codes.OUTDATED if _OUTDATED.search(refusal.message) else codes.CONFLICT


_BY_STATUS: Final[Mapping[int, Code]] = {
    401: codes.CREDENTIALS,
    404: codes.NOT_FOUND,
    410: codes.EXPIRED,
    429: codes.BUSY,
}


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdecimal() and len(text) < 6 else None
