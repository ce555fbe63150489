from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.runs_jobs.job_bench import JobBench, bench_of
from tests.servers.kubernetes import Kubernetes


@pytest.fixture
def bench(kubernetes: Kubernetes, restricted_namespace: str, tmp_path: Path) -> Iterator[JobBench]:
    found = bench_of(kubernetes, restricted_namespace, tmp_path)
    yield found
    found.place.desk.cluster.close()
