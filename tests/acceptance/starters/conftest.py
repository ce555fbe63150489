"""One instance and one set of servers for all starter packages; a namespace for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.acceptance.starters.surroundings import Surroundings, surroundings
from tests.servers.kubernetes import Kubernetes


@pytest.fixture(scope="session")
def around(kubernetes: Kubernetes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    """The servers, the cluster and the instance."""
    with surroundings(kubernetes, tmp_path_factory.mktemp("starters")) as found:
        yield found
