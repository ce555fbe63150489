"""Catching one file of a tar that streams by, while its bytes go on unchanged to somewhere else. Pure.

Reads what pg_basebackup writes: plain ustar headers of 512 bytes (POSIX.1-1988), the size in octal, or from 8 GiB on in
base 256 with the first bit set.
"""

from __future__ import annotations

_BLOCK = 512
_NAME = slice(0, 100)
_SIZE = slice(124, 136)


class TarWatch:
    """Keeps the content of the member `name`; `content` is None as long as it has not passed whole."""

    def __init__(self, name: str, *, limit: int) -> None:
        self.content: bytes | None = None
        self._name = name.encode()
        self._limit = limit
        self._header = bytearray()
        self._kept: bytearray | None = None
        self._body = 0
        self._padding = 0

    def feed(self, piece: bytes) -> None:
        """Looks at the next bytes of the tar.

        Raises:
            ValueError: a header has no size, or the member is larger than `limit`.
        """
        view = memoryview(piece)
        while view:
            view = self._step(view)

    def _step(self, view: memoryview) -> memoryview:
        if self._body:
            taken = view[: self._body]
            if self._kept is not None:
                self._kept += taken
            self._body -= len(taken)
            if not self._body:
                self._finish()
        elif self._padding:
            taken = view[: self._padding]
            self._padding -= len(taken)
        else:
            taken = view[: _BLOCK - len(self._header)]
            self._header += taken
            if len(self._header) == _BLOCK:
                self._begin(bytes(self._header))
                self._header.clear()
        return view[len(taken) :]

    def _begin(self, header: bytes) -> None:
        if not any(header):  # two empty blocks end a tar
            return
        size = _size(header[_SIZE])
        if header[_NAME].rstrip(b"\0").removeprefix(b"./") == self._name:
            if size > self._limit:
                raise ValueError(f"{self._name.decode()} has {size} bytes")
            self._kept = bytearray()
        self._body, self._padding = size, -size % _BLOCK
        if not size:
            self._finish()

    def _finish(self) -> None:
        if self._kept is not None:
            self.content, self._kept = bytes(self._kept), None


def _size(field: bytes) -> int:
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    return int(field.rstrip(b"\0 ") or b"0", 8)
