"""Packages made of a few files, in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from atomctl import rules
from atomctl.canonical import digest
from atomctl.rules.model import Finding, RuleConfig, Validation
from atomctl.wpk.archive import FileEntry, Package
from atomctl.wpk.manifest import parse_manifest

MANIFEST = """\
apiVersion: atom/v1
kind: WorkflowPackage
metadata: {name: example, version: 1.0.0}
spec:
  handlers:
    - {name: look, type: k8s, config: {action: get, kind: Pod, namespace: shop, name: web-0}}
"""


def make_package(files: Mapping[str, str | bytes]) -> Package:
    """A package of these files, and of a manifest that only reads if none is given."""
    every = {"wpk.yaml": MANIFEST, **files}
    data = {name: text.encode() if isinstance(text, str) else text for name, text in every.items()}
    return Package(
        manifest=parse_manifest(data["wpk.yaml"]),
        manifest_bytes=data["wpk.yaml"],
        files={name: FileEntry(data[name], executable=name.startswith("scripts/")) for name in sorted(data)},
        digest=digest(b"".join(data[name] for name in sorted(data))),
    )


class Validate:
    """Validates a package of a few files."""

    def __call__(self, files: Mapping[str, str | bytes], config: RuleConfig | None = None) -> Validation:
        return rules.run(make_package(files), config)

    def manifest(self, text: str, config: RuleConfig | None = None) -> dict[str, Finding]:
        """The findings in one Kubernetes manifest, by rule."""
        found = self({"manifests/a.yaml": text}, config).findings
        return {finding.rule: finding for finding in found if finding.file == "manifests/a.yaml"}

    def script(self, text: str, config: RuleConfig | None = None) -> dict[str, Finding]:
        """The findings in one shell script, by rule."""
        found = self({"scripts/a.sh": text}, config).findings
        return {finding.rule: finding for finding in found if finding.file == "scripts/a.sh"}


@pytest.fixture(scope="session")
def validate() -> Validate:
    return Validate()


@pytest.fixture(scope="session")
def package() -> Callable[[Mapping[str, str | bytes]], Package]:
    return make_package
