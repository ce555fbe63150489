"""One package's life on a deployment, lived once; each test looks at another side of it.

Without options the deployment is an instance of this machine, the one that all acceptance tests share.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from tests.acceptance.command import Atomctl
from tests.acceptance.smoke.deployment import Deployment, Part, on_this_machine
from tests.acceptance.smoke.options import add_options, chosen_deployment
from tests.acceptance.smoke.story import Crowd, Published, Signed, Story

PACKAGE = Path(__file__).with_name("package")


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


@pytest.fixture(scope="session")
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """The deployment that the options name, else one on this machine."""
    with chosen_deployment(request.config) as chosen:
        if chosen is not None:
            yield chosen
            return
    command: Atomctl = request.getfixturevalue("atomctl")
    yield on_this_machine(command.home)


@pytest.fixture(scope="session")
def crowd(deployment: Deployment) -> Iterator[Crowd]:
    """Author, approver, auditor and a stranger from another tenant."""
    folder = Path(tempfile.mkdtemp(prefix="atom-smoke-"))
    try:
        tokens = {part: token for part in Part if (token := deployment.token(part))}
        for part, token in tokens.items():
            (folder / part.person).touch(mode=0o600)
            (folder / part.person).write_text(token)
        yield Crowd(deployment, folder, tokens)
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def signed(crowd: Crowd) -> Iterator[Signed]:
    """A package of a name of its own. Nothing trusts its key afterwards."""
    name = f"smoke-{uuid4().hex[:8]}"
    ada = crowd[Part.AUTHOR]
    source = crowd.work / name
    shutil.copytree(PACKAGE, source)
    manifest = (source / "wpk.yaml").read_text()
    (source / "wpk.yaml").write_text(manifest.replace("name: smoke\n", f"name: {name}\n", 1))
    ada("pack", name, "--out", f"{name}.wpk")
    unsigned = ada.refused("push", f"{name}.wpk", code="TRU201", expect=10)
    key_id = ada.json("keys", "generate", "--out", name)["name"]
    ada("keys", "register", f"{name}.pub", "--for", name)
    _second(crowd, "trust_rules")
    ada("sign", f"{name}.wpk", "--key", f"{name}.key")
    yield Signed(name, f"{name}.wpk", key_id, unsigned)
    ada("trust", "retire", key_id, "--reason", "the smoke suite is over", "--yes")
    rules = ada.json("trust", "show")["document"]
    kept = [rule for rule in rules["rules"] if rule["names"] != [name]]
    (crowd.work / "rules.json").write_text(json.dumps({**rules, "rules": kept}))
    ada("trust", "set", "rules.json", "--reason", "the smoke suite is over")
    _second(crowd, "trust_rules")


def _second(crowd: Crowd, kind: str) -> None:
    """The second person agrees to what the author has proposed, unless it was in force at once (the first time)."""
    me = crowd[Part.AUTHOR].json("auth", "status")["principal"]["id"]
    bob = crowd[Part.APPROVER]
    for approval in bob.json("approvals")["items"]:
        if approval["kind"] == kind and approval["requested_by"] == me:
            bob("approve", approval["id"], "--comment", "for the smoke suite")


@pytest.fixture(scope="session")
def published(crowd: Crowd, signed: Signed) -> Published:
    """The signed package, accepted."""
    return Published(signed.name, crowd[Part.AUTHOR].json("push", signed.file))


@pytest.fixture(scope="session")
def story(crowd: Crowd, published: Published) -> Story:
    """A run of the package, approved by the second person."""
    ada, bob = crowd[Part.AUTHOR], crowd[Part.APPROVER]
    request = ("run", published.name, "-p", "name=smoke")
    plan = ada.json(*request, "--dry-run")
    waiting = ada.json(*request, "--reason", "the smoke suite")
    own_vote = ada.refused("approve", waiting["id"], code="APR502", expect=4)
    approval = bob.json("approve", waiting["id"], "--comment", "looks right")
    ended = ada.json("status", waiting["id"], "--wait", "--timeout", "80s")
    return Story(plan, waiting, own_vote, approval, ended)
