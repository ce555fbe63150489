"""The real Pushgateway, fetched by `tools/debian.py`: takes the metrics of what does not live to be scraped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import httpx
from tests.servers.process import ServerProcess, answers
from tests.servers.requirement import require
from tools.debian import tool


class Pushgateway(ServerProcess):
    """Keeps what is pushed in memory."""

    name: ClassVar[str] = "pushgateway"

    def __init__(self, folder: Path) -> None:
        """Nothing is started."""
        super().__init__(folder)
        wanted = tool("pushgateway")
        require(wanted.root() is not None, "Pushgateway", "make tools")
        self._binary = wanted.program("prometheus-pushgateway")

    def command(self) -> Sequence[str]:
        memory_alone = "--persistence.file="  # Debian's build has a file of the system's service as default
        return [str(self._binary), f"--web.listen-address=127.0.0.1:{self.port}", memory_alone]

    def ready(self) -> bool:
        return answers(f"{self.url}/-/ready")

    def value(self, metric: str, **labels: str) -> float | None:
        """The value that was pushed last for the group with these labels; None if none was."""
        answer = httpx.get(f"{self.url}/api/v1/metrics", timeout=10, trust_env=False)
        answer.raise_for_status()
        groups: list[dict[str, Any]] = answer.json()["data"]
        for group in groups:
            if labels.items() <= group["labels"].items() and metric in group:
                return float(group[metric]["metrics"][0]["value"])
        return None
