"""Anchors: signed checkpoints of the deployment's log in a locked bucket, and where they lie there.

| key below `audit/<deployment>/` | what |
|---|---|
| `checkpoint/<order>-e<epoch>-<size>` | the signed checkpoint; `<order>` puts the newest first in a listing |
| `e<epoch>/tile/<level>/<n>` | 256 hashes of a level, C2SP tlog-tiles; of level 0 also the right edge, `.p/<width>` |
| `e<epoch>/tile/entries/<n>` | the 256 entries below a tile of level 0, which are the checkpoints of all tenants |
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from atomctl.audit.checkpoint import Checkpoint, key_for, parse_checkpoint
from atomctl.audit.codes import BAD_NOTE, BAD_SIGNATURE
from atomctl.audit.names import LogName
from atomctl.audit.note import VerifierKey, signed_by
from atomctl.errors import AtomError
from atomctl.objects.locking import LockedStore, Retention

_MOST_EPOCHS, _MOST_ENTRIES = 10**6 - 1, 10**19 - 1


@dataclass(frozen=True, slots=True)
class Anchor:
    """A checkpoint in the bucket: its signed note, and how the bucket retains it."""

    key: str
    note: bytes
    checkpoint: Checkpoint
    retention: Retention

    @property
    def epoch(self) -> int:
        """The epoch of the deployment's log it was signed in."""
        return LogName.parse(self.checkpoint.origin).epoch


def checkpoint_key(name: LogName, size: int) -> str:
    """Where the checkpoint of `size` entries lies."""
    order = f"{_MOST_EPOCHS - name.epoch:06d}.{_MOST_ENTRIES - size:019d}"
    return f"{_checkpoints(name.base)}{order}-e{name.epoch}-{size}"


def tile_key(name: LogName, path: str) -> str:
    """Where a tile lies; `path` is its C2SP path."""
    return f"audit/{name.base}/e{name.epoch}/{path}"


def newest_anchor(store: LockedStore, base: str) -> Anchor | None:
    """The newest checkpoint in the bucket, by epoch and size; None if the deployment `base` has none there.

    Its signature is not verified.

    Raises:
        AtomError: AUD717 what lies there is not a checkpoint, or not the one its key says; OBJ codes the bucket cannot
            be read.
    """
    key = next(iter(store.keys(_checkpoints(base))), None)
    if key is None:
        return None
    note = store.get(key)
    checkpoint, _ = parse_checkpoint(note)
    if checkpoint_key(LogName.parse(checkpoint.origin), checkpoint.size) != key:
        raise AtomError(BAD_NOTE, f"{key} holds the checkpoint of {checkpoint.origin} at {checkpoint.size} entries")
    return Anchor(key, note, checkpoint, store.retention(key))


def bases_of(keys: Iterable[VerifierKey]) -> tuple[str, ...]:
    """The deployments that the keys sign for, each once."""
    return tuple(dict.fromkeys(LogName.parse(key.name).base for key in keys))


def newest_of(store: LockedStore, keys: Iterable[VerifierKey]) -> Anchor | None:
    """The newest checkpoint in the bucket of the first deployment of `keys` that has one.

    Raises:
        AtomError: as `newest_anchor`.
    """
    return next((found for base in bases_of(keys) if (found := newest_anchor(store, base))), None)


def require_signed(anchor: Anchor, trusted: tuple[VerifierKey, ...]) -> None:
    """Returns if the anchor was signed by a trusted key of its log.

    Raises:
        AtomError: AUD708 it was not.
    """
    key = key_for(anchor.checkpoint.origin, trusted)
    if key is None or not signed_by(parse_checkpoint(anchor.note)[1], key):
        raise AtomError(BAD_SIGNATURE, f"the anchor {anchor.key} is not signed by a key that is trusted")


def _checkpoints(base: str) -> str:
    return f"audit/{base}/checkpoint/"
