"""Which deployment the suite looks at: the options of its command line, and what they lead to."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.acceptance.smoke.cluster import Release, in_cluster
from tests.acceptance.smoke.deployment import Beside, Deployment, Part

from atomctl.runs.steps.model import IsolationLevel


def add_options(parser: pytest.Parser) -> None:
    """The options of the suite."""
    group = parser.getgroup("deployment", "the deployment that the smoke suite looks at")
    group.addoption("--base-url", metavar="URL", help="where its server is, such as https://atom.example")
    group.addoption(
        "--beside",
        metavar="COMMAND",
        help="what runs a command beside the server, such as 'docker compose exec -T server'",
    )
    group.addoption("--worker-metrics", metavar="URL", help="where a worker shows its metrics")
    group.addoption("--kubeconfig", metavar="FILE", type=Path, help="of the cluster that a release of the chart is in")
    group.addoption("--namespace", metavar="NAME", default="atom", help="of the release (default: atom)")
    group.addoption("--release", metavar="NAME", default="atom", help="its name (default: atom)")
    for part in Part:
        roles = ", ".join(part.roles) if part is not Part.STRANGER else "of another tenant"
        group.addoption(f"--{part.name.lower()}-token", metavar="FILE", type=Path, help=f"an access token: {roles}")


@contextmanager
def chosen_deployment(config: pytest.Config) -> Iterator[Deployment | None]:
    """The deployment that the options name; None where they name none."""
    base_url, kubeconfig, beside = (_option(config, name) for name in ("base_url", "kubeconfig", "beside"))
    if kubeconfig is not None:
        release = Release(Path(kubeconfig), config.getoption("namespace"), config.getoption("release"))
        with in_cluster(release, _tokens(config)) as deployment:
            yield deployment
    elif base_url is not None:
        yield Deployment(
            base_url=base_url,
            beside=Beside(prefix=tuple(shlex.split(beside))) if beside else None,
            worker_metrics=_option(config, "worker_metrics"),
            tokens=_tokens(config),
            isolation=tuple(level.value for level in IsolationLevel if level is not IsolationLevel.NOT_NEEDED),
        )
    else:
        yield None


def _tokens(config: pytest.Config) -> dict[Part, str]:
    """The access tokens that were named."""
    files = {part: config.getoption(f"{part.name.lower()}_token") for part in Part}
    return {part: file.read_text().strip() for part, file in files.items() if file}


def _option(config: pytest.Config, name: str) -> str | None:
    """An option's value; None too where the suite is run among others, which do not know its options."""
    value = config.getoption(name, default=None)
    return str(value) if value else None
