"""Conventions of the source that would otherwise depend on a reviewer's memory."""

from __future__ import annotations

import ast
import importlib
import re
from collections import Counter
from pathlib import Path

import pytest

from atomctl import client, settings
from atomctl.errors import Code

SOURCE = Path("src/atomctl")
DUMPING_GROUNDS = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "core",
    "misc",
    "manager",
    "managers",
    "services",
    "lib",
}
MOST_LINES, MOST_FUNCTION_LINES = 400, 60
STAGES = "CFG|CLI|DBA|AUT|API|WPK|TRU|VAL|REG|POL|APR|RUN|AUD|OBJ|BAK|SEC|CTL|DAT|INS|KUB|EMB|KNO"
HOMES = {
    "pydantic": "server",
    "fastapi": "server",
    "dbos": "runs/engine",
    "hvac": "secrets/vault",
    "lightkube": "kubernetes/connection",
    "httpx2": "kubernetes/connection",
    "onnxruntime": "embedding/",
}
"""Libraries that stay where they were decided to be."""

FILES = sorted(SOURCE.rglob("*.py"))
TREES = {file: ast.parse(file.read_text()) for file in FILES}


def imported(tree: ast.AST) -> set[str]:
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}


def importers(package: str) -> set[str]:
    return {
        file.relative_to(SOURCE).as_posix()
        for file, tree in TREES.items()
        if any(name == package or name.startswith(f"{package}.") for name in imported(tree))
    }


def test_hashing_happens_in_one_place() -> None:
    assert importers("hashlib") == {"canonical.py"}


@pytest.mark.parametrize("package", HOMES)
def test_a_library_stays_in_its_place(package: str) -> None:
    assert [file for file in importers(package) if not file.startswith(HOMES[package])] == []


def test_no_module_is_a_dumping_ground() -> None:
    names = {part.removesuffix(".py") for file in FILES for part in file.relative_to(SOURCE).parts}
    assert names & DUMPING_GROUNDS == set()


def test_no_file_is_too_long() -> None:
    assert [f"{file}: {n}" for file in FILES if (n := len(file.read_text().splitlines())) > MOST_LINES] == []


def test_no_function_is_too_long() -> None:
    functions = [
        (file, node)
        for file, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    lengths = {f"{file}:{node.name}": code_lines(node) for file, node in functions}
    assert [f"{name}: {n}" for name, n in lengths.items() if n > MOST_FUNCTION_LINES] == []


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, without the docstring: explaining oneself is not what makes a function long."""
    text = ast.get_docstring(function, clean=False)
    explained = len(text.splitlines()) if text else 0
    return (function.end_lineno or 0) - function.lineno + 1 - explained


def test_nothing_is_left_for_later() -> None:
    unfinished = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|\b[Ff]or now\b")
    found = [
        f"{file}:{number}"
        for file in [*FILES, *SOURCE.rglob("*.sql")]
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if unfinished.search(line)
    ]
    assert found == []


def codes() -> list[tuple[str, Code]]:
    modules = [".".join(file.relative_to("src").with_suffix("").parts) for file in FILES if file.name == "codes.py"]
    named = [(name, importlib.import_module(name)) for name in modules] + [
        ("atomctl.settings", settings),
        ("atomctl.client", client),
    ]
    return [(name, value) for name, module in named for value in vars(module).values() if isinstance(value, Code)]


def test_every_code_means_one_thing() -> None:
    ids = Counter(code.id for _, code in codes())
    assert [id_ for id_, count in ids.items() if count > 1] == []


def test_every_code_belongs_to_a_stage_and_says_what_to_do() -> None:
    for module, code in codes():
        assert re.fullmatch(rf"({STAGES})\d{{3}}", code.id), f"{module}: {code.id}"
        assert code.title, code.id
        assert code.meaning, code.id
        assert code.hint, code.id


def test_a_codes_module_imports_nothing_but_errors() -> None:
    for file, tree in TREES.items():
        if file.name == "codes.py":
            assert imported(tree) <= {"__future__", "atomctl.errors"}, file


def test_test_folders_are_no_packages() -> None:
    assert list(Path("tests").rglob("__init__.py")) == []
