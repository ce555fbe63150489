"""One package's life on a deployment, lived once; each test looks at another side of it.

Without options the deployment is an instance of this machine, the one that all acceptance tests share.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.command import Atomctl
from tests.acceptance.smoke.crowd import Crowd, gathered
from tests.acceptance.smoke.deployment import Deployment, Part, on_this_machine
from tests.acceptance.smoke.options import add_options, chosen_deployment
from tests.acceptance.smoke.signing import Signed, signed_package
from tests.acceptance.smoke.story import Published, Story

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
    with gathered(deployment) as crowd:
        yield crowd


@pytest.fixture(scope="session")
def signed(crowd: Crowd) -> Iterator[Signed]:
    """A package of a name of its own. Nothing trusts its key afterwards."""
    with signed_package(crowd, PACKAGE) as signed:
        yield signed


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
