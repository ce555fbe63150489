"""What a manifest's expressions and templates read, and whether they may, where they stand.

Values reach steps as data. A template is allowed in the config of `api`, `k8s`, `approval` and `package` handlers and
in the `env` of shell handlers; nowhere else, because anywhere else its value would become code or change what was
signed. Secrets are narrower: an `api` or `k8s` config may read them, a shell step lists them under `secrets`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, assert_never

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.wpk import codes, expressions
from atomctl.wpk.cel_text import Reference, references
from atomctl.wpk.model import Handler, HandlerType, Manifest
from atomctl.wpk.order import ROLLBACK, WORKFLOW, ancestors, unknown
from atomctl.wpk.source_yaml import Node, Path
from atomctl.wpk.templates import has_template, split, strings

_BASE: Final = frozenset({"params", "steps", "run"})


@dataclass(frozen=True, slots=True)
class _Scope:
    """What an expression may read where it stands."""

    params: frozenset[str]
    secrets: frozenset[str]
    steps: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Expression:
    """An expression, where it stands, and which variables have a value there."""

    text: str
    path: Path
    roots: frozenset[str]


def check_reads(manifest: Manifest, node: Node) -> None:
    """Refuses expressions that do not compile, stand in the wrong place, or read what is not there.

    Raises:
        AtomError: WPK117 a template where none may be; WPK118 not CEL; WPK114 something undeclared is read.
    """
    for index, trigger in enumerate(manifest.triggers):
        _refuse_templates(dict(trigger.config), ("spec", "triggers", index, "config"), node)
    properties = manifest.parameters.get("properties", {})
    params = frozenset(properties) if isinstance(properties, Mapping) else frozenset[str]()
    secrets = frozenset(manifest.secrets)
    workflow = ancestors(manifest.handlers)
    for index, handler in enumerate(manifest.handlers):
        scope = _Scope(params, secrets, workflow[handler.name])
        _check_handler(handler, (*WORKFLOW, index), scope, node)
    rollback = ancestors(manifest.rollback.handlers)
    for index, handler in enumerate(manifest.rollback.handlers):
        # Any handler may have run before a rollback; one that did not has no entry, which `has()` can ask.
        scope = _Scope(params, secrets, frozenset(workflow) | rollback[handler.name])
        _check_handler(handler, (*ROLLBACK, index), scope, node)


def _check_handler(handler: Handler, path: Path, scope: _Scope, node: Node) -> None:
    found = [*_of_config(handler.type, handler.config, (*path, "config"), node)]
    if handler.probe is not None:
        found += _of_config(handler.probe.type, handler.probe.config, (*path, "probe", "config"), node)
    if handler.when is not None:
        found.append(_Expression(handler.when, (*path, "when"), _BASE))
    for expression in found:
        _check(expression, scope, node)
    listed = handler.config.get("secrets", [])
    for name in listed if isinstance(listed, list) else []:
        if name not in scope.secrets:
            raise unknown(
                node, (*path, "config", "secrets"), f"{handler.name} reads the secret", str(name), scope.secrets
            )


def _of_config(type_: HandlerType, config: Mapping[str, Json], path: Path, node: Node) -> Iterator[_Expression]:
    match type_:
        case HandlerType.SHELL:
            fixed = {key: value for key, value in config.items() if key != "env"}
            _refuse_templates(fixed, path, node)
            yield from _templates(config.get("env", {}), (*path, "env"), _BASE, node)
        case HandlerType.API:
            success = config.get("success")
            if isinstance(success, dict) and "when" in success:
                yield _Expression(str(success["when"]), (*path, "success", "when"), _BASE | {"response"})
            sent = {key: value for key, value in config.items() if key != "success"}
            yield from _templates(sent, path, _BASE | {"secrets"}, node)
        case HandlerType.K8S:
            yield from _templates(dict(config), path, _BASE | {"secrets"}, node)
        case HandlerType.APPROVAL | HandlerType.PACKAGE:
            yield from _templates(dict(config), path, _BASE, node)
        case _:
            assert_never(type_)


def _templates(value: Json, path: Path, roots: frozenset[str], node: Node) -> Iterator[_Expression]:
    for inner, text in strings(value):
        if has_template(text):
            where = (*path, *inner)
            try:
                template = split(text)
            except AtomError as error:
                raise AtomError(error.code, f"{node.value_position(where)}: {error.why}") from None
            yield from (_Expression(expression, where, roots) for expression in template.expressions)


def _refuse_templates(value: Json, path: Path, node: Node) -> None:
    for inner, text in strings(value):
        if has_template(text):
            where = node.value_position((*path, *inner))
            raise AtomError(codes.TEMPLATE_REFUSED, f"{where}: a template would splice a value into what is fixed")


def _check(expression: _Expression, scope: _Scope, node: Node) -> None:
    try:
        expressions.check(expression.text)
    except AtomError as error:
        where = node.value_position(expression.path)
        raise AtomError(error.code, f"{where}: {error.why}", hint=error.hint) from None
    for reference in sorted(references(expression.text), key=str):
        _check_reference(reference, expression, scope, node)


def _check_reference(reference: Reference, expression: _Expression, scope: _Scope, node: Node) -> None:
    root, name = reference
    where = node.value_position(expression.path)
    if root not in expression.roots:
        raise AtomError(codes.BAD_REFERENCE, f"{where}: `{root}` has no value here", hint=_ELSEWHERE.get(root))
    known = {"params": scope.params, "secrets": scope.secrets, "steps": scope.steps}.get(root)
    if known is None or name is None:
        return
    if name not in known:
        what = "reads the step" if root == "steps" else f"reads {root}."
        error = unknown(node, expression.path, f"`{expression.text[:60]}` {what}", name, known)
        raise AtomError(error.code, error.why, hint=_ELSEWHERE.get(f"{root}.name"))


_ELSEWHERE: Final = {
    "secrets": "a shell step lists secrets under `config.secrets` and reads them from files",
    "response": "`response` is read in `success.when` of an api handler",
    "steps.name": "a handler reads only handlers it needs, directly or through others; add it to `needs`",
    "params.name": "declare it under `spec.parameters.properties`",
    "secrets.name": "declare it under `spec.secrets`",
}
