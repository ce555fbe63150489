"""Verification: may this digest be called this name and version here? Pure and offline.

Each bundle is judged by itself (`candidate`), then every layer of rules counts the signatures that hold. What is
refused says why with one code: the gravest reason, if several bundles fail in different ways.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from atomctl.canonical import Digest
from atomctl.canonical import digest as digest_of
from atomctl.errors import AtomError
from atomctl.trust import admission, candidate, codes
from atomctl.trust.candidate import Candidate
from atomctl.trust.key_record import KeyRecord
from atomctl.trust.rule_model import TrustRule, TrustRules
from atomctl.trust.verdict import Rejected, Signature, Threshold, Verdict
from atomctl.trust.versions import Version

__all__ = ["KeyRecord", "Verdict", "verify"]

MAX_BUNDLES = 32
_GRAVITY = (
    codes.SIGNATURE_INVALID,
    codes.DIGEST_MISMATCH,
    codes.LOG_MISMATCH,
    codes.COORDINATES_MISMATCH,
    codes.TENANT_MISMATCH,
    codes.KEY_REVOKED,
)
"""What several different refusals are reported as, gravest first; else the first bundle's reason."""


@dataclass(slots=True)
class _Progress:
    """What a verdict can tell so far, whether it ends well or not."""

    rule: str | None = None
    threshold: Threshold = Threshold(0, 0)
    signers: tuple[Signature, ...] = ()
    rejected: tuple[Rejected, ...] = ()


def verify(
    *,
    digest: Digest,
    bundles: Sequence[bytes],
    rules: TrustRules,
    keys: Sequence[KeyRecord],
    name: str,
    version: str,
    tenant: str | None,
    environment: str,
    now: datetime.datetime,
    accepted_at: datetime.datetime | None = None,
    highest_accepted: Mapping[int, str] | None = None,
) -> Verdict:
    """The verdict on `digest` as `name` at `version`.

    Args:
        digest: of the package's bytes, computed by the caller from the very bytes it will use.
        bundles: the signature bundles that came with it, in any order; repeats count once.
        rules: the rules in force, see `rules.narrow`.
        keys: every registered key that may play a part, in whatever state.
        name: the workflow's name the package is published or run under.
        version: its version (SemVer 2), which the manifest inside must carry too.
        tenant: who asks; None = outside any tenant, then a statement's tenant is not compared.
        environment: where it is to be used.
        now: the clock, with a time zone.
        accepted_at: when the registry accepted exactly these bundles, if it did.
        highest_accepted: per major version the highest version accepted under this name. Leave an entry out for an
            approved exception.

    Raises:
        ValueError: `version` or a value of `highest_accepted` is not SemVer 2.
    """
    wanted = Candidate(
        digest=digest,
        name=name,
        version=version,
        tenant=tenant,
        environment=environment,
        keys={record.key_id: record for record in keys},
        now=now,
        accepted_at=accepted_at,
    )
    progress = _Progress()
    try:
        _judge(wanted, bundles, rules, highest_accepted or {}, progress)
    except AtomError as refusal:
        return _verdict(wanted, progress, refusal)
    return _verdict(wanted, progress, None)


def _judge(
    wanted: Candidate, bundles: Sequence[bytes], rules: TrustRules, highest: Mapping[int, str], progress: _Progress
) -> None:
    """Refuses unless every layer's rule holds; leaves in `progress` what was seen on the way."""
    matched = _require_rules(bundles, rules, wanted.name, wanted.environment)
    allowed = frozenset().union(*(rule.keys for _, rule in matched))
    signatures = _check_all(bundles, wanted, allowed, progress)
    for layer, rule in matched:
        _require_rule(layer, rule, signatures, progress, wanted.now)
    _require_version(Version.parse(wanted.version), matched, highest, progress)


def _verdict(wanted: Candidate, progress: _Progress, refusal: AtomError | None) -> Verdict:
    return Verdict(
        accepted=refusal is None,
        code=refusal.code if refusal else None,
        why=refusal.why if refusal else "",
        hint=refusal.hint if refusal else "",
        digest=wanted.digest,
        name=wanted.name,
        version=wanted.version,
        tenant=wanted.tenant,
        environment=wanted.environment,
        rule=progress.rule,
        threshold=progress.threshold,
        signers=progress.signers,
        rejected=progress.rejected,
    )


def _require_rules(
    bundles: Sequence[bytes], rules: TrustRules, name: str, environment: str
) -> list[tuple[str, TrustRule]]:
    """The matched rule of each layer, the uppermost first."""
    if not bundles:
        raise AtomError(codes.UNSIGNED, f"{name} came without any signature bundle")
    if len(bundles) > MAX_BUNDLES:
        raise AtomError(codes.BUNDLE_TOO_LARGE, f"{len(bundles)} bundles, at most {MAX_BUNDLES} are read")
    matched = []
    for layer in rules.layers():
        rule = layer.most_specific(name, environment)
        if rule is None:
            raise AtomError(codes.NO_RULE, f"the {layer.layer}'s rules say nothing about {name} in {environment}")
        matched.append((layer.layer, rule))
    if not matched:
        raise AtomError(codes.NO_RULE, f"there are no trust rules, so {name} cannot be trusted in {environment}")
    return matched


def _check_all(
    bundles: Sequence[bytes], wanted: Candidate, allowed: frozenset[Digest], progress: _Progress
) -> list[Signature]:
    signatures: list[Signature] = []
    for data in dict.fromkeys(bundles):
        try:
            signatures.append(candidate.check(data, wanted, allowed))
        except AtomError as error:
            progress.rejected += (_rejected(digest_of(data), error),)
    return signatures


def _require_rule(
    layer: str, rule: TrustRule, signatures: Sequence[Signature], progress: _Progress, now: datetime.datetime
) -> None:
    """Refuses unless enough different people of the rule's groups have signed as the rule demands."""
    progress.rule = f"{layer}/{rule.id}"
    counted: list[Signature] = []
    for signature in signatures:
        try:
            admission.admit(signature, rule, now)
            counted.append(signature)
        except AtomError as error:
            progress.rejected += (_rejected(signature.bundle, error),)
    progress.signers = tuple(counted)
    progress.threshold = admission.count(rule, counted)
    if progress.threshold.have >= progress.threshold.need:
        return
    if not counted:
        raise _gravest(progress.rejected)
    need, have = progress.threshold.need, progress.threshold.have
    raise AtomError(codes.THRESHOLD_UNMET, f"rule {progress.rule} needs {need} different people, {have} signed")


def _gravest(rejected: Sequence[Rejected]) -> AtomError:
    worst = min(rejected, key=lambda one: _GRAVITY.index(one.code) if one.code in _GRAVITY else len(_GRAVITY))
    return AtomError(worst.code, worst.why, hint=worst.hint)


def _rejected(bundle: Digest, error: AtomError) -> Rejected:
    return Rejected(bundle, error.code, error.why[:500], error.hint)


def _require_version(
    version: Version, matched: Sequence[tuple[str, TrustRule]], highest: Mapping[int, str], progress: _Progress
) -> None:
    for layer, rule in matched:
        if rule.min_version is not None and version < rule.min_version:
            progress.rule = f"{layer}/{rule.id}"
            raise AtomError(codes.BELOW_MINIMUM, f"{version} is below {rule.min_version}, set by {progress.rule}")
    accepted = highest.get(version.major)
    if accepted is not None and version < Version.parse(accepted):
        raise AtomError(codes.ROLLBACK, f"{version} is older than {accepted}, which was accepted before")
