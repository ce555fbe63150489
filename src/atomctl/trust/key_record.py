"""A registered key over time: when its signatures hold.

Only a trusted time moves a signature into the past. That is the moment the registry accepted it, recorded in the audit
log; never what the signer wrote into the statement, since whoever steals a key also writes the date.
"""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass
from typing import Any

from atomctl.canonical import Digest
from atomctl.errors import AtomError
from atomctl.trust import codes
from atomctl.trust.formats import public_key
from atomctl.trust.formats.public_key import Algorithm, PublicKey


class KeyState(enum.StrEnum):
    """Where a key stands in its life; it never goes back."""

    ACTIVE = "active"
    RETIRED = "retired"
    """Signs nothing any more; what was accepted before `valid_to` holds."""
    REVOKED = "revoked"
    """Somebody else may have it; only what was accepted before `revoked_from` holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A public key as a tenant, the platform or a command line registered it. Times are aware UTC datetimes."""

    key_id: Digest
    """SHA-256 of the SubjectPublicKeyInfo."""
    spki: bytes
    algorithm: str = Algorithm.ECDSA_P256_SHA256.value
    origin: str = "file"
    """Where the key lives, for people: `file`, `hashivault://NAME`."""
    principal: str | None = None
    """Whose it is. Thresholds count principals; all keys without one count as one and the same stranger."""
    state: KeyState = KeyState.ACTIVE
    valid_from: datetime.datetime | None = None
    valid_to: datetime.datetime | None = None
    """When it expires or was retired; None = not set. The moment itself is outside."""
    revoked_from: datetime.datetime | None = None
    """From when on nothing it signed is trusted; None on a revoked key = from the beginning."""
    reason: str | None = None

    @classmethod
    def of(cls, key: PublicKey, **fields: Any) -> KeyRecord:
        """A record of `key`; `fields` sets the others."""
        return cls(key_id=key.key_id, spki=key.spki, algorithm=key.algorithm.value, **fields)

    def key(self) -> PublicKey:
        """The key itself.

        Raises:
            AtomError: TRU215 another algorithm than accepted, or the bytes do not have the id they are kept under.
        """
        if self.algorithm != Algorithm.ECDSA_P256_SHA256:
            raise AtomError(codes.KEY_WRONG_TYPE, f"key {self.key_id} is registered as {self.algorithm}")
        try:
            key = public_key.load_spki(self.spki)
        except AtomError as error:
            raise AtomError(codes.KEY_WRONG_TYPE, f"key {self.key_id}: {error.why}") from error
        if key.key_id != self.key_id:
            raise AtomError(codes.KEY_WRONG_TYPE, f"the bytes kept as key {self.key_id} are key {key.key_id}")
        return key

    def require_holding(self, now: datetime.datetime, accepted_at: datetime.datetime | None) -> None:
        """Refuses a signature by this key that does not hold.

        Args:
            now: the verifier's clock.
            accepted_at: when the registry accepted the signature, if it did: its only trusted time.

        Raises:
            AtomError: TRU211 expired, TRU212 not valid yet, TRU213 retired, TRU214 revoked.
        """
        state = KeyState(self.state)  # a word that is no state must not pass as active
        if state is KeyState.REVOKED and not _before(accepted_at, self.revoked_from):
            raise AtomError(codes.KEY_REVOKED, f"key {self.key_id} is revoked{_since(self.revoked_from)}{self._why()}")
        if state is KeyState.RETIRED and not _before(accepted_at, self.valid_to):
            raise AtomError(codes.KEY_RETIRED, f"key {self.key_id} is retired{_since(self.valid_to)}{self._why()}")
        time = accepted_at or now
        if self.valid_from is not None and time < self.valid_from:
            raise AtomError(
                codes.KEY_NOT_YET_VALID, f"key {self.key_id} is valid from {self.valid_from.isoformat()} on"
            )
        if self.valid_to is not None and time >= self.valid_to:
            raise AtomError(codes.KEY_EXPIRED, f"key {self.key_id} was valid until {self.valid_to.isoformat()}")

    def _why(self) -> str:
        return f" ({self.reason[:200]})" if self.reason else ""


def _before(accepted_at: datetime.datetime | None, end: datetime.datetime | None) -> bool:
    """Whether there is a trusted time and it lies before `end`; an end that is not known was always."""
    return accepted_at is not None and end is not None and accepted_at < end


def _since(time: datetime.datetime | None) -> str:
    return f" since {time.isoformat()}" if time is not None else ""
