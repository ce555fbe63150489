"""The verdict on a package: accepted or refused, by which rule, on whose signatures, and why others did not count.

It is what the audit log keeps, so it is bounded, holds no secrets, and its JSON is `atom.verdict/v1`.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from atomctl.canonical import Digest, Json
from atomctl.errors import AtomError, Code

SCHEMA = "atom.verdict/v1"
VERIFIER = "atomctl-trust/1"
"""The version of the decision; it changes whenever the same input may get another verdict."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A bundle whose signature holds: by a registered key, over this package."""

    bundle: Digest
    key_id: Digest
    principal: str | None
    origin: str
    created: datetime.datetime | None
    """The signer's claim; None for a signature that says nothing but the digest."""
    log_indexes: tuple[int, ...] = ()
    timestamps: int = 0

    def to_json(self) -> dict[str, Json]:
        """The signature as verdicts list it."""
        return {
            "bundle": self.bundle,
            "kind": "key",
            "key_id": self.key_id,
            "principal": self.principal,
            "origin": self.origin,
            "claimed_time": self.created.isoformat() if self.created else None,
            "log_indexes": list(self.log_indexes),
        }


@dataclass(frozen=True, slots=True)
class Rejected:
    """A bundle that was not counted."""

    bundle: Digest
    code: Code
    why: str
    hint: str

    def to_json(self) -> dict[str, Json]:
        """The rejection as verdicts list it."""
        return {"bundle": self.bundle, "code": self.code.id, "why": self.why}


@dataclass(frozen=True, slots=True)
class Threshold:
    """How many different people the deciding rule needs, and how many of them signed."""

    need: int
    have: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What verification says about one digest."""

    accepted: bool
    code: Code | None = None
    """Why it was refused; None if accepted."""
    why: str = ""
    hint: str = ""
    digest: Digest
    name: str
    version: str
    tenant: str | None
    environment: str
    rule: str | None = None
    """`layer/id` of the rule that refused, or of the lowest layer's rule that accepted; None = no rule."""
    threshold: Threshold = Threshold(0, 0)
    signers: tuple[Signature, ...] = ()
    """The signatures that hold and that the rule counts."""
    rejected: tuple[Rejected, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """The verdict record."""
        refusal: dict[str, Any] = {"code": self.code.id, "why": self.why, "hint": self.hint} if self.code else {}
        return {
            "schema": SCHEMA,
            "accepted": self.accepted,
            **refusal,
            "digest": self.digest,
            "name": self.name,
            "version": self.version,
            "tenant": self.tenant,
            "environment": self.environment,
            "rule": self.rule,
            "threshold": {"need": self.threshold.need, "have": self.threshold.have},
            "signers": [signature.to_json() for signature in self.signers],
            "rejected": [rejected.to_json() for rejected in self.rejected],
            "verifier": VERIFIER,
        }

    def raise_if_refused(self) -> None:
        """Nothing, if the package was accepted.

        Raises:
            AtomError: the code of the refusal, TRU2xx.
        """
        if self.code is not None:
            raise AtomError(self.code, self.why, hint=self.hint)
        if not self.accepted:
            raise AssertionError("a refusal without a code")
