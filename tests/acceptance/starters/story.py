"""A starter package taken as a user takes it: copied, its addresses changed, signed, pushed, run with two people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.command import Atomctl
from tests.servers.kubernetes import Kubernetes

from atomctl.kubernetes.permissions import declared
from atomctl.wpk.archive import load_source, pack


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that has ended.

    Attributes:
        plan: what `run --dry-run` showed.
        document: what `status` says.
        log: the lines of all steps.
        audit: what the audit log says about it.
    """

    plan: Mapping[str, Any]
    document: Mapping[str, Any]
    log: str
    audit: tuple[Mapping[str, Any], ...]

    @property
    def state(self) -> str:
        """Of the run."""
        return str(self.document["state"])

    @property
    def states(self) -> dict[str, str]:
        """Of each step, those of the rollback too if it ran."""
        return {step["name"]: step["state"] for step in self.document["steps"]}

    def step(self, name: str) -> Mapping[str, Any]:
        """One step."""
        return next(step for step in self.document["steps"] if step["name"] == name)


class Starter:
    """A package of the tenant, made from one of `examples/`.

    Args:
        atomctl: the command; its owner asks for runs, `bob` approves them.
        name: of the example, and of the package.
        changes: text to be found in its files, and what the user writes there instead.
        files: what the user adds, by path.
    """

    def __init__(
        self, atomctl: Atomctl, name: str, changes: Mapping[str, str], files: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self._atomctl = atomctl
        atomctl("init", name, "--from", name)
        self.folder = atomctl.work / name
        for path, text in (files or {}).items():
            (self.folder / path).parent.mkdir(exist_ok=True)
            (self.folder / path).write_text(text)
        for old, new in changes.items():
            _replace(self.folder, old, new)
        report = atomctl.json("validate", self.folder)
        assert not {finding["severity"] for finding in report["findings"]} & {"critical", "high"}, report["findings"]
        atomctl("pack", self.folder, "--out", f"{name}.wpk")
        atomctl("sign", f"{name}.wpk", "--key", "atom.key")
        atomctl("push", f"{name}.wpk")

    def permit(self, kubernetes: Kubernetes, namespace: str, account: Mapping[str, str]) -> None:
        """Afterwards the account may do in the namespace what the package says it needs, and nothing else."""
        needs = pack(load_source(self.folder)).manifest.validation.required_permissions
        rules = [
            {
                "apiGroups": [permission.group],
                "resources": ["/".join(filter(None, (permission.resource, permission.subresource)))],
                "verbs": [permission.verb],
            }
            for text in needs
            if (permission := declared(text, namespace)) is not None
        ]
        roles = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
        kubernetes.request("POST", f"{roles}/roles", {"metadata": {"name": self.name}, "rules": rules})
        binding = {
            "metadata": {"name": self.name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": self.name},
            "subjects": [{"kind": "ServiceAccount", **account}],
        }
        kubernetes.request("POST", f"{roles}/rolebindings", binding)

    def preview(self, **parameters: object) -> Mapping[str, Any]:
        """What `run --dry-run` shows."""
        return self._atomctl.json("run", self.name, *_given(parameters), "--dry-run")

    def run(self, **parameters: object) -> Ended:
        """Looked at, asked for, approved by the second person, and ended; the audit log of it is verified."""
        plan = self.preview(**parameters)
        asked = self._atomctl("run", self.name, *_given(parameters), "--reason", "a test", "-o", "name")
        run_id = asked.stdout.strip()
        if plan["approvals_needed"]:
            self._atomctl("--context", "bob", "approve", run_id, "--comment", "go ahead")
        self._atomctl("status", run_id, "--wait", "--timeout", "80s")
        self._atomctl("audit", "verify", "--run", run_id)
        return Ended(
            plan=plan,
            document=self._atomctl.json("status", run_id),
            log=self._atomctl("logs", run_id).stdout,
            audit=tuple(self._atomctl.json("audit", "log", "--run", run_id)["items"]),
        )


def _given(parameters: Mapping[str, object]) -> list[str]:
    return [word for name, value in parameters.items() for word in ("-p", f"{name}={value}")]


def _replace(folder: Path, old: str, new: str) -> None:
    holding = [file for file in folder.rglob("*") if file.is_file() and old in file.read_text()]
    assert holding, f"{old!r} is in no file of {folder.name}"
    for file in holding:
        file.write_text(file.read_text().replace(old, new))
