from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.kubernetes.bench import Bench, bench_of
from tests.servers.kubernetes import Kubernetes


@pytest.fixture
def bench(kubernetes: Kubernetes, namespace: str, tmp_path: Path) -> Iterator[Bench]:
    found = bench_of(kubernetes, namespace, tmp_path)
    yield found
    found.place.cluster.close()
