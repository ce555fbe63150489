"""Which deployment the suite looks at: the options of its command line, and what they lead to."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.acceptance.smoke.deployment import Beside, Deployment, Part


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
    for part in Part:
        roles = ", ".join(part.roles) if part is not Part.STRANGER else "of another tenant"
        group.addoption(f"--{part.name.lower()}-token", metavar="FILE", type=Path, help=f"an access token: {roles}")


@contextmanager
def chosen_deployment(config: pytest.Config) -> Iterator[Deployment | None]:
    """The deployment that the options name; None where they name none."""
    base_url = _option(config, "base_url")
    if base_url is None:
        yield None
        return
    beside = _option(config, "beside")
    files = {part: config.getoption(f"{part.name.lower()}_token") for part in Part}
    yield Deployment(
        base_url=base_url,
        beside=Beside(prefix=tuple(shlex.split(beside))) if beside else None,
        worker_metrics=_option(config, "worker_metrics"),
        tokens={part: file.read_text().strip() for part, file in files.items() if file},
        isolation=("bubblewrap", "none", "job"),
    )


def _option(config: pytest.Config, name: str) -> str | None:
    """An option's value; None too where the suite is run among others, which do not know its options."""
    value = config.getoption(name, default=None)
    return str(value) if value else None
