"""What the validator could not look into, and comments that try to silence it. Silence is never a verdict."""

from __future__ import annotations

from collections.abc import Iterator

from atomctl.rules.examples import manifest, pod, script
from atomctl.rules.facts import PodFacts
from atomctl.rules.model import AnyRule, Confidence, Controls, Example, Family, Hit, Rule, RuleConfig, Severity
from atomctl.rules.script import ScriptFacts
from atomctl.rules.subjects import Unread, UnreadFacts, VoidSuppression

_CONTROLS = Controls(("CC8.1",), ("A.8.9",), ("CM-6", "SI-10"))
_GUIDE = "docs/reference/rules.md"


def _not_yaml(unread: UnreadFacts, _config: RuleConfig) -> Iterator[Hit]:
    if unread.reason is Unread.NOT_YAML:
        yield Hit(unread.path, f"cannot be read: {unread.detail}", offset=unread.offset)


def _too_much(unread: UnreadFacts, _config: RuleConfig) -> Iterator[Hit]:
    if unread.reason is Unread.TOO_MUCH:
        yield Hit(unread.path, unread.detail)


def _unknown_kind(unread: UnreadFacts, _config: RuleConfig) -> Iterator[Hit]:
    if unread.reason is Unread.KIND:
        yield Hit(unread.path, f"{unread.detail} is not known, but something in it looks like a Pod")


def _other(unread: UnreadFacts, _config: RuleConfig) -> Iterator[Hit]:
    if unread.reason in (Unread.LANGUAGE, Unread.BINARY):
        yield Hit(unread.path, f"is {unread.detail}, which is searched for nothing but secrets", offset=0)


def _broken_script(found: ScriptFacts, _config: RuleConfig) -> Iterator[Hit]:
    if found.broken_at is not None:
        yield found.hit(found.broken_at, "holds something that does not read as shell")


_TYPES: tuple[tuple[str, type], ...] = (
    ("containers", list),
    ("initContainers", list),
    ("ephemeralContainers", list),
    ("volumes", list),
    ("securityContext", dict),
    ("hostNetwork", bool),
    ("hostPID", bool),
    ("hostIPC", bool),
    ("hostUsers", bool),
)
_SECURITY_TYPES: tuple[tuple[str, type], ...] = (
    ("privileged", bool),
    ("allowPrivilegeEscalation", bool),
    ("runAsNonRoot", bool),
    ("runAsUser", int),
    ("capabilities", dict),
    ("seccompProfile", dict),
    ("procMount", str),
)


def _malformed(pod_facts: PodFacts, _config: RuleConfig) -> Iterator[Hit]:
    spec = pod_facts.spec
    if not spec:
        yield Hit(pod_facts.spec_path, "has no Pod spec that could be read")
        return
    if not pod_facts.containers:
        yield Hit(pod_facts.at("containers"), "has no containers that could be read")
    for key, wanted in _TYPES:
        if spec.get(key) is not None and not isinstance(spec[key], wanted):
            yield Hit(pod_facts.at(key), f"{key} has the wrong type")
    for key in ("containers", "initContainers", "ephemeralContainers"):
        members = spec.get(key)
        for index, member in enumerate(members if isinstance(members, list) else ()):
            if not isinstance(member, dict):
                yield Hit(pod_facts.at(key, index), f"a member of {key} is not a container")
    for container in pod_facts.containers:
        context = container.value.get("securityContext")
        if context is not None and not isinstance(context, dict):
            yield Hit(container.at("securityContext"), "securityContext has the wrong type", container.label)
        for key, wanted in _SECURITY_TYPES:
            if container.security.get(key) is not None and not isinstance(container.security[key], wanted):
                yield Hit(container.at("securityContext", key), f"{key} has the wrong type", container.label)


def _void(found: VoidSuppression, _config: RuleConfig) -> Iterator[Hit]:
    if not found.expired:
        yield Hit((), f"suppresses nothing: {found.why}", offset=found.offset)


def _expired(found: VoidSuppression, _config: RuleConfig) -> Iterator[Hit]:
    if found.expired:
        yield Hit((), f"suppresses nothing: {found.why}", offset=found.offset)


RULES: tuple[AnyRule, ...] = (
    Rule(
        id="unreadable-manifest",
        title="A manifest cannot be read",
        severity=Severity.HIGH,
        family=Family.SOURCE,
        kinds=("file",),
        remediation="Write plain YAML or JSON: unique keys, no custom tags, at most 1 MiB.",
        references=(_GUIDE,),
        cwe=(20,),
        controls=_CONTROLS,
        bypassable=False,
        good=manifest("{kind: ConfigMap, apiVersion: v1, metadata: {name: a}, data: {key: value}}"),
        bad=manifest("{kind: ConfigMap, kind: ConfigMap}"),
        subject=UnreadFacts,
        check=_not_yaml,
    ),
    Rule(
        id="malformed-workload",
        title="A workload has a field of the wrong type",
        severity=Severity.HIGH,
        family=Family.SOURCE,
        kinds=("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"),
        remediation="Give the field the type the Kubernetes API has for it; the API server would refuse it.",
        references=("https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/",),
        cwe=(20,),
        controls=_CONTROLS,
        bypassable=False,
        good=pod("hostPID: false"),
        bad=pod('hostPID: "false"'),
        subject=PodFacts,
        check=_malformed,
    ),
    Rule(
        id="unknown-kind-with-pod",
        title="An unknown kind seems to carry a Pod",
        severity=Severity.INFO,
        confidence=Confidence.LOW,
        family=Family.SOURCE,
        kinds=("any",),
        remediation="Look at it by hand; no Pod rule was applied.",
        references=(_GUIDE,),
        controls=_CONTROLS,
        good=manifest("{kind: Backup, apiVersion: example.org/v1, metadata: {name: a}, spec: {schedule: daily}}"),
        bad=manifest(
            "{kind: Backup, apiVersion: example.org/v1, metadata: {name: a}, spec: {containers: [{image: busybox}]}}"
        ),
        subject=UnreadFacts,
        check=_unknown_kind,
    ),
    Rule(
        id="unread-file",
        title="A file is in a language the validator does not read",
        severity=Severity.INFO,
        family=Family.SOURCE,
        kinds=("file",),
        remediation="Write the step in shell, or have the file reviewed by a person.",
        references=(_GUIDE,),
        controls=_CONTROLS,
        good=script("echo done"),
        bad=Example("#!/usr/bin/env python3\nprint('done')\n", "scripts/example.py"),
        subject=UnreadFacts,
        check=_other,
    ),
    Rule(
        id="unreadable-script",
        title="A script does not read as shell",
        severity=Severity.LOW,
        confidence=Confidence.MEDIUM,
        family=Family.SOURCE,
        kinds=("script", "handler", "container"),
        remediation="Check the syntax with `sh -n`; use plain POSIX shell or bash.",
        references=(_GUIDE,),
        controls=_CONTROLS,
        yields_to=("parameter-in-code", "reverse-shell"),
        good=script('if [ -n "$A" ]; then echo yes; fi'),
        bad=script("if then (( fi ))"),
        subject=ScriptFacts,
        check=_broken_script,
    ),
    Rule(
        id="oversized-script",
        title="A script is too long or too deeply nested to be read",
        severity=Severity.HIGH,
        family=Family.SOURCE,
        kinds=("script", "handler", "container"),
        remediation="Split it: at most 128 KiB for one script, 512 KiB for all of a package, 64 levels of syntax.",
        references=(_GUIDE,),
        cwe=(400,),
        controls=_CONTROLS,
        bypassable=False,
        good=script("echo done"),
        bad=script("echo " + "$(" * 40 + "ls" + ")" * 40),
        subject=UnreadFacts,
        check=_too_much,
    ),
    Rule(
        id="suppression-expired",
        title="A suppression has expired",
        severity=Severity.LOW,
        family=Family.SOURCE,
        kinds=("file",),
        remediation="Mend what it set aside, or set a new date with a reason that still holds.",
        references=(_GUIDE,),
        controls=_CONTROLS,
        bypassable=False,
        good=script("echo done"),
        bad=script('# atom:ignore sudo reason="the host has no other way" until=2020-01-01\nsudo true'),
        subject=VoidSuppression,
        check=_expired,
    ),
    Rule(
        id="suppression-void",
        title="A suppression has no effect",
        severity=Severity.LOW,
        family=Family.SOURCE,
        kinds=("file",),
        remediation='Write `# atom:ignore RULE reason="why it is safe" until=YYYY-MM-DD` where the finding stands, or'
        " remove the comment.",
        references=(_GUIDE,),
        controls=_CONTROLS,
        bypassable=False,
        good=script("echo done"),
        bad=script("# atom:ignore sudo\nsudo true"),
        subject=VoidSuppression,
        check=_void,
    ),
)
