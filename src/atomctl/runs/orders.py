"""What passes between a worker and the supervisor of one attempt: an order one way, a report the other.

The order goes over the control socket as a length and a marshalled dict: both ends are the same interpreter, and
marshal costs the supervisor no import. The report is a JSON file, because it outlives both of them.
"""

# pathlib would cost every supervisor 5 ms.
# ruff: noqa: PTH104, PTH120

from __future__ import annotations

import marshal
import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing costs each supervisor 4 ms
    from typing import TypedDict

    class Egress(TypedDict):
        """The way out of an otherwise empty network: which `host:port` pairs, behind which addresses."""

        hosts: list[str]
        allow: list[str]

    class Order(TypedDict):
        """One program to start and everything that bounds it. Times are seconds."""

        argv: list[str]
        env: dict[str, str]
        cwd: str
        user: int | None
        """The uid and gid to give everything up for; None where the worker is an ordinary user already."""
        staged: dict[str, str]
        """Name -> host path: mounted as `STAGE/name` in a mount namespace of its own, for an unprivileged reader."""
        limits: dict[str, int]
        cgroups: list[str]
        sandboxed: bool
        """Whether `argv` starts bubblewrap, whose two own processes take no TERM."""
        timeout: float
        grace: float
        egress: Egress | None
        report: str

    class Report(TypedDict):
        """What came of it: succeeded, failed, timed_out, cancelled or abandoned; times are Unix seconds."""

        outcome: str
        exit_code: int | None
        started: float
        ended: float
        killed: int
        error: str | None


STAGE = "/tmp"  # noqa: S108  # a mount point that exists everywhere; what is mounted on it is private to the attempt
CANCEL = b"C"
REPORT_FIELDS = frozenset({"outcome", "exit_code", "started", "ended", "killed", "error"})
_LENGTH_BYTES = 4
_ORDER_LIMIT = 4 * 1024 * 1024


def pack_order(order: Order) -> bytes:
    """The bytes that `read_order` understands."""
    body = marshal.dumps(dict(order))
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


def read_order(descriptor: int) -> Order:
    """The order at the head of the stream, and not a byte of what follows it.

    Raises:
        EOFError: the worker went away before it was complete.
        ValueError: it is larger than 4 MiB.
    """
    size = int.from_bytes(_exactly(descriptor, _LENGTH_BYTES), "big")
    if size > _ORDER_LIMIT:
        raise ValueError(f"an order of {size} bytes")
    order: Order = marshal.loads(_exactly(descriptor, size))  # noqa: S302  # from the worker that started us
    return order


def _exactly(descriptor: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = os.read(descriptor, size - len(data))
        if not chunk:
            raise EOFError("the worker closed the control socket")
        data += chunk
    return data


def write_report(path: str, report: Report) -> None:
    """The report is on disk, whole, under `path`, and stays there when the machine loses power.

    Raises:
        OSError: it could not be written; nothing is left under `path`.
    """
    folder = os.path.dirname(path)
    partial = path + ".partial"
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, _encoded(report))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(partial, path)
    parent = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


def _encoded(report: Report) -> bytes:
    """The report as JSON (RFC 8259). Loading `json` costs a supervisor 10 ms, more than everything else it does."""
    members = [f'"{name}": {_value(value)}' for name, value in report.items()]
    return ("{" + ", ".join(members) + "}").encode()


def _value(value: object) -> str:
    if value is None:
        return "null"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    """Printable ASCII as it is; everything else, quotes and backslashes by its UTF-16 code units."""
    plain = "".join(char if " " <= char <= "~" and char not in '"\\' else _escaped(char) for char in text)
    return f'"{plain}"'


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
