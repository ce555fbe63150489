"""All rules, by id and by what they look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import atomctl
from atomctl.canonical import Digest, digest
from atomctl.rules.families import (
    api,
    code,
    confinement,
    egress,
    host,
    identity,
    images,
    network,
    package,
    rbac,
    resources,
    secrets,
    shell,
    source,
)
from atomctl.rules.model import AnyRule

_FAMILIES = (
    host,
    confinement,
    identity,
    images,
    resources,
    rbac,
    network,
    secrets,
    code,
    shell,
    egress,
    api,
    package,
    source,
)


def _catalog() -> Mapping[str, AnyRule]:
    rules: dict[str, AnyRule] = {}
    for family in _FAMILIES:
        for rule in family.RULES:
            if rule.id in rules:
                raise ValueError(f"two rules are called {rule.id}")
            rules[rule.id] = rule
    return MappingProxyType(rules)


CATALOG: Mapping[str, AnyRule] = _catalog()


def _by_subject() -> Mapping[type, tuple[AnyRule, ...]]:
    groups: dict[type, tuple[AnyRule, ...]] = {}
    for rule in CATALOG.values():
        groups[rule.subject] = (*groups.get(rule.subject, ()), rule)
    return MappingProxyType(groups)


BY_SUBJECT: Mapping[type, tuple[AnyRule, ...]] = _by_subject()


@cache
def rules_digest() -> Digest:
    """The digest of what the rules say of themselves and of the version whose code runs them."""
    said = {"version": atomctl.__version__, "rules": [rule.to_json() for rule in CATALOG.values()]}
    return digest(json.dumps(said, sort_keys=True).encode())
