"""Every command that prints data prints JSON that fits its published schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema_rs
import pytest
from tests.acceptance.command import Atomctl

from atomctl.cli import schemas
from atomctl.cli.main import root
from atomctl.cli.verbs import VERBS

PRINT_NO_DATA = {"up", "down", "demo", "server", "worker", "completion"}
"""They run until they are stopped, or print for another program."""

NEED_A_LOST_STEP = {"runs resolve", "runs resume"}
"""They print a run, as `runs cancel` does."""


NEED_A_SIGNAL = {"signals ack", "signals label", "signals probe", "signals show"}
"""They print a signal, as `signals list` does; answering them is followed in the how-to about Prometheus."""

NEED_REAL_SERVERS = {"controls check", "controls verify", "cluster keys"}
"""`make controls` runs the first two on a deployment on all the real servers; the last one needs a cluster."""


class Told:
    """What each command printed with `-o json`, by its words, and checked on the way."""

    def __init__(self, command: Atomctl) -> None:
        self._command = command
        self.documents: dict[str, dict[str, Any]] = {}

    def __call__(self, verb: str, *arguments: str, context: str = "", expect: int = 0) -> dict[str, Any]:
        """Runs the command; its document fits the schema it names, and nothing stands beside it."""
        chosen = ("--context", context) if context else ()
        done = self._command(*chosen, *verb.split(), *arguments, "-o", "json", expect=expect)
        document: dict[str, Any] = json.loads(done.stdout)
        check(document)
        if expect:
            check(json.loads(done.stderr))
        else:
            assert done.stderr == "", f"{verb} talks beside its JSON: {done.stderr}"
        self.documents[verb] = document
        return document


def check(document: dict[str, Any]) -> None:
    """The document fits the schema it names; a list's items fit the noun's."""
    noun = document["schema"].removeprefix("atom.").removesuffix("/v1")
    if noun.endswith("-list"):
        jsonschema_rs.validate(schemas.document(schemas.LIST), document)
        noun = noun.removesuffix("-list")
        for item in document["items"]:
            fits(noun, {**item, "schema": f"atom.{noun}/v1"})
    else:
        fits(noun, document)


def fits(noun: str, document: dict[str, Any]) -> None:
    jsonschema_rs.Draft202012Validator(schemas.document(noun), validate_formats=True).validate(document)


def leaves(command: click.Command, path: str) -> Iterator[str]:
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from leaves(child, f"{path} {name}")
    else:
        yield path


def every_command() -> set[str]:
    context = click.Context(root)
    found = ((verb, root.get_command(context, verb)) for verb in VERBS)
    return {leaf for verb, command in found if command is not None for leaf in leaves(command, verb)} - PRINT_NO_DATA


@pytest.fixture(scope="module")
def told(atomctl: Atomctl) -> Told:
    """A package's whole life, one command of each kind at least once."""
    told = Told(atomctl)
    author(told, "json-hello")
    operate(told, "json-hello")
    prove(told)
    look_around(told)
    keep_secrets(told, atomctl.work)
    look_up(told, atomctl.work)
    back_up(told, atomctl.work)
    change_trust(told, atomctl.work)
    block(told)
    return told


def author(told: Told, name: str) -> None:
    told("init", name, "--from", "hello-atom")
    told("validate", name)
    told("pack", name, "--out", "json.wpk")
    told("keys generate", "--out", "json")
    told("keys register", "json.pub", "--for", name)
    told("sign", "json.wpk", "--key", "json.key")
    told("verify", "json.wpk", "--key", "json.pub")
    told("push", "json.wpk")


def operate(told: Told, name: str) -> None:
    told("list")
    told("run", name, "--dry-run")
    run = told("run", name, "-p", "fail=true", "--reason", "to see it fail")["id"]
    told("approvals")
    told("approve", run, context="bob")
    told("status", run, "--wait")
    told("logs", run)
    told("runs list")
    told("runs show", run)
    told("runs explain", run)
    told("runs similar", run)
    told("runs cancel", told("run", name)["id"])
    told("reject", told("run", name)["id"], context="bob")
    told("runs rerun", run)
    told("packages list")
    told("packages show", f"{name}@1.0.0")
    told("packages download", f"{name}@1.0.0")
    told("packages yank", f"{name}@1.0.0", "--reason", "tested enough", "--yes")


def prove(told: Told) -> None:
    told("auth login", "--as", "ute", "--role", "auditor")
    entry = told("audit log", "--limit", "5")["items"][0]["id"]
    told("audit verify")
    told("audit proof", entry)
    told("audit checkpoint")
    told("audit export", "--out", "json.atomaudit")
    told("dataset export", "--since", "2020-01-01", "--out", "json-data", context="ute")
    told("dataset verify", "json-data")
    told("dataset partitions", "--since", "2020-01-01", context="ute")
    told("dataset prune", "json-data", "--keep-days", "90", "--dry-run", context="ute")
    told("auth login", "--as", "sid", "--role", "security")
    run = told("runs list")["items"][0]["id"]
    told("dataset forget", run, "--reason", "to see it go", "--yes", context="sid")


def look_around(told: Told) -> None:
    told("auth login", "--as", "carol", "--role", "viewer")
    told("auth status", context="carol")
    told("auth token", "--as", "carol", "--role", "viewer", "--tenant", told("tenants create", "acme")["id"])
    told("context list")
    told("context add", "far", "--api-url", "https://atom.example")
    told("context use", told("auth status")["name"])
    told("doctor")
    told("explain", "TRU203")
    told("explain", "privileged-container")
    told("db status")
    told("db migrate")
    told("db isolation")
    told("metrics list")
    told("metrics rules")
    told("stats")
    told("signals list")


def keep_secrets(told: Told, work: Path) -> None:
    (work / "password.txt").write_text("a-password-of-json\n")
    told("secrets put", "json/db", "--from-file", "password=password.txt")
    told("secrets rotate", "json/db", "password")
    told("secrets list")
    told("secrets versions", "json/db")


def look_up(told: Told, work: Path) -> None:
    (work / "json-books").mkdir()
    (work / "json-books" / "shelf.md").write_text("# The shelf\n\n## The shelf is full\nTake old boxes off.\n")
    told("knowledge sync", "json-books")
    told("knowledge status")
    told("ask", "what to do when the shelf is full")


def back_up(told: Told, work: Path) -> None:
    told("backup create")
    told("backup create", "--incremental", "--dry-run")
    told("backup list")
    told("backup verify")
    told("backup drill")
    told("backup restore", "--to", str(work.parent / "restored"), "--dry-run")
    told("backup restore", "--to", str(work.parent / "restored"))


def change_trust(told: Told, work: Path) -> None:
    (work / "rules.json").write_text(json.dumps(told("trust show")["document"]))
    told("trust set", "rules.json", "--reason", "as they were")
    told("trust keys")
    own = told.documents["keys register"]["name"]
    told("trust retire", own, "--reason", "tested enough", "--yes")
    told("trust revoke", own, "--reason", "tested enough", "--yes")


def block(told: Told) -> None:
    """What is blocked is stored, and an override can be asked for."""
    told("init", "json-risky", "--from", "privileged")
    told("pack", "json-risky", "--out", "risky.wpk")
    told("sign", "risky.wpk", "--key", "atom.key")
    told("push", "risky.wpk", "--dry-run", expect=13)
    told("push", "risky.wpk", expect=13)
    told("packages override", "json-risky@0.1.0", "--reason", "to see who decides")


def test_every_command_prints_json_that_fits_its_schema(told: Told) -> None:
    tried = set(told.documents)
    assert every_command() - tried == NEED_A_LOST_STEP | NEED_A_SIGNAL | NEED_REAL_SERVERS


def test_what_was_printed_is_what_happened(told: Told) -> None:
    assert told.documents["status"]["state"] == "ROLLED_BACK"
    assert {item["step"] for item in told.documents["logs"]["items"]} >= {"greet", "work"}
    assert told.documents["verify"]["accepted"] is True
    assert told.documents["audit verify"]["outcome"] == "verified"
    assert told.documents["runs cancel"]["state"] == "CANCELLED"
