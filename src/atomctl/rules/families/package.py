"""The package as a whole: whether it can be undone, repeated, stopped, and whether what it names is declared."""

from __future__ import annotations

from collections.abc import Iterator

from atomctl.rules.effects import mutates
from atomctl.rules.examples import handlers
from atomctl.rules.model import AnyRule, Compound, Confidence, Controls, Family, Hit, Rule, RuleConfig, Severity
from atomctl.rules.shape import mapping, sequence
from atomctl.rules.subjects import PackageFacts, Step
from atomctl.wpk.model import HandlerType, Idempotency, Mode

_KINDS = ("WorkflowPackage",)
_GUIDE = "docs/reference/rules.md"
_CHANGE = Controls(("CC8.1", "A1.2"), ("A.8.32", "A.8.13"), ("CM-3", "CP-10"))
_ACCESS = Controls(("CC6.1", "CC6.3"), ("A.5.17", "A.8.2"), ("AC-6", "IA-5"))
_INPUT = Controls(("CC8.1",), ("A.8.26",), ("SI-10",))
_MANY_ATTEMPTS = 10
_SECRET_PREFIX, _SECRET_SUFFIX = "ATOM_SECRET_", "_FILE"


def _changing(found: PackageFacts) -> list[Step]:
    return [step for step in found.steps if mutates(step.handler)]


def _auto_without_rollback(found: PackageFacts, _config: RuleConfig) -> Iterator[Hit]:
    if found.manifest.safety.mode is Mode.AUTO and _changing(found) and not found.manifest.rolls_back:
        yield Hit(("spec", "safety", "mode"), "starts by itself, changes something and has no rollback")


def _no_rollback(found: PackageFacts, _config: RuleConfig) -> Iterator[Hit]:
    if found.manifest.safety.mode is Mode.MANUAL and _changing(found) and not found.manifest.rolls_back:
        yield Hit(("spec", "rollback"), "changes something and has no rollback")


def _uncovered(found: PackageFacts, _config: RuleConfig) -> Iterator[Hit]:
    """A rollback handler that names nothing runs in every rollback, so it may cover every handler."""
    covered = {step.handler.compensates for step in found.rollback}
    if not found.manifest.rolls_back or None in covered:
        return
    for step in _changing(found):
        if step.handler.name not in covered and step.handler.idempotency is not Idempotency.SAFE:
            yield Hit(step.path, "changes something that no rollback handler compensates", step.label)


def _unapproved(found: PackageFacts, _config: RuleConfig) -> Iterator[Hit]:
    if not found.manifest.safety.approval_required and _changing(found):
        yield Hit(("spec", "safety", "approval_required"), "changes something without asking a second person")


def _no_dry_run(found: PackageFacts, _config: RuleConfig) -> Iterator[Hit]:
    if not found.manifest.safety.dry_run_required and _changing(found):
        yield Hit(("spec", "safety", "dry_run_required"), "changes something without a plan that was looked at first")


def _retried(found: PackageFacts, _config: RuleConfig) -> Iterator[Hit]:
    for step in (*found.steps, *found.rollback):
        if step.handler.retry.max_attempts > 1 and step.handler.idempotency is Idempotency.UNSAFE:
            where = (*step.path, "retry", "max_attempts")
            yield Hit(where, "is tried again although a second time may do harm (idempotency: unsafe)", step.label)


def _many_attempts(found: PackageFacts, _config: RuleConfig) -> Iterator[Hit]:
    for step in (*found.steps, *found.rollback):
        if step.handler.retry.max_attempts > _MANY_ATTEMPTS:
            where = (*step.path, "retry", "max_attempts")
            yield Hit(where, f"is tried {step.handler.retry.max_attempts} times", step.label)


def _long_timeout(found: PackageFacts, config: RuleConfig) -> Iterator[Hit]:
    for step in (*found.steps, *found.rollback):
        if step.handler.type is not HandlerType.APPROVAL and step.handler.timeout > config.max_timeout:
            yield Hit((*step.path, "timeout"), f"may run longer than {config.max_timeout}", step.label)


def _unsure(found: PackageFacts, _config: RuleConfig) -> Iterator[Hit]:
    for step in _changing(found):
        if step.handler.idempotency is Idempotency.UNSAFE:
            yield Hit(step.path, "asks a person when its worker dies in the middle (idempotency: unsafe)", step.label)


def _undeclared(found: PackageFacts, _config: RuleConfig) -> Iterator[Hit]:
    for step in (*found.steps, *found.rollback):
        script = step.handler.config.get("script")
        granted = {str(name).upper() for name in sequence(step.handler.config.get("secrets"))}
        for name in _secrets_read(found.scripts.get(script, "") if isinstance(script, str) else ""):
            if name not in granted:
                where = (*step.path, "config", "script")
                yield Hit(where, f"{script} reads the secret {name.lower()}, which the step is not given", step.label)


def _secrets_read(text: str) -> list[str]:
    """The names in `$ATOM_SECRET_NAME_FILE`, in order and once each."""
    names: dict[str, None] = {}
    for piece in text.split(_SECRET_PREFIX)[1:]:
        end = next((i for i, char in enumerate(piece) if not (char.isalnum() or char == "_")), len(piece))
        if piece[:end].endswith(_SECRET_SUFFIX):
            names[piece[: end - len(_SECRET_SUFFIX)]] = None
    return list(names)


def _unused(found: PackageFacts, _config: RuleConfig) -> Iterator[Hit]:
    every = (*found.steps, *found.rollback)
    used = {str(name) for step in every for name in sequence(step.handler.config.get("secrets"))}
    written = "".join(repr((step.handler.config, step.handler.probe)) for step in every)
    for name in found.manifest.secrets:
        if name not in used and f"secrets.{name}" not in written and f"secrets['{name}']" not in written:
            yield Hit(("spec", "secrets", name), f"declares the secret {name}, which nothing reads")


def _loose(found: PackageFacts, _config: RuleConfig) -> Iterator[Hit]:
    narrowing = {"enum", "const", "pattern", "format", "maxLength", "$ref"}
    for name, schema in mapping(found.manifest.parameters.get("properties")).items():
        if mapping(schema).get("type", "string") == "string" and not narrowing.intersection(mapping(schema)):
            yield Hit(("spec", "parameters", "properties", name), f"takes any text for {name}")


def _broad_permission(found: PackageFacts, _config: RuleConfig) -> Iterator[Hit]:
    for index, permission in enumerate(found.manifest.validation.required_permissions):
        if "*" in permission:
            yield Hit(("spec", "validation", "required_permissions", index), f"asks for {permission}")


def _by_selector(found: PackageFacts, _config: RuleConfig) -> Iterator[Hit]:
    for step in (*found.steps, *found.rollback):
        config = step.handler.config
        if step.handler.type is HandlerType.K8S and config.get("action") == "delete" and "selector" in config:
            yield Hit((*step.path, "config", "selector"), "deletes every object a selector matches", step.label)


_ECHO = "- {name: a, type: shell, config: {command: [echo, done]}}"
_ROLLBACK = "rollback: {handlers: [{name: undo, type: shell, config: {command: [echo, undone]}}]}\n"
_SCRIPT = "- {name: a, type: shell, config: {script: scripts/run.sh}}"
_CHECKED = "idempotency: safe"

RULES: tuple[AnyRule, ...] = (
    Rule(
        id="auto-without-rollback",
        title="A package that starts by itself cannot be undone",
        severity=Severity.HIGH,
        family=Family.PACKAGE,
        kinds=_KINDS,
        remediation="Add rollback handlers, or set spec.safety.mode to manual.",
        references=(_GUIDE,),
        cwe=(754,),
        controls=_CHANGE,
        bypassable=False,
        compound=frozenset({Compound.AUTO_WITHOUT_ROLLBACK}),
        good=handlers(_ECHO, f"safety: {{mode: auto}}\n{_ROLLBACK}"),
        bad=handlers(_ECHO, "safety: {mode: auto}\n"),
        subject=PackageFacts,
        check=_auto_without_rollback,
    ),
    Rule(
        id="no-rollback",
        title="A package that changes something cannot be undone",
        severity=Severity.LOW,
        family=Family.PACKAGE,
        kinds=_KINDS,
        remediation="Add a rollback handler for each handler that changes something.",
        references=(_GUIDE,),
        cwe=(754,),
        controls=_CHANGE,
        good=handlers(_ECHO, _ROLLBACK),
        bad=handlers(_ECHO),
        subject=PackageFacts,
        check=_no_rollback,
    ),
    Rule(
        id="rollback-gap",
        title="The rollback leaves a handler uncompensated",
        severity=Severity.LOW,
        family=Family.PACKAGE,
        kinds=_KINDS,
        remediation="Add a rollback handler with `compensates: NAME`, or say `idempotency: safe`.",
        references=(_GUIDE,),
        cwe=(754,),
        controls=_CHANGE,
        good=handlers(_ECHO, _ROLLBACK.replace("name: undo", "name: undo, compensates: a")),
        bad=handlers(
            f"{_ECHO}\n- {{name: b, type: shell, config: {{command: [echo, more]}}}}",
            _ROLLBACK.replace("name: undo", "name: undo, compensates: a"),
        ),
        subject=PackageFacts,
        check=_uncovered,
    ),
    Rule(
        id="approval-off",
        title="A package that changes something asks nobody",
        severity=Severity.MEDIUM,
        family=Family.PACKAGE,
        kinds=_KINDS,
        remediation="Leave spec.safety.approval_required at true.",
        references=(_GUIDE,),
        cwe=(862,),
        controls=Controls(("CC8.1", "CC6.3"), ("A.8.32", "A.5.3"), ("CM-3", "AC-5")),
        good=handlers(_ECHO),
        bad=handlers(_ECHO, "safety: {approval_required: false}\n"),
        subject=PackageFacts,
        check=_unapproved,
    ),
    Rule(
        id="dry-run-off",
        title="A package that changes something needs no plan",
        severity=Severity.LOW,
        family=Family.PACKAGE,
        kinds=_KINDS,
        remediation="Leave spec.safety.dry_run_required at true.",
        references=(_GUIDE,),
        cwe=(754,),
        controls=_CHANGE,
        good=handlers(_ECHO),
        bad=handlers(_ECHO, "safety: {dry_run_required: false}\n"),
        subject=PackageFacts,
        check=_no_dry_run,
    ),
    Rule(
        id="retry-unsafe",
        title="A handler that must not run twice is retried",
        severity=Severity.MEDIUM,
        family=Family.PACKAGE,
        kinds=_KINDS,
        remediation="Make the step repeatable and say so with `idempotency`, or remove `retry`.",
        references=(_GUIDE,),
        cwe=(837,),
        controls=_CHANGE,
        good=handlers(f"- {{name: a, type: shell, {_CHECKED}, retry: {{max_attempts: 3}}, config: {{command: [ls]}}}}"),
        bad=handlers("- {name: a, type: shell, retry: {max_attempts: 3}, config: {command: [ls]}}"),
        subject=PackageFacts,
        check=_retried,
    ),
    Rule(
        id="many-attempts",
        title="A handler is retried very often",
        severity=Severity.LOW,
        family=Family.PACKAGE,
        kinds=_KINDS,
        remediation=f"Try at most {_MANY_ATTEMPTS} times; a step that fails that often needs a person.",
        references=(_GUIDE,),
        cwe=(799,),
        controls=_CHANGE,
        good=handlers(f"- {{name: a, type: shell, {_CHECKED}, retry: {{max_attempts: 3}}, config: {{command: [ls]}}}}"),
        bad=handlers(f"- {{name: a, type: shell, {_CHECKED}, retry: {{max_attempts: 20}}, config: {{command: [ls]}}}}"),
        subject=PackageFacts,
        check=_many_attempts,
    ),
    Rule(
        id="long-timeout",
        title="A handler may run for very long",
        severity=Severity.LOW,
        family=Family.PACKAGE,
        kinds=_KINDS,
        remediation="Set a timeout just above the longest run that is still right.",
        references=(_GUIDE,),
        cwe=(400,),
        controls=_CHANGE,
        good=handlers("- {name: a, type: shell, timeout: 10m, config: {command: [ls]}}"),
        bad=handlers("- {name: a, type: shell, timeout: 48h, config: {command: [ls]}}"),
        subject=PackageFacts,
        check=_long_timeout,
    ),
    Rule(
        id="unsafe-idempotency",
        title="Nobody knows whether a handler may run twice",
        severity=Severity.INFO,
        family=Family.PACKAGE,
        kinds=_KINDS,
        remediation="Say what happens when the worker dies: `idempotency: safe`, `key`, `reattach` or `check`.",
        references=(_GUIDE,),
        cwe=(837,),
        controls=_CHANGE,
        good=handlers(f"- {{name: a, type: shell, {_CHECKED}, config: {{command: [ls]}}}}"),
        bad=handlers("- {name: a, type: shell, config: {command: [ls]}}"),
        subject=PackageFacts,
        check=_unsure,
    ),
    Rule(
        id="undeclared-secret",
        title="A script reads a secret that its step is not given",
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
        family=Family.PACKAGE,
        kinds=_KINDS,
        remediation="Declare it under spec.secrets and name it in the handler's `secrets`.",
        references=(_GUIDE,),
        cwe=(522,),
        controls=_ACCESS,
        good=handlers(_SCRIPT, beside=(("scripts/run.sh", "#!/bin/sh\necho done\n"),)),
        bad=handlers(_SCRIPT, beside=(("scripts/run.sh", '#!/bin/sh\nwc -c "$ATOM_SECRET_DB_FILE"\n'),)),
        subject=PackageFacts,
        check=_undeclared,
    ),
    Rule(
        id="unused-secret",
        title="A secret is declared and never read",
        severity=Severity.INFO,
        family=Family.PACKAGE,
        kinds=_KINDS,
        remediation="Remove it from spec.secrets: what is not needed should not be readable.",
        references=(_GUIDE,),
        cwe=(522,),
        controls=_ACCESS,
        good=handlers(
            "- {name: a, type: shell, config: {command: [ls], secrets: [db]}}",
            "secrets: {db: {path: secret/data/db, key: password}}\n",
        ),
        bad=handlers(_ECHO, "secrets: {db: {path: secret/data/db, key: password}}\n"),
        subject=PackageFacts,
        check=_unused,
    ),
    Rule(
        id="loose-parameter",
        title="A parameter takes any text",
        severity=Severity.LOW,
        family=Family.PACKAGE,
        kinds=_KINDS,
        remediation="Narrow it with enum, pattern, format or maxLength.",
        references=("https://json-schema.org/draft/2020-12",),
        cwe=(20,),
        controls=_INPUT,
        good=handlers(_ECHO, "parameters: {type: object, properties: {name: {type: string, pattern: '^[a-z]+$'}}}\n"),
        bad=handlers(_ECHO, "parameters: {type: object, properties: {name: {type: string}}}\n"),
        subject=PackageFacts,
        check=_loose,
    ),
    Rule(
        id="broad-permission",
        title="A package asks for a permission with a wildcard",
        severity=Severity.MEDIUM,
        family=Family.PACKAGE,
        kinds=_KINDS,
        remediation="Name the resource and the verb, as in deployments/patch.",
        references=("https://kubernetes.io/docs/concepts/security/rbac-good-practices/",),
        cwe=(250,),
        controls=_ACCESS,
        good=handlers(_ECHO, "validation: {required_permissions: [deployments/patch]}\n"),
        bad=handlers(_ECHO, "validation: {required_permissions: ['deployments/*']}\n"),
        subject=PackageFacts,
        check=_broad_permission,
    ),
    Rule(
        id="delete-by-selector",
        title="A handler deletes every object a selector matches",
        severity=Severity.MEDIUM,
        family=Family.PACKAGE,
        kinds=_KINDS,
        remediation="Delete by name; a label that is put on something else later would delete that too.",
        references=("https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/",),
        cwe=(73,),
        controls=_CHANGE,
        good=handlers("- {name: a, type: k8s, config: {action: delete, kind: Pod, namespace: shop, name: web-0}}"),
        bad=handlers("- {name: a, type: k8s, config: {action: delete, kind: Pod, namespace: shop, selector: app=web}}"),
        subject=PackageFacts,
        check=_by_selector,
    ),
)
