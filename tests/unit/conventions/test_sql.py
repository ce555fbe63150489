"""SQL is never built from strings: whoever can write a statement can choose a tenant."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path("src/atomctl")

COMPOSERS = {
    "backup/facts.py": "counts the rows of relations that the catalogue names",
    "db/bootstrap.py": "roles, databases and memberships are named by constants and the administrator's URL",
    "db/isolation/attacker.py": "names the type of a composed statement and composes none",
    "db/isolation/probe.py": "attacks relations that the catalogue names",
    "db/isolation/sabotage.py": "breaks relations that the catalogue names",
    "db/isolation/statements.py": "composes the attacks' statements for relations that the catalogue names",
}
"""The reviewed files that may compose statements with `psycopg.sql`, which quotes what it is given."""

SINKS = {"execute", "executemany", "copy", "stream", "text", "exec_driver_sql"}
STATEMENT = re.compile(
    r"\s*(SELECT\s|INSERT\s+INTO|UPDATE\s|DELETE\s+FROM|MERGE\s|ALTER\s|CREATE\s+(TABLE|ROLE|DATABASE|SCHEMA|"
    r"POLICY|INDEX)|DROP\s|GRANT\s|REVOKE\s|TRUNCATE\s|COPY\s.*(FROM|TO)|SET\s+(LOCAL|ROLE|SESSION))"
)


def sources() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def is_composed(node: ast.expr) -> bool:
    """`sql.SQL(...)` and what its methods return."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in {"SQL", "Composed"}:
            return True
        node = node.func.value
    return False


def is_built(node: ast.expr) -> bool:
    """Whether the expression puts a text together from parts that are not all literals."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, (ast.Add, ast.Mod))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in {"format", "join", "replace", "format_map"} and not is_composed(node)
    return False


def built_statements(tree: ast.AST) -> Iterator[int]:
    """The lines where a statement is built from strings, or a built text is handed to the database."""
    built: dict[str, ast.expr] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and is_built(node.value):
            built |= {target.id: node.value for target in node.targets if isinstance(target, ast.Name)}
        if isinstance(node, ast.expr) and is_built(node) and STATEMENT.match(first_text(node)):
            yield node.lineno
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        given = node.args[0]
        if node.func.attr == "SQL" and not isinstance(given, ast.Constant):
            yield node.lineno
        if isinstance(given, ast.Name):
            given = built.get(given.id, given)
        if node.func.attr in SINKS and is_built(given):
            yield node.lineno


def first_text(node: ast.expr) -> str:
    """The literal text the built expression begins with."""
    if isinstance(node, ast.JoinedStr):
        return first_text(node.values[0]) if node.values else ""
    if isinstance(node, ast.BinOp):
        return first_text(node.left)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return first_text(node.func.value)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


@pytest.mark.parametrize("file", sources(), ids=str)
def test_no_statement_is_built_from_strings(file: Path) -> None:
    assert list(built_statements(ast.parse(file.read_text()))) == []


@pytest.mark.parametrize(
    "code",
    [
        'c.execute(f"SELECT * FROM atom.runs WHERE id = {id}")',
        'c.execute("SELECT " + columns)',
        'c.execute("SELECT %s" % column)',
        'c.execute("SELECT {}".format(column))',
        'query = f"DELETE FROM {table}"\nc.execute(query)',
        'query = "x" + name\nc.copy(query)',
        'c.execute(sql.SQL(f"SELECT {x}"))',
        "c.execute(sql.SQL(text).format(x))",
        'c.execute(" ".join(parts))',
        'hidden = f"UPDATE {table} SET x = 1"',
    ],
)
def test_the_check_sees_each_way_to_build_a_statement(code: str) -> None:
    assert list(built_statements(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        'c.execute("SELECT %s", (value,))',
        'c.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))',
        'c.execute(sql.SQL(", ").join(names))',
        'raise E(f"cannot select {x}")',
        "named.find(c, id=x)",
    ],
)
def test_the_check_lets_parameters_and_quoted_names_pass(code: str) -> None:
    assert not list(built_statements(ast.parse(code)))


def test_only_reviewed_files_compose_statements() -> None:
    composers = {
        str(file.relative_to(SOURCE))
        for file in sources()
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom)
        and (
            (node.module == "psycopg" and any(name.name == "sql" for name in node.names))
            or node.module == "psycopg.sql"
        )
    }
    assert composers == set(COMPOSERS)
