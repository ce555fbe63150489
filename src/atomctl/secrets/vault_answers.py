"""What a Vault's answer means: the fields that are needed out of its JSON, and its refusals as codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import requests
from hvac import exceptions as vault

from atomctl.errors import AtomError, Code
from atomctl.secrets import codes

Answer = Mapping[str, Any]

_MEANS: Mapping[type[vault.VaultError], Code] = {
    vault.Unauthorized: codes.DENIED,
    vault.Forbidden: codes.DENIED,
    vault.InvalidPath: codes.NOT_FOUND,
    vault.RateLimitExceeded: codes.SLOW,
    vault.VaultNotInitialized: codes.SEALED,
}
_OUTAGES = (vault.InternalServerError, vault.VaultNotInitialized, vault.BadGateway, vault.VaultDown)
"""What proxies in front of a store say in HTML of their own, too."""
_SAYS_NO = (vault.InvalidRequest, vault.Unauthorized, vault.Forbidden)
_CAS = "check-and-set parameter did not match"
_NO_ROLE = "unknown role"
"""How a database engine says that it has no such static role."""


@contextmanager
def translated(what: str, refused: Code | None = None) -> Iterator[None]:
    """Within, whatever hvac and the network raise becomes an `AtomError` whose `why` begins with `what`.

    Args:
        what: is being done.
        refused: what it means where the store itself says that the request is not valid or not allowed.

    Raises:
        AtomError: SEC005, SEC007, SEC010 to SEC013, SEC018, SEC019, and `refused`.
    """
    try:
        yield
    except vault.VaultError as error:
        found = _refused(what, error)
        if refused is not None and found.code is not codes.NONSENSE and isinstance(error, _SAYS_NO):
            raise AtomError(refused, found.why) from error
        raise found from error
    except requests.Timeout as error:
        raise AtomError(_timeout(error), f"{what}: no answer in time") from error
    except requests.exceptions.SSLError as error:
        hint = "set VAULT_CACERT to the certificate authority of the store, and check its name and dates"
        raise AtomError(codes.NONSENSE, f"{what}: its certificate is not accepted", hint=hint) from error
    except requests.ConnectionError as error:
        raise AtomError(codes.DOWN, f"{what}: no connection, or it broke") from error
    except requests.RequestException as error:
        raise AtomError(codes.NONSENSE, f"{what}: {type(error).__name__}") from error


def _timeout(error: requests.Timeout) -> Code:
    return codes.DOWN if isinstance(error, requests.ConnectTimeout) else codes.SLOW


def _refused(what: str, error: vault.VaultError) -> AtomError:
    """What the server said is repeated only where it is known to say nothing of a value."""
    said = " ".join(str(part) for part in error.errors or ())
    if isinstance(error, vault.VaultDown) and "sealed" in said.lower():
        return AtomError(codes.SEALED, f"{what}: it says that it is sealed")
    if isinstance(error, vault.InvalidRequest) and _CAS in said:
        return AtomError(codes.CONFLICT, f"{what}: another version is the newest")
    if isinstance(error, vault.InvalidRequest) and _NO_ROLE in said.lower():
        return AtomError(codes.NOT_FOUND, f"{what}: the database engine has no such role")
    if error.json is None and not isinstance(error, _OUTAGES):
        return AtomError(codes.NONSENSE, f"{what}: a refusal ({type(error).__name__}) that is not Vault's JSON")
    return AtomError(_MEANS.get(type(error), codes.SERVER_ERROR), f"{what}: it answered {type(error).__name__}")


def document(answer: object) -> Answer:
    """The answer, which hvac leaves a raw response where it was not JSON.

    Raises:
        AtomError: SEC018 it is no JSON object.
    """
    if not isinstance(answer, Mapping):
        status = getattr(answer, "status_code", None)
        raise AtomError(codes.NONSENSE, f"an answer with status {status} that is not Vault's JSON")
    return answer


def field(answer: object, *path: str, as_: Callable[[Any], bool]) -> Any:
    """The value at `path`.

    Raises:
        AtomError: SEC018 there is none, or `as_` does not hold for it.
    """
    found: Any = answer
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    if not as_(found):
        raise AtomError(codes.NONSENSE, f"an answer without {'.'.join(path)}")
    return found


def text(answer: object, *path: str) -> str:
    """The text at `path`, not empty; SEC018 as `field`."""
    return str(field(answer, *path, as_=lambda value: isinstance(value, str) and bool(value)))


def number(answer: object, *path: str) -> int:
    """The whole number at `path`, not negative; SEC018 as `field`."""
    return int(field(answer, *path, as_=lambda value: type(value) is int and value >= 0))


def mapping(answer: object, *path: str) -> Answer:
    """The object at `path`; SEC018 as `field`."""
    found: Answer = field(answer, *path, as_=lambda value: isinstance(value, Mapping))
    return found


def moment(value: object) -> datetime:
    """A time as Vault writes it (RFC 3339), with its zone.

    Raises:
        AtomError: SEC018 it is none.
    """
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise AtomError(codes.NONSENSE, "an answer with a time that is none") from error
    if found.tzinfo is None:
        raise AtomError(codes.NONSENSE, "an answer with a time without a zone")
    return found
