"""Trust rules as documents, `atom.trust-rules/v1`, read strictly; the model and what it means are in `rule_model`.

    {"schema": "atom.trust-rules/v1",
     "rules": [{"id": "restarts", "names": ["restart-*"], "environments": ["production"],
                "require": {"all_of": [{"threshold": 2, "signers": [{"key": "sha256:..."}, {"key": "sha256:..."}]}]},
                "log": "optional", "timestamp": "optional", "min_version": "1.2.0", "max_age": "90d"}]}

`environments`, `log`, `timestamp`, `min_version` and `max_age` may be left out; `require` holds one of `any_of` and
`all_of`. An unknown field is refused: a demand that is misspelt must not become no demand.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

from atomctl.canonical import Digest, Json, canonical_json, parse_digest
from atomctl.errors import AtomError
from atomctl.trust import codes
from atomctl.trust.formats import strict_json
from atomctl.trust.formats.strict_json import Fields, MalformedError
from atomctl.trust.rule_model import Demand, Group, Quantifier, TrustRule, TrustRules, narrow
from atomctl.trust.versions import Version

__all__ = ["Demand", "Group", "Quantifier", "TrustRule", "TrustRules", "narrow", "parse", "read", "to_json"]

SCHEMA = "atom.trust-rules/v1"
MAX_BYTES = 256 * 1024
_GLOB = re.compile(r"[a-z0-9*?-]{1,63}", re.ASCII)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_AGE = re.compile(r"([1-9]\d{0,5})([smhd])", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_MAX_RULES, _MAX_NAMES, _MAX_GROUPS, _MAX_SIGNERS = 500, 100, 16, 100


def read(data: bytes) -> TrustRules:
    """The rules in a document's bytes.

    Raises:
        AtomError: TRU111 malformed.
    """
    try:
        return _rules(strict_json.read(data, max_bytes=MAX_BYTES, max_depth=12))
    except MalformedError as error:
        raise AtomError(codes.RULES_MALFORMED, f"trust rules: {error}") from error


def parse(value: Json) -> TrustRules:
    """The rules in a document that was read already, for instance from a `jsonb` column.

    Raises:
        AtomError: TRU111 malformed.
    """
    try:
        data = canonical_json(value)
    except (ValueError, TypeError) as error:
        raise AtomError(codes.RULES_MALFORMED, f"trust rules: {error}") from error
    return read(data)


def to_json(rules: TrustRules) -> dict[str, Json]:
    """The document of one layer; `parse` gives the same rules back."""
    return {"schema": SCHEMA, "rules": [_rule_json(rule) for rule in rules.rules]}


def _rules(document: Fields) -> TrustRules:
    if (schema := document.text("schema")) != SCHEMA:
        raise MalformedError(f"schema is {schema[:60]!r}, {SCHEMA} is expected")
    rules = tuple(_rule(fields, n) for n, fields in enumerate(document.objects("rules", limit=_MAX_RULES), 1))
    document.done()
    if len({rule.id for rule in rules}) != len(rules):
        raise MalformedError("two rules have one id")
    return TrustRules(rules)


def _rule(fields: Fields, number: int) -> TrustRule:
    require = fields.object("require")
    quantifiers = [each for each in Quantifier if require.has(each)]
    if len(quantifiers) != 1:
        raise MalformedError(f"{require.where} holds not exactly one of any_of and all_of")
    rule = TrustRule(
        id=_matching(_LABEL, fields.optional_text("id") or f"rule-{number}", fields.path("id")),
        names=_names(fields),
        environments=frozenset(
            _matching(_LABEL, text, fields.path("environments")) for text in fields.texts("environments", limit=16)
        ),
        quantifier=quantifiers[0],
        groups=_groups(require, quantifiers[0]),
        log=_demand(fields, "log"),
        timestamp=_demand(fields, "timestamp"),
        min_version=_version(fields),
        max_age=_age(fields),
    )
    require.done()
    fields.done()
    return rule


def _matching(pattern: re.Pattern[str], text: str, where: str) -> str:
    if pattern.fullmatch(text) is None:
        raise MalformedError(f"{where}: {text[:60]!r} is not of the form {pattern.pattern}")
    return text


def _names(fields: Fields) -> tuple[str, ...]:
    names = fields.texts("names", limit=_MAX_NAMES)
    if not names:
        raise MalformedError(f"{fields.path('names')} is empty")
    return tuple(_matching(_GLOB, name, fields.path("names")) for name in names)


def _groups(require: Fields, quantifier: Quantifier) -> tuple[Group, ...]:
    groups = tuple(_group(fields) for fields in require.objects(quantifier, limit=_MAX_GROUPS))
    if not groups:
        raise MalformedError(f"{require.path(quantifier)} is empty, so nobody would be asked")
    return groups


def _group(fields: Fields) -> Group:
    keys = frozenset(_key(signer) for signer in fields.objects("signers", limit=_MAX_SIGNERS))
    threshold = fields.count("threshold", limit=_MAX_SIGNERS) if fields.has("threshold") else 1
    fields.done()
    if not 1 <= threshold <= len(keys):
        raise MalformedError(f"{fields.where} demands {threshold} of {len(keys)} different signers")
    return Group(threshold, keys)


def _key(signer: Fields) -> Digest:
    try:
        key = parse_digest(signer.text("key"))
    except MalformedError:
        raise
    except ValueError as error:
        raise MalformedError(f"{signer.path('key')} is not a key id: sha256: and 64 hex digits") from error
    signer.done()
    return key


def _demand(fields: Fields, name: str) -> Demand:
    text = fields.optional_text(name) or Demand.OPTIONAL
    if text not in set(Demand):
        raise MalformedError(f"{fields.path(name)} is not one of {', '.join(Demand)}")
    return Demand(text)


def _version(fields: Fields) -> Version | None:
    text = fields.optional_text("min_version")
    try:
        return Version.parse(text) if text is not None else None
    except ValueError as error:
        raise MalformedError(f"{fields.path('min_version')}: {error}") from error


def _age(fields: Fields) -> datetime.timedelta | None:
    text = fields.optional_text("max_age")
    if text is None:
        return None
    match = _AGE.fullmatch(text)
    if match is None:
        raise MalformedError(f"{fields.path('max_age')} is not an age such as 90d or 12h")
    return datetime.timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def _rule_json(rule: TrustRule) -> dict[str, Json]:
    groups: list[Json] = [
        {"threshold": group.threshold, "signers": [{"key": key} for key in sorted(group.keys)]} for group in rule.groups
    ]
    document: dict[str, Any] = {
        "id": rule.id,
        "names": list(rule.names),
        "require": {rule.quantifier.value: groups},
        "log": rule.log.value,
        "timestamp": rule.timestamp.value,
    }
    if rule.environments:
        document["environments"] = sorted(rule.environments)
    if rule.min_version is not None:
        document["min_version"] = str(rule.min_version)
    if rule.max_age is not None:
        document["max_age"] = _age_text(rule.max_age)
    return document


def _age_text(age: datetime.timedelta) -> str:
    seconds = int(age.total_seconds())
    unit = next(unit for unit in ("d", "h", "m", "s") if seconds % _UNITS[unit] == 0)
    return f"{seconds // _UNITS[unit]}{unit}"
