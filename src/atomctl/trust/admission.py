"""What one rule counts: which valid signatures meet its demands, and how many different people they stand for."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from atomctl.errors import AtomError
from atomctl.trust import codes
from atomctl.trust.distinct import places_filled
from atomctl.trust.rule_model import Demand, Group, Quantifier, TrustRule
from atomctl.trust.verdict import Signature, Threshold


def admit(signature: Signature, rule: TrustRule, now: datetime.datetime) -> None:
    """Refuses a valid signature that this rule does not count.

    Raises:
        AtomError: TRU216 key not listed; TRU234, TRU235 age; TRU240, TRU241, TRU243, TRU244, TRU245 log and timestamp.
    """
    if signature.key_id not in rule.keys:
        raise AtomError(codes.KEY_NOT_ALLOWED, f"key {signature.key_id} is not listed by rule {rule.id}")
    _require_age(signature, rule, now)
    _require_log(signature, rule)
    _require_timestamp(signature, rule)


def _require_age(signature: Signature, rule: TrustRule, now: datetime.datetime) -> None:
    if rule.max_age is None:
        return
    if signature.created is None:
        raise AtomError(codes.TIME_MISSING, f"rule {rule.id} limits the age, the signature carries no time")
    if signature.created + rule.max_age < now:
        raise AtomError(codes.TOO_OLD, f"signed {signature.created.isoformat()}, rule {rule.id} allows {rule.max_age}")


def _require_log(signature: Signature, rule: TrustRule) -> None:
    """A log entry is evidence only under a trusted log's key, and keyed verification is given none."""
    match rule.log:
        case Demand.REQUIRED if signature.log_indexes:
            raise AtomError(codes.LOG_UNKNOWN, f"rule {rule.id} demands a log entry, and no trusted log is configured")
        case Demand.REQUIRED:
            raise AtomError(codes.LOG_MISSING, f"rule {rule.id} demands a log entry")
        case Demand.FORBIDDEN if signature.log_indexes:
            raise AtomError(codes.LOG_FORBIDDEN, f"rule {rule.id} forbids log entries")


def _require_timestamp(signature: Signature, rule: TrustRule) -> None:
    match rule.timestamp:
        case Demand.REQUIRED if signature.timestamps:
            raise AtomError(
                codes.TIMESTAMP_UNTRUSTED, f"rule {rule.id} demands a timestamp, and no trusted authority is configured"
            )
        case Demand.REQUIRED:
            raise AtomError(codes.TIMESTAMP_MISSING, f"rule {rule.id} demands a timestamp")
        case Demand.FORBIDDEN if signature.timestamps:
            raise AtomError(codes.LOG_FORBIDDEN, f"rule {rule.id} forbids timestamps")


def count(rule: TrustRule, signatures: Sequence[Signature]) -> Threshold:
    """Places to fill and places filled: of all groups together, or of the group that lacks fewest.

    A person fills one place, whatever the number of their keys and bundles; signatures of keys that belong to nobody
    fill one place together.
    """
    match rule.quantifier:
        case Quantifier.ALL_OF:
            return _filled(rule.groups, signatures)
        case Quantifier.ANY_OF:
            each = [_filled((group,), signatures) for group in rule.groups]
            return min(each, key=lambda threshold: threshold.need - threshold.have)


def _filled(groups: Sequence[Group], signatures: Sequence[Signature]) -> Threshold:
    places = []
    for group in groups:
        people = sorted({signature.principal or "" for signature in signatures if signature.key_id in group.keys})
        places += [people] * group.threshold
    return Threshold(len(places), places_filled(places))
