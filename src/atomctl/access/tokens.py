"""Verifies access tokens: JWTs of configured issuers, each with one algorithm (RFC 7519, RFC 8725).

The order is fixed: read strictly, choose the issuer by `iss`, compare its algorithm, find its key by `kid`, check the
signature, and only then read what the token says, from the very bytes that were verified.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from joserfc import jws
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwt import JWTClaimsRegistry

from atomctl.access import codes
from atomctl.access.claims import Algorithm, Claims, FixedKeys, Issuer, read_claims
from atomctl.access.issuer import EmbeddedIssuer
from atomctl.access.jwt_parts import peek, read_object
from atomctl.errors import AtomError

__all__ = ["Algorithm", "Claims", "EmbeddedIssuer", "FixedKeys", "Issuer", "Verifier"]

LEEWAY = 30
"""Seconds two clocks may differ."""


class Verifier:
    """Believes the given issuers and nobody else.

    Raises:
        ValueError: two issuers have one name.
    """

    def __init__(self, issuers: Iterable[Issuer]) -> None:
        listed = list(issuers)
        self._issuers = {issuer.name: issuer for issuer in listed}
        if len(self._issuers) != len(listed):
            raise ValueError("two issuers have one name")

    def verify(self, token: str, now: datetime) -> Claims:
        """The claims of a token that is genuine and in force at `now` (UTC).

        Raises:
            AtomError: AUT002 to AUT011, one code for each reason; nothing of the token is to be believed then.
        """
        said = peek(token)
        issuer = self._issuers.get(said.issuer)
        if issuer is None:
            raise AtomError(codes.UNKNOWN_ISSUER, f"`iss` is {said.issuer[:80]!r}")
        if said.algorithm != issuer.algorithm:
            raise AtomError(
                codes.WRONG_ALGORITHM, f"`alg` is {said.algorithm[:20]!r}, {issuer.name} signs with {issuer.algorithm}"
            )
        payload = read_object(_verified_payload(token, said.key_id, issuer), "payload")
        _check_registered(payload, issuer, now)
        return read_claims(payload, issuer)


def _verified_payload(token: str, key_id: str, issuer: Issuer) -> bytes:
    key = issuer.keys.key(key_id)
    if key is None:
        raise AtomError(codes.UNKNOWN_KEY, f"{issuer.name} has no key {key_id[:80]!r}")
    try:
        # The list holds the issuer's algorithm alone, whatever the header says.
        checked = jws.deserialize_compact(token, key, algorithms=[issuer.algorithm.value])
    except JoseError as error:
        raise AtomError(codes.BAD_SIGNATURE, f"not signed by key {key_id[:80]!r} of {issuer.name}") from error
    assert checked.payload is not None
    return checked.payload


def _check_registered(payload: dict[str, object], issuer: Issuer, now: datetime) -> None:
    # joserfc's `decode` checks no time and no audience; this registry does, and must be called.
    registry = JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=LEEWAY,
        iss={"essential": True, "value": issuer.name},
        aud={"essential": True, "value": issuer.audience},
        sub={"essential": True},
        iat={"essential": True},
        exp={"essential": True},
    )
    try:
        registry.validate(payload)
    except ExpiredTokenError as error:
        raise AtomError(codes.EXPIRED, f"expired at {payload['exp']} (seconds since 1970)") from error
    except JoseError as error:
        raise AtomError(codes.BAD_CLAIM, error.description or error.error) from error
