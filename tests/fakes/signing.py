"""People with keys, and rules that trust them: real signatures without the cost of key files."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from atomctl.canonical import Digest, digest
from atomctl.trust import rules
from atomctl.trust.formats.statement import release_statement
from atomctl.trust.key_record import KeyRecord
from atomctl.trust.rules import TrustRules
from atomctl.trust.signers import FileSigner
from atomctl.trust.signers.release import sign_blob, sign_statement
from atomctl.trust.verify import Verdict, verify

NOW = datetime.datetime(2026, 3, 1, 12, 0, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
PACKAGE = digest(b"the package")
MANIFEST = digest(b"its manifest")


@dataclass(frozen=True, slots=True)
class Author:
    """Somebody with one P-256 key."""

    name: str | None = "alice"
    signer: FileSigner = field(default_factory=lambda: FileSigner(ec.generate_private_key(ec.SECP256R1())))

    @property
    def key_id(self) -> Digest:
        return self.signer.public_key.key_id

    def record(self, **fields: Any) -> KeyRecord:
        return KeyRecord.of(self.signer.public_key, principal=self.name, **fields)

    def release(self, package: Digest = PACKAGE, **said: Any) -> bytes:
        """A release bundle for restart-web 1.2.0; `said` replaces what the statement says."""
        fields: dict[str, Any] = {
            "tenant": "acme",
            "name": "restart-web",
            "version": "1.2.0",
            "digest": package,
            "manifest_digest": MANIFEST,
            "created": NOW - DAY,
        }
        return sign_statement(self.signer, release_statement(**{**fields, **said}))

    def statement(self, document: Any) -> bytes:
        """A bundle around any JSON at all."""
        return sign_statement(self.signer, json.dumps(document).encode())

    def blob(self, package: Digest = PACKAGE) -> bytes:
        """What `cosign sign-blob` makes."""
        return sign_blob(self.signer, package)


def rule(*authors: Author, threshold: int = 1, names: Sequence[str] = ("restart-*",), **demands: Any) -> dict[str, Any]:
    """A rule's JSON: `threshold` of the authors for the names."""
    signers = [{"key": author.key_id} for author in authors]
    return {"names": list(names), "require": {"all_of": [{"threshold": threshold, "signers": signers}]}, **demands}


def document(*all_rules: dict[str, Any]) -> TrustRules:
    """The rules of one layer."""
    return rules.parse({"schema": rules.SCHEMA, "rules": list(all_rules)})


def judge(*bundles: bytes, trust: TrustRules | None = None, keys: Sequence[KeyRecord] = (), **changed: Any) -> Verdict:
    """The verdict on restart-web 1.2.0 in acme's production; `changed` replaces any argument of `verify`."""
    arguments: dict[str, Any] = {
        "digest": PACKAGE,
        "bundles": bundles,
        "rules": trust or TrustRules(),
        "keys": keys,
        "name": "restart-web",
        "version": "1.2.0",
        "tenant": "acme",
        "environment": "production",
        "now": NOW,
    }
    return verify(**{**arguments, **changed})
