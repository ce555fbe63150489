"""Packages, keys and people that probes use: real archives, real signatures, everything thrown away afterwards."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from atomctl.access.model import Role
from atomctl.controls.people import Answer, Person, ProbeTenant
from atomctl.trust.signers import FileSigner, sign_release
from atomctl.wpk.archive import FileEntry, Packed, Source, pack

_MANIFEST = """\
apiVersion: atom/v1
kind: WorkflowPackage
metadata: {{name: {name}, version: {version}, description: "probe {salt}"}}
spec:
  runtime: {{type: {runtime}}}
  safety: {{mode: manual, approval_required: {approval}, dry_run_required: false}}
  handlers:
    - {handler}
"""
READ = "{name: look, type: k8s, config: {action: get, kind: Pod, namespace: shop, name: web-0}}"
SAY_HELLO = "{name: say-hello, type: shell, config: {command: [echo, hello]}}"
APPLY = "{name: apply, type: k8s, config: {action: apply, manifest: manifests/example.yaml}}"


def package(
    name: str = "probe-hello",
    version: str = "1.0.0",
    *,
    handler: str = SAY_HELLO,
    approval: bool = True,
    files: Mapping[str, str] | None = None,
) -> Packed:
    """A package whose bytes nobody has seen before; by default one vote lets it run.

    Args:
        name: of the workflow.
        version: of the package.
        handler: its one handler, as YAML in one line.
        approval: whether its manifest demands a vote.
        files: further files by path.
    """
    manifest = _MANIFEST.format(
        name=name,
        version=version,
        salt=secrets.token_hex(8),
        runtime="k8s" if "type: k8s" in handler else "shell",
        approval=str(approval).lower(),
        handler=handler,
    )
    return packed({"wpk.yaml": manifest, **(files or {})})


def packed(files: Mapping[str, str]) -> Packed:
    """The archive of these files; scripts are executable."""
    entries = {path: FileEntry(text.encode(), executable=path.endswith(".sh")) for path, text in files.items()}
    return pack(Source(entries))


def new_key() -> FileSigner:
    """A signing key that nobody has seen before."""
    return FileSigner(ec.generate_private_key(ec.SECP256R1()))


def release(key: FileSigner, made: Packed) -> bytes:
    """A bundle by which `key` releases the package."""
    return sign_release(key, made, None, datetime.now(UTC))


def push_body(data: bytes, bundles: Iterable[bytes], **named: str) -> dict[str, Any]:
    """The body of a push; `named` are the name and version it is published as."""
    archive = base64.b64encode(data).decode()
    return {"archive": archive, "bundles": [bundle.decode() for bundle in bundles], **named}


@dataclass(frozen=True, slots=True)
class Company:
    """A probe tenant with people, and a key that may sign every name."""

    tenant: ProbeTenant
    owner: Person
    """Publishes, runs and administers; decides trust rules alone, as the only one who may."""
    approver: Person
    auditor: Person
    key: FileSigner

    def push(self, made: Packed, *bundles: bytes) -> Answer:
        """The answer to publishing the package; signed by `key` unless bundles are given."""
        return self.owner.ask("POST", "packages", push_body(made.data, bundles or (release(self.key, made),)))

    def run(self, workflow: str, version: str | None = None, **parameters: Any) -> Answer:
        """The answer to requesting a run."""
        body = {"workflow": workflow, "version": version, "parameters": parameters, "reason": "a probe of a control"}
        return self.owner.ask("POST", "runs", body)

    def approve(self, run: Mapping[str, Any]) -> Answer:
        """The answer to the second person's vote."""
        return self.approver.ask("POST", f"approvals/{run['approval_id']}/votes", {"choice": "approve"})

    def ended(self, run_id: str) -> dict[str, Any]:
        """The run once it neither waits for the worker nor runs.

        Raises:
            TimeoutError: it has not ended within half a minute.
        """
        deadline = datetime.now(UTC).timestamp() + 30
        state = "QUEUED"
        while datetime.now(UTC).timestamp() < deadline:
            run = self.owner.get(f"runs/{run_id}", wait=5, unless=state)
            state = run["state"]
            if state not in {"QUEUED", "RUNNING", "CANCELLING", "ROLLING_BACK"}:
                return run
        raise TimeoutError(f"run {run_id} is still {state}")


def company(tenant: ProbeTenant) -> Company:
    """A company in `tenant`, its key registered and trusted.

    Raises:
        AtomError: CTL902 the API refused.
    """
    owner = tenant.person("probe-owner", Role.ADMIN, Role.AUTHOR, Role.OPERATOR)
    key = new_key()
    trust(owner, key)
    approver = tenant.person("probe-approver", Role.APPROVER)
    return Company(tenant, owner, approver, tenant.person("probe-auditor", Role.AUDITOR), key)


def trust(owner: Person, *keys: FileSigner) -> None:
    """Registers the keys, and from then on one of them is enough for every name.

    Raises:
        AtomError: CTL902 the API refused.
    """
    for key in keys:
        register(owner, key.public_key.to_pem())
    trust_ids(owner, *(key.public_key.key_id for key in keys))


def register(owner: Person, public_pem: bytes) -> str:
    """The id of the public key, which is registered afterwards; no rule names it by that.

    Raises:
        AtomError: CTL902 the API refused.
    """
    return str(owner.post("trust/keys", {"public_key": public_pem.decode()})["key_id"])


def trust_ids(owner: Person, *key_ids: str) -> None:
    """From now on one signature by any of these keys is enough for every name.

    Raises:
        AtomError: CTL902 the API refused.
    """
    require = {"any_of": [{"threshold": 1, "signers": [{"key": key_id} for key_id in key_ids]}]}
    document = {"schema": "atom.trust-rules/v1", "rules": [{"id": "probe", "names": ["*"], "require": require}]}
    owner.post("trust/rules", {"document": document, "reason": "a probe of a control"})
