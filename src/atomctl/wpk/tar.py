"""The one tar form of a package: what `write` writes is all that `read` accepts.

POSIX ustar (IEEE 1003.1, pax) of regular files, sorted by the bytes of their names: times, owners and devices zero,
mode 0644 or 0755, a PAX `path` record only where the header cannot hold the name, two zero blocks at the end and
nothing after them. Because every header is a function of name, size and mode, `read` compares it with the header
`write` would make: one content has one byte string, and therefore one digest. `tar -tvf` reads it like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from atomctl.errors import AtomError
from atomctl.wpk import codes
from atomctl.wpk.member_names import check_distinct, check_name

MAX_MEMBERS: Final = 10_000
MAX_BYTES: Final = 64 << 20
"""Of the whole archive, headers included."""

_BLOCK: Final = 512
_NAME_BYTES: Final = 100
_PREFIX_BYTES: Final = 155
_END: Final = bytes(2 * _BLOCK)
_PAX_NAME: Final = b"././@PaxHeader"
_REGULAR, _PAX = b"0", b"x"
_MAX_PAX_BYTES: Final = 2 * _BLOCK
_REFUSED_TYPES: Final = {
    b"1": codes.LINK,
    b"2": codes.LINK,
    b"3": codes.DEVICE,
    b"4": codes.DEVICE,
    b"6": codes.DEVICE,
}


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a package."""

    data: bytes
    executable: bool = False


def write(files: Mapping[str, FileEntry]) -> bytes:
    """The archive of `files`: the same bytes whatever order, machine or locale they come from.

    Raises:
        AtomError: WPK132, WPK133, WPK137, WPK138, WPK142, WPK144, WPK147 a path; WPK139 too many; WPK140 too large.
    """
    if len(files) > MAX_MEMBERS:
        raise AtomError(codes.TOO_MANY, f"{len(files):,} files; at most {MAX_MEMBERS:,} are allowed")
    check_distinct(files)
    parts: list[bytes] = []
    for name in sorted(files, key=lambda each: each.encode("utf-8", "surrogatepass")):
        check_name(name)
        entry = files[name]
        parts += (_head(name, len(entry.data), executable=entry.executable), entry.data, _padding(len(entry.data)))
    parts.append(_END)
    if (size := sum(map(len, parts))) > MAX_BYTES:
        raise AtomError(codes.TOO_LARGE, f"{size:,} bytes; at most {MAX_BYTES:,} are allowed")
    return b"".join(parts)


def read(data: bytes) -> dict[str, FileEntry]:
    """The files of an archive, in order, all limits checked before any of them is returned.

    Raises:
        AtomError: WPK130-WPK144, WPK146, WPK147: whatever differs from what `write` would have made of the same files.
    """
    if len(data) > MAX_BYTES:
        raise AtomError(codes.TOO_LARGE, f"{len(data):,} bytes; at most {MAX_BYTES:,} are allowed")
    if data[257:262] != b"ustar" and not (len(data) >= _BLOCK and not any(data[:_BLOCK])):
        raise AtomError(codes.NOT_AN_ARCHIVE, "the first block is no ustar header")
    members = list(_members(data))
    check_distinct(name for name, _ in members)
    _check_order([name for name, _ in members])
    return dict(members)


def _members(data: bytes) -> Iterator[tuple[str, FileEntry]]:
    offset, count = 0, 0
    while any(block := _take(data, offset, _BLOCK)):
        count += 1
        if count > MAX_MEMBERS:
            raise AtomError(codes.TOO_MANY, f"more than {MAX_MEMBERS:,} members")
        name, head_size, block = _name(data, offset, block)
        size, mode = _octal(block[124:136], name), _octal(block[100:108], name)
        head = _head(name, size, executable=mode == 0o755)
        body = offset + head_size
        if data[offset:body] != head:
            raise AtomError(codes.NOT_CANONICAL, f"the header of {name!a} is not the one `pack` writes")
        content = _take(data, body, size)
        offset = body + size + len(padding := _padding(size))
        if _take(data, body + size, len(padding)) != padding:
            raise AtomError(codes.NOT_CANONICAL, f"the padding after {name!a} is not zero")
        yield name, FileEntry(content, executable=mode == 0o755)
    if _take(data, offset, len(_END)) != _END:
        raise AtomError(codes.NOT_CANONICAL, "one zero block instead of two ends the archive")
    if len(data) > offset + len(_END):
        raise AtomError(codes.TRAILING_DATA, f"{len(data) - offset - len(_END):,} bytes follow the end of the archive")


def _take(data: bytes, offset: int, size: int) -> bytes:
    if offset + size > len(data):
        raise AtomError(codes.TRUNCATED, f"{offset + size - len(data):,} bytes are missing at the end")
    return data[offset : offset + size]


def _name(data: bytes, offset: int, block: bytes) -> tuple[str, int, bytes]:
    """The checked name of the member at `offset`, the size of its headers, and its own header block."""
    kind, head_size = block[156:157], _BLOCK
    if kind == _PAX:
        size = _octal(block[124:136], "a PAX header")
        if size > _MAX_PAX_BYTES + 32:
            raise AtomError(codes.PAX_OVERRIDE, "a PAX header is longer than any path")
        raw = _pax_path(_take(data, offset + _BLOCK, size))
        head_size = 2 * _BLOCK + size + len(_padding(size))
        block = _take(data, offset + head_size - _BLOCK, _BLOCK)
        kind = block[156:157]
    else:
        prefix, tail = block[345:500].rstrip(b"\0"), block[:100].rstrip(b"\0")
        raw = prefix + b"/" + tail if prefix else tail
    if kind != _REGULAR:
        raise AtomError(_REFUSED_TYPES.get(kind, codes.MEMBER_TYPE), f"{ascii(raw)[2:-1]} is not a regular file")
    return _decoded(raw), head_size, block


def _decoded(raw: bytes) -> str:
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise AtomError(codes.BAD_NAME, f"{raw!a} is not UTF-8") from None
    check_name(name)
    return name


def _pax_path(body: bytes) -> bytes:
    length, _, record = body.partition(b" ")
    key, _, value = record.partition(b"=")
    if not length.isdigit() or int(length) != len(body) or not value.endswith(b"\n"):
        raise AtomError(codes.PAX_OVERRIDE, "a PAX header holds more or less than one record")
    if key != b"path":
        raise AtomError(codes.PAX_OVERRIDE, f"a PAX header sets {ascii(key)[1:]}")
    return value[:-1]


def _octal(digits: bytes, name: str) -> int:
    text = digits.rstrip(b"\0 ")
    if not text.isdigit() or any(digit > ord("7") for digit in text):
        raise AtomError(codes.NOT_CANONICAL, f"a number in the header of {name!a} is not octal")
    return int(text, 8)


def _check_order(names: list[str]) -> None:
    for before, after in pairwise(names):
        if before.encode() > after.encode():
            raise AtomError(codes.NOT_CANONICAL, f"{after!a} stands behind {before!a}")


def _head(name: str, size: int, *, executable: bool) -> bytes:
    """The header of a file: one block, or three and more where the name needs a PAX record."""
    mode = 0o755 if executable else 0o644
    if (split := _split(name)) is not None:
        return _block(*split, mode, size, _REGULAR)
    record = _pax_record(name.encode())
    short = name.encode("ascii", "replace")[:100]  # what a reader without PAX shows
    pax = _block(b"", _PAX_NAME, 0o644, len(record), _PAX) + record + _padding(len(record))
    return pax + _block(b"", short, mode, size, _REGULAR)


def _split(name: str) -> tuple[bytes, bytes] | None:
    """The name as the header's prefix and name fields, cut at the first slash that lets both fit; None if none does."""
    if not name.isascii():
        return None
    raw = name.encode()
    if len(raw) <= _NAME_BYTES:
        return b"", raw
    cuts = (cut for cut in range(len(raw) - _NAME_BYTES - 1, min(_PREFIX_BYTES, len(raw) - 1) + 1) if raw[cut] == 47)
    return next(((raw[:cut], raw[cut + 1 :]) for cut in cuts), None)


def _pax_record(path: bytes) -> bytes:
    """The length, a space, `path=`, the path and a line feed; the length counts its own digits."""
    rest = b" path=" + path + b"\n"
    length = len(rest)
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return str(length).encode() + rest


def _block(prefix: bytes, name: bytes, mode: int, size: int, kind: bytes) -> bytes:
    fields = (
        name.ljust(_NAME_BYTES, b"\0"),
        b"%07o\0" % mode,
        b"%07o\0%07o\0" % (0, 0),  # uid, gid
        b"%011o\0" % size,
        b"%011o\0" % 0,  # mtime
        b"        ",  # the checksum counts as spaces while it is computed
        kind,
        bytes(100),  # link name
        b"ustar\x0000",
        bytes(64),  # owner names
        b"%07o\0%07o\0" % (0, 0),  # device numbers
        prefix.ljust(_PREFIX_BYTES + 12, b"\0"),
    )
    block = b"".join(fields)
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)
