"""Trust rules: who may sign which names in which environment. The frozen model; its JSON is read in `rules`.

The most specific name wins: an exact name, else the glob with the most literal characters; of equals the one that names
the environment, then the one written first. No rule = refuse. Rules come in layers (tenant below platform): **every
layer that has rules must have one that matches, and every matched rule must hold**, so a tenant can narrow what the
platform sets and cannot widen it.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass

from atomctl.canonical import Digest
from atomctl.trust.versions import Version


class Demand(enum.StrEnum):
    """Whether a bundle must, may or must not carry something."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    FORBIDDEN = "forbidden"


class Quantifier(enum.StrEnum):
    """Whether one group of signers suffices or every group is needed."""

    ANY_OF = "any_of"
    ALL_OF = "all_of"


@dataclass(frozen=True, slots=True)
class Group:
    """Signers of whom at least `threshold` different people must sign."""

    threshold: int
    keys: frozenset[Digest]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRule:
    """What must hold for a package whose name matches one of `names`."""

    id: str
    names: tuple[str, ...]
    """Globs over DNS labels: `*` any characters, `?` one."""
    environments: frozenset[str] = frozenset()
    """Empty = every environment."""
    quantifier: Quantifier
    groups: tuple[Group, ...]
    log: Demand = Demand.OPTIONAL
    timestamp: Demand = Demand.OPTIONAL
    min_version: Version | None = None
    max_age: datetime.timedelta | None = None
    """How long after its signed time a release may be used."""

    @property
    def keys(self) -> frozenset[Digest]:
        """The keys that any group lists."""
        return frozenset().union(*(group.keys for group in self.groups))

    def specificity(self, name: str, environment: str) -> tuple[bool, int, bool] | None:
        """How exactly the rule means `name`: comparable, higher = more exact; None = it does not apply."""
        if self.environments and environment not in self.environments:
            return None
        matching = [glob for glob in self.names if fnmatch.fnmatchcase(name, glob)]
        if not matching:
            return None
        exact, literal = max((glob == name, sum(char not in "*?" for char in glob)) for glob in matching)
        return exact, literal, bool(self.environments)


@dataclass(frozen=True, slots=True)
class TrustRules:
    """One layer of rules, and the layer above it that it may only narrow."""

    rules: tuple[TrustRule, ...] = ()
    layer: str = "tenant"
    above: TrustRules | None = None

    def most_specific(self, name: str, environment: str) -> TrustRule | None:
        """The rule of this layer that applies, or None where none does, which means refuse."""
        best: tuple[tuple[bool, int, bool], TrustRule] | None = None
        for rule in self.rules:
            specificity = rule.specificity(name, environment)
            if specificity is not None and (best is None or specificity > best[0]):
                best = specificity, rule
        return best[1] if best else None

    def layers(self) -> Iterator[TrustRules]:
        """The layers that have rules, the uppermost first."""
        if self.above is not None:
            yield from self.above.layers()
        if self.rules:
            yield self


def narrow(platform: TrustRules, tenant: TrustRules) -> TrustRules:
    """The rules in force for a tenant: its own, under the platform's.

    A side without rules says nothing, so the other decides alone; two silent sides refuse everything.
    """
    return dataclasses.replace(tenant, layer="tenant", above=dataclasses.replace(platform, layer="platform"))
