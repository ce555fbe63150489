"""The published schemas fit the code: every noun has one, every closed set in them is the code's own."""

import ast
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from atomctl import cli
from atomctl.access.model import Role
from atomctl.approvals.model import Choice, State, SubjectKind
from atomctl.audit.model import Result
from atomctl.audit.verdict import Outcome as AuditOutcome
from atomctl.cli import schemas
from atomctl.explanation.model import Aspect
from atomctl.knowledge.fixes import Fix
from atomctl.policy.decision import Outcome
from atomctl.registry.model import PackageState, RulesState
from atomctl.rules.model import Severity
from atomctl.runs.model import AttemptState, RunState, StepState
from atomctl.trust.key_record import KeyState
from atomctl.wpk.model import HandlerType

EMITTERS = {"emit", "emit_many"}
COMPARISON = "properties.since_success.anyOf.0.properties.comparison.properties"
STEP = "properties.steps.items.properties"
CLOSED_SETS: list[tuple[str, str, type[StrEnum]]] = [
    ("approval", "properties.kind", SubjectKind),
    ("approval", "properties.state", State),
    ("approval", "properties.votes.items.properties.choice", Choice),
    ("audit-entry", "properties.result", Result),
    ("audit-verdict", "properties.outcome", AuditOutcome),
    ("explanation", "properties.state", RunState),
    ("explanation", "properties.failing.items.properties.state", StepState),
    ("explanation", "properties.failing.items.properties.type", HandlerType),
    ("explanation", f"{COMPARISON}.same.items", Aspect),
    ("explanation", f"{COMPARISON}.changes.items.properties.aspect", Aspect),
    ("explanation", "properties.similar.anyOf.0.properties.runs.items.properties.fix", Fix),
    ("identity", "properties.roles.items", Role),
    ("key", "properties.state", KeyState),
    ("package", "properties.state", PackageState),
    ("package", "properties.decision.properties.outcome", Outcome),
    ("report", "properties.findings.items.properties.severity", Severity),
    ("run", "properties.state", RunState),
    ("run", f"{STEP}.state", StepState),
    ("run", f"{STEP}.type", HandlerType),
    ("run", f"{STEP}.attempts.items.properties.state", AttemptState),
    ("trust-rules-version", "properties.state", RulesState),
]


def emitted() -> Iterator[str]:
    """The nouns that the source of the command line prints."""
    for file in Path(cli.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in EMITTERS:
                noun = node.args[0]
                if isinstance(noun, ast.Constant):
                    yield str(noun.value)


def test_every_noun_that_is_printed_has_a_schema_and_no_other_has() -> None:
    assert set(emitted()) | {"error", schemas.LIST} == set(schemas.nouns())


@pytest.mark.parametrize("noun", schemas.nouns())
def test_a_schema_is_valid_names_itself_and_stays_additive(noun: str) -> None:
    schema = schemas.document(noun)
    jsonschema_rs.meta.validate(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].endswith(f"/{noun}-v1.schema.json")
    assert "schema" in schema["required"]
    if noun != schemas.LIST:
        assert schema["properties"]["schema"] == {"const": f"atom.{noun}/v1"}
        assert noun == "error" or "name" in schema["required"]
    assert "'additionalProperties': False" not in str(schema)


@pytest.mark.parametrize(("noun", "path", "closed"), CLOSED_SETS, ids=str)
def test_a_closed_set_is_the_one_of_the_code(noun: str, path: str, closed: type[StrEnum]) -> None:
    found: Any = schemas.document(noun)
    for key in path.split("."):
        found = found[int(key)] if isinstance(found, list) else found[key]
    assert sorted(found["enum"]) == sorted(member.value for member in closed)


def test_the_reference_page_describes_every_noun() -> None:
    page = schemas.reference_page()
    assert all(f"\n## {noun}\n" in page for noun in schemas.nouns() if noun != schemas.LIST)
