"""What scrubbing does, as a value: its digest stands in the manifest, so two exports can be compared."""

from __future__ import annotations

from dataclasses import dataclass, field

from atomctl.canonical import Digest, Json, digest_json, keyed_digest

VERSION = 1
"""Changes whenever the same row may come out differently."""

DEFAULT_PARAMETERS = frozenset(
    {
        "action", "amount", "attempts", "batch_size", "cluster", "component", "concurrency", "container", "count",
        "cpu", "day", "days", "delay", "deployment", "dry_run", "duration", "environment", "fail", "force", "grace",
        "hours", "interval", "job", "kind", "level", "limit", "max", "memory", "min", "minutes", "mode", "namespace",
        "node", "partition", "percent", "phase", "pod", "priority", "queue", "region", "release", "replicas", "retries",
        "revision", "rollback", "seconds", "selector", "service", "severity", "shard", "size", "stage", "statefulset",
        "step", "strategy", "target", "threshold", "timeout", "topic", "type", "version", "wait", "window", "workload",
        "zone",
    }
)  # fmt: skip
"""Names of parameters that say what was operated on and how much. Any other is left out unless it is asked for."""

TEXT_LIMIT = 1_000
"""Characters of a parameter's text or a step's error that are kept."""


@dataclass(frozen=True, slots=True)
class ScrubPolicy:
    """What is kept, and the key behind pseudonyms.

    The key is the tenant's own, derived from the instance's: pseudonyms of one tenant say nothing about another's.
    """

    key: bytes = field(repr=False)
    parameters: frozenset[str] = DEFAULT_PARAMETERS

    @property
    def key_id(self) -> str:
        """Names the key and says nothing about it: 16 hex digits of an HMAC of a fixed text."""
        return keyed_digest(self.key, b"atom dataset key id").removeprefix("sha256:")[:16]

    def to_json(self) -> dict[str, Json]:
        """The policy as the manifest has it."""
        return {"version": VERSION, "key": self.key_id, "parameters": list[Json](sorted(self.parameters))}

    @property
    def digest(self) -> Digest:
        """Of the policy as the manifest has it."""
        return digest_json(self.to_json())


def tenant_key(key: bytes, tenant_id: str) -> bytes:
    """The tenant's key: HMAC-SHA-256 of its id under the instance's."""
    return keyed_digest(key, f"atom dataset tenant {tenant_id}".encode()).encode()
