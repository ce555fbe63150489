"""Where lineage events go: a file beside the export, and a receiver of OpenLineage if one is set."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import SplitResult

from atomctl.canonical import Json
from atomctl.dataset import codes
from atomctl.dataset.export import Exported
from atomctl.dataset.lineage import Job
from atomctl.errors import AtomError
from atomctl.exchange import ExchangeError, Patience, address_of, post

SUFFIX = ".openlineage.jsonl"
PATH = "/api/v1/lineage"
_PATIENCE = Patience(connect=2.0, silence=3.0, whole=5.0)
_LARGEST = 64 * 1024
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Receiver:
    """Something that takes lineage events; the key is sent to it and shown nowhere."""

    address: SplitResult
    headers: Mapping[str, str]

    @classmethod
    def at(cls, url: str, key: str | None) -> Receiver:
        """The receiver with this base address.

        Raises:
            AtomError: DAT819 it is no address, or the key would travel in the clear.
        """
        try:
            address = address_of(url)
        except ValueError as error:
            raise AtomError(codes.BAD_RECEIVER, f"OPENLINEAGE_URL: {error}") from error
        if key and address.scheme != "https" and address.hostname not in _LOOPBACK:
            raise AtomError(codes.BAD_RECEIVER, "with a key the address must begin with https://")
        if key and not (key.isascii() and key.isprintable()):
            raise AtomError(codes.BAD_RECEIVER, "the key is not printable ASCII")
        authorised = {"authorization": f"Bearer {key}"} if key else {}
        return cls(address, {"content-type": "application/json", **authorised})

    def take(self, event: Mapping[str, Json]) -> str | None:
        """Why it did not take the event; None if it did. At most five seconds."""
        body = json.dumps(event).encode()
        try:
            answer = post(self.address, PATH, body, self.headers, patience=_PATIENCE, largest=_LARGEST)
        except ExchangeError as error:
            return str(error)
        return None if 200 <= answer.status < 300 else f"{self.address.netloc} answered {answer.status}"


@dataclass(frozen=True, slots=True)
class LineageLog:
    """Tells events; an export does not fail because nobody listens, but whoever asked for it is told."""

    file: Path
    receiver: Receiver | None = None

    def tell(self, event: Mapping[str, Json]) -> list[str]:
        """What went wrong, with codes; empty if the event is in the file and the receiver, if there is one, took it."""
        troubles = []
        try:
            _append(self.file, json.dumps(event, separators=(",", ":")).encode())
        except OSError as error:
            troubles.append(f"{codes.UNTOLD.id}: {self.file}: {error.strerror}")
        refused = self.receiver.take(event) if self.receiver else None
        return [*troubles, f"{codes.UNTOLD.id}: {refused}"] if refused else troubles


class Telling:
    """A block that is told when it begins and when it ends, however it ends; `troubles` is what did not arrive."""

    def __init__(self, log: LineageLog, job: Job) -> None:
        self._log, self._job = log, job
        self.troubles: list[str] = []

    def completed(self, exported: Exported) -> None:
        """What the block was for is there."""
        self.troubles += self._log.tell(self._job.completed(_now(), exported))

    def __enter__(self) -> None:
        self.troubles += self._log.tell(self._job.started(_now()))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.troubles += self._log.tell(self._job.failed(_now(), error))


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def beside(folder: Path) -> Path:
    """The file for the events of the export in `folder`; not in it, where every file is signed for."""
    return folder.absolute().with_name(folder.absolute().name + SUFFIX)


def _append(file: Path, line: bytes) -> None:
    """The line is the file's last; one that was half-written before it stays a line of its own."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab+") as stream:
        size = stream.seek(0, os.SEEK_END)
        whole = size == 0 or os.pread(stream.fileno(), 1, size - 1) == b"\n"
        stream.write((b"" if whole else b"\n") + line + b"\n")
        stream.flush()
        os.fchmod(stream.fileno(), 0o600)
        os.fsync(stream.fileno())
