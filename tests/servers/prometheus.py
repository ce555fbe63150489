"""The real Prometheus, fetched by `tools/debian.py`, and its `promtool`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import httpx
from tests.servers.process import ServerProcess, answers
from tests.servers.requirement import require
from tools.debian import tool

INTERVAL = "1s"
"""Between two scrapes and between two evaluations of a rule."""


class Prometheus(ServerProcess):
    """Scrapes `targets`, evaluates `rules` and sends what fires to `alertmanager`; `load` changes rules and targets."""

    name: ClassVar[str] = "prometheus"

    def __init__(
        self,
        folder: Path,
        *,
        rules: Mapping[str, str] | None = None,
        targets: Sequence[str] = (),
        alertmanager: str | None = None,
        jobs: Sequence[Mapping[str, object]] = (),
    ) -> None:
        """Nothing is started.

        Args:
            folder: of its state.
            rules: text of rule files by group of files, such as `{"atom": "groups: ..."}`.
            targets: host:port pairs that serve `/metrics`.
            alertmanager: the base URL of an Alertmanager.
            jobs: further scrape configurations, such as one that discovers the pods of a cluster.
        """
        super().__init__(folder)
        wanted = tool("prometheus")
        require(wanted.root() is not None, "Prometheus", "make tools")
        self._binary = wanted.program("prometheus")
        self._alertmanager = alertmanager
        self._jobs = jobs
        self._write(rules or {}, targets)

    @property
    def rule_folder(self) -> Path:
        """Every `*.rules.yml` in it is loaded on `reload`."""
        return self.folder / "rules"

    def command(self) -> Sequence[str]:
        storage = [f"--storage.tsdb.path={self.folder / 'data'}", "--storage.tsdb.retention.time=1d"]
        web = [f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-lifecycle"]
        # Alertmanagers are discovered some seconds after the start; what fired before is sent again this soon.
        again = f"--rules.alert.resend-delay={INTERVAL}"
        return [str(self._binary), f"--config.file={self._configuration}", *storage, *web, again]

    def ready(self) -> bool:
        return answers(f"{self.url}/-/ready")

    @property
    def _configuration(self) -> Path:
        return self.folder / "prometheus.json"

    def _write(self, rules: Mapping[str, str], targets: Sequence[str]) -> None:
        self.rule_folder.mkdir(exist_ok=True)
        for old in self.rule_folder.glob("*.rules.yml"):
            old.unlink()
        for name, text in rules.items():
            (self.rule_folder / f"{name}.rules.yml").write_text(text)
        manager = (self._alertmanager or "").removeprefix("http://")
        configuration = {  # JSON is YAML
            "global": {"scrape_interval": INTERVAL, "evaluation_interval": INTERVAL},
            "rule_files": [f"{self.rule_folder}/*.rules.yml"],
            "scrape_configs": [{"job_name": "atom", "static_configs": [{"targets": list(targets)}]}, *self._jobs],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [manager] if manager else []}]}]},
        }
        self._configuration.write_text(json.dumps(configuration))

    def load(self, rules: Mapping[str, str], targets: Sequence[str]) -> None:
        """Afterwards these rules and targets are in force and the former ones are not.

        Raises:
            httpx.HTTPStatusError: Prometheus refused them and goes on with the former ones.
        """
        self._write(rules, targets)
        self.reload()

    def reload(self) -> None:
        """Afterwards the files are in force.

        Raises:
            httpx.HTTPStatusError: Prometheus refused them and goes on with the former ones.
        """
        httpx.post(f"{self.url}/-/reload", timeout=10, trust_env=False).raise_for_status()

    def query(self, expression: str, at: float | None = None) -> list[dict[str, Any]]:
        """The samples of an instant vector, each with `metric` and `value`; as of now, or of `at` in Unix seconds."""
        moment = {} if at is None else {"time": str(at)}
        return list(self._get("query", {"query": expression, **moment})["result"])

    def query_range(self, expression: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """The series from `start` to `end` in Unix seconds, each with `metric` and `values`, a sample each `step`."""
        window = {"start": str(start), "end": str(end), "step": str(step)}
        return list(self._get("query_range", {"query": expression, **window})["result"])

    def alerts(self) -> list[dict[str, Any]]:
        """Pending and firing alerts, each with `labels` and `state`."""
        return list(self._get("alerts", {})["alerts"])

    def _get(self, path: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=10, trust_env=False)
        answer.raise_for_status()
        return dict(answer.json()["data"])


def promtool(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What `promtool` answers in `folder`; it is not checked, refusals are answers too."""
    wanted = tool("prometheus")
    require(wanted.root() is not None, "promtool", "make tools")
    command = [str(wanted.program("promtool")), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
