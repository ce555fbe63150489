"""Signed packages for tests: real archives, real keys, real bundles."""

from __future__ import annotations

import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from atomctl.trust.signers import FileSigner, sign_release
from atomctl.wpk.archive import FileEntry, Packed, Source, pack

CREATED = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

HARMLESS = """\
apiVersion: atom/v1
kind: WorkflowPackage
metadata: {{name: {name}, version: {version}, description: "{description}"}}
spec:
  runtime: {{type: shell}}
  safety: {{mode: manual, approval_required: true, dry_run_required: false}}
  handlers:
    - name: say-hello
      type: shell
      config: {{command: [echo, hello]}}
"""

PRIVILEGED = """\
apiVersion: atom/v1
kind: WorkflowPackage
metadata: {{name: {name}, version: {version}}}
spec:
  runtime: {{type: k8s}}
  handlers:
    - {{name: debug, type: k8s, config: {{action: apply, manifest: manifests/pod.yaml}}}}
"""

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: debug}
spec:
  hostPID: true
  containers:
    - {name: shell, image: "debian:latest", securityContext: {privileged: true}}
"""


def new_key() -> FileSigner:
    """A key that nobody has seen before."""
    return FileSigner(ec.generate_private_key(ec.SECP256R1()))


def harmless(name: str = "hello", version: str = "1.0.0", *, description: str = "") -> Packed:
    """A package that one approval lets run."""
    manifest = HARMLESS.format(name=name, version=version, description=description)
    return pack(Source({"wpk.yaml": FileEntry(manifest.encode())}))


def privileged(name: str = "debug", version: str = "1.0.0") -> Packed:
    """A package that is decided `block`."""
    manifest = PRIVILEGED.format(name=name, version=version)
    return pack(Source({"wpk.yaml": FileEntry(manifest.encode()), "manifests/pod.yaml": FileEntry(POD.encode())}))


def signed(key: FileSigner, packed: Packed, tenant: str | None = None) -> bytes:
    """A bundle that releases the package."""
    return sign_release(key, packed, tenant, CREATED)


def rules_for(*keys: FileSigner, names: str = "*", threshold: int = 1) -> dict[str, Any]:
    """A document of rules: `threshold` of the keys' owners sign `names`."""
    signers = [{"key": key.public_key.key_id} for key in keys]
    require = {"all_of": [{"threshold": threshold, "signers": signers}]}
    return {"schema": "atom.trust-rules/v1", "rules": [{"id": "test", "names": [names], "require": require}]}
