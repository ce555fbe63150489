"""The real Alertmanager, fetched by `tools/debian.py`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import httpx
from tests.servers.process import ServerProcess, answers
from tests.servers.requirement import require
from tools.debian import DebianTool, tool


class Alertmanager(ServerProcess):
    """Sends each alert by itself and at once to one webhook, or to another if it is a probe's; without a cluster."""

    name: ClassVar[str] = "alertmanager"

    def __init__(self, folder: Path, receiver_url: str, *, probe_url: str | None = None) -> None:
        """Nothing is started.

        Args:
            folder: of its state.
            receiver_url: who is told.
            probe_url: who is told instead of alerts with the label `probe="true"`.
        """
        super().__init__(folder)
        wanted = tool("alertmanager")
        require(wanted.root() is not None, "Alertmanager", "make tools")
        self._program = self._unpacked(wanted)
        self._receivers = {"webhook": receiver_url} | ({"probes": probe_url} if probe_url else {})

    def _unpacked(self, wanted: DebianTool) -> list[str]:
        """Debian's binary reads templates from a place below `/usr/share`, where the unpacked ones are shown to it."""
        binary, root = str(wanted.program("prometheus-alertmanager")), wanted.root()
        if root == Path("/"):
            return [binary]
        bwrap = shutil.which("bwrap")
        require(bwrap is not None, "bubblewrap, which shows Alertmanager its files", "apt-get install bubblewrap")
        share = "/usr/share/prometheus"
        views = ["--dev-bind", "/", "/", "--tmpfs", "/usr/share", "--ro-bind", f"{root}{share}", share]
        return [str(bwrap), *views, "--die-with-parent", "--", binary]

    def command(self) -> Sequence[str]:
        configuration = self.folder / "alertmanager.json"
        configuration.write_text(json.dumps(self._configuration()))  # JSON is YAML
        storage = f"--storage.path={self.folder / 'data'}"
        listen = [f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address="]
        return [*self._program, f"--config.file={configuration}", storage, *listen]

    def _configuration(self) -> dict[str, object]:
        at_once = {"group_wait": "0s", "group_interval": "1s", "repeat_interval": "1h"}
        route: dict[str, object] = {"receiver": "webhook", "group_by": ["..."], **at_once}
        if "probes" in self._receivers:
            route["routes"] = [{"receiver": "probes", "matchers": ['probe="true"']}]
        receivers = [
            {"name": name, "webhook_configs": [{"url": url, "send_resolved": True}]}
            for name, url in self._receivers.items()
        ]
        return {"route": route, "receivers": receivers}

    def ready(self) -> bool:
        return answers(f"{self.url}/-/ready")

    def send(self, labels: Mapping[str, str], **annotations: str) -> None:
        """Afterwards an alert with these labels fires here, as if Prometheus had sent it."""
        alert = {"labels": dict(labels), "annotations": annotations}
        answer = httpx.post(f"{self.url}/api/v2/alerts", json=[alert], timeout=10, trust_env=False)
        answer.raise_for_status()

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that fire, each with `labels`, `annotations` and `status`."""
        answer = httpx.get(f"{self.url}/api/v2/alerts", timeout=10, trust_env=False)
        answer.raise_for_status()
        return list(answer.json())
