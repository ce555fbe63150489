"""Runs every rule over a package: subjects in, findings with places out, suppressions applied.

Pure: the same package and configuration give the same validation, in the same order.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from atomctl.canonical import Digest, digest
from atomctl.rules.catalog import BY_SUBJECT, CATALOG, rules_digest
from atomctl.rules.collect import collect
from atomctl.rules.extract import KubernetesObject
from atomctl.rules.facts import PodFacts
from atomctl.rules.material import Located, Material
from atomctl.rules.model import AnyRule, Finding, Hit, RuleConfig, Validation
from atomctl.rules.script import ScriptFacts
from atomctl.rules.secret_scan import TextFacts
from atomctl.rules.source import TextSource, exists
from atomctl.rules.subjects import CallFacts, PackageFacts, SettingFacts, UnreadFacts, VoidSuppression
from atomctl.rules.suppressions import Void, comments, split

if TYPE_CHECKING:
    from atomctl.wpk.archive import Package

DEFAULT = RuleConfig()
_COUNTED = {
    CallFacts: "calls",
    KubernetesObject: "objects",
    PackageFacts: "packages",
    PodFacts: "pods",
    ScriptFacts: "scripts",
    SettingFacts: "settings",
    TextFacts: "texts",
    UnreadFacts: "unread",
}


def run(package: Package, config: RuleConfig = DEFAULT) -> Validation:
    """Everything the rules see in a package that was unpacked and whose manifest was accepted."""
    material = collect(package)
    every = {finding for located in material.located for finding in _findings(located, config)}
    findings = sorted(_without_repetition(every), key=_order)
    found = [comment for file, lines in material.texts.items() for comment in comments(file, lines)]
    parted = split(findings, found, config.today)
    void = [finding for located in _void(parted.void, material) for finding in _findings(located, config)]
    return Validation(
        findings=tuple(sorted((*parted.standing, *void), key=_order) if void else parted.standing),
        suppressed=parted.suppressed,
        not_understood=tuple(sorted(set(material.not_understood))),
        files=tuple(sorted(material.texts)),
        facts_digest=_facts_digest(material),
        rules_digest=rules_digest(),
        counts=Counter(_COUNTED[type(located.subject)] for located in material.located),
    )


def _without_repetition(findings: set[Finding]) -> Iterator[Finding]:
    """Leaves out what another rule says more exactly on the same line."""
    said = {(finding.file, finding.line, finding.rule) for finding in findings}
    for finding in findings:
        exact = CATALOG[finding.rule].yields_to
        if not any((finding.file, finding.line, rule) in said for rule in exact):
            yield finding


def _order(finding: Finding) -> tuple[str, int, int, str, str, str]:
    return finding.order


def _findings(located: Located, config: RuleConfig) -> Iterator[Finding]:
    for rule in BY_SUBJECT.get(type(located.subject), ()):
        for hit in rule.check(located.subject, config):
            if not (located.partial and _says_what_is_missing(located, hit)):
                yield _finding(rule, hit, located)


def _says_what_is_missing(located: Located, hit: Hit) -> bool:
    return not exists(getattr(located.source, "value", None), hit.path)


def _finding(rule: AnyRule, hit: Hit, located: Located) -> Finding:
    line, column = located.source.place(hit.path, hit.offset)
    return Finding(
        rule=rule.id,
        severity=hit.severity or rule.severity,
        confidence=rule.confidence,
        message=hit.message,
        file=located.source.file,
        line=line,
        column=column,
        object=hit.object or located.label,
        remediation=rule.remediation,
        bypassable=rule.bypassable,
        compound=rule.compound if hit.compound is None else hit.compound,
    )


def _void(void: tuple[Void, ...], material: Material) -> Iterator[Located]:
    for one in void:
        lines = material.texts[one.comment.file]
        offset = lines.offset(one.comment.line, one.comment.column)
        subject = VoidSuppression(one.why, one.expired, offset)
        yield Located(TextSource(one.comment.file, lines), subject, "suppression")


def _facts_digest(material: Material) -> Digest:
    """Covers every document's values, so two packages that read alike have the same one."""
    text = json.dumps(material.values, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return digest(text.encode())
