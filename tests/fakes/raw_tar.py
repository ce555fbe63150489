"""Tar archives written byte by byte, so that a test can say exactly what is wrong with one."""

from __future__ import annotations

from dataclasses import dataclass, field

MANIFEST = b"""\
apiVersion: atom/v1
kind: WorkflowPackage
metadata: {name: hello, version: 1.0.0}
spec:
  handlers:
    - {name: say-hello, type: shell, config: {command: [echo, hello]}}
"""

END = bytes(1024)


@dataclass(frozen=True)
class Member:
    """One member; every field of its header can be set."""

    name: bytes
    data: bytes = b""
    kind: bytes = b"0"
    mode: bytes = b"0000644\0"
    uid: bytes = b"0000000\0"
    size: bytes | None = None
    mtime: bytes = b"00000000000\0"
    link: bytes = b""
    owner: bytes = b""
    prefix: bytes = b""
    padding: bytes = b"\0"
    magic: bytes = b"ustar\x0000"
    checksum_offset: int = 0
    before: tuple[Member, ...] = field(default=())

    def to_bytes(self) -> bytes:
        """The header block, the data and its padding."""
        size = b"%011o\0" % len(self.data) if self.size is None else self.size
        block = b"".join(
            (
                self.name.ljust(100, b"\0"),
                self.mode,
                self.uid,
                b"0000000\0",
                size,
                self.mtime,
                b" " * 8,
                self.kind,
                self.link.ljust(100, b"\0"),
                self.magic,
                self.owner.ljust(64, b"\0"),
                b"0000000\0" * 2,
                self.prefix.ljust(167, b"\0"),
            )
        )
        assert len(block) == 512
        summed = block[:148] + b"%06o\0 " % (sum(block) + self.checksum_offset) + block[156:]
        head = b"".join(member.to_bytes() for member in self.before)
        return head + summed + self.data + self.padding * (-len(self.data) % 512)


def pax(*records: tuple[bytes, bytes]) -> Member:
    """A PAX header with these records, as the member that stands before another."""
    return Member(b"././@PaxHeader", b"".join(_record(key, value) for key, value in records), kind=b"x")


def archive(*members: Member, end: bytes = END) -> bytes:
    """The members in the order given, with a valid manifest behind them."""
    return b"".join(member.to_bytes() for member in (*members, Member(b"wpk.yaml", MANIFEST))) + end


def _record(key: bytes, value: bytes) -> bytes:
    body = b" " + key + b"=" + value + b"\n"
    length = len(body) + 1
    while len(str(length).encode() + body) != length:
        length += 1
    return str(length).encode() + body
