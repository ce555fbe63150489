"""Tiles: a tree's hashes in blocks of 256, as C2SP tlog-tiles (https://c2sp.org/tlog-tiles) lays them out.

A hash of tile level L is the root of a full subtree of height 8 * L. A full tile never changes; the one at the right
edge of each level grows. Everything here is pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from atomctl.audit.merkle import CompactRange, PerfectSubtree, extend, node_hash

HEIGHT = 8
WIDTH = 1 << HEIGHT
HASH = 32


@dataclass(frozen=True, slots=True)
class TilePiece:
    """Hashes that continue tile `tile` of `level` from position `offset`; concatenated, 32 bytes each."""

    level: int
    tile: int
    offset: int
    hashes: bytes


def grow(start: CompactRange, leaves: Iterable[bytes]) -> tuple[CompactRange, tuple[TilePiece, ...]]:
    """The tree after the leaf hashes were appended, and what its tiles gain."""
    gained: dict[int, list[bytes]] = {}

    def keep(height: int, node: bytes) -> None:
        if height % HEIGHT == 0:
            gained.setdefault(height // HEIGHT, []).append(node)

    end = extend(start, leaves, keep)
    return end, tuple(
        piece for level, hashes in gained.items() for piece in _pieces(level, start.size >> (HEIGHT * level), hashes)
    )


def _pieces(level: int, first: int, hashes: Sequence[bytes]) -> Iterator[TilePiece]:
    done = 0
    while done < len(hashes):
        tile, offset = divmod(first + done, WIDTH)
        part = hashes[done : done + WIDTH - offset]
        yield TilePiece(level, tile, offset, b"".join(part))
        done += len(part)


def subtrees_from(read: Callable[[int, int], bytes]) -> PerfectSubtree:
    """Finds full subtrees in tiles.

    Args:
        read: (level, tile) -> the tile's concatenated hashes, as many as there are.

    Returns:
        A function that raises `LookupError` for a subtree the tiles do not hold.
    """

    def perfect(height: int, index: int) -> bytes:
        level, rest = divmod(height, HEIGHT)
        tile, offset = divmod(index << rest, WIDTH)
        data = read(level, tile)[offset * HASH : (offset + (1 << rest)) * HASH]
        if len(data) != HASH << rest:
            raise LookupError(f"{tile_path(level, tile)} does not reach position {offset + (1 << rest)}")
        return _fold([data[i : i + HASH] for i in range(0, len(data), HASH)])

    return perfect


def _fold(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def tile_path(level: int, tile: int, width: int = WIDTH) -> str:
    """Where a tile of hashes lies in a tile store: `tile/0/x001/x234/067`, `.p/W` behind it while it has W < 256."""
    return f"tile/{level}/{_number(tile)}{_partial(width)}"


def entries_path(tile: int, width: int = WIDTH) -> str:
    """Where the entries under tile 0/`tile` lie in a tile store."""
    return f"tile/entries/{_number(tile)}{_partial(width)}"


def entry_bundle(leaves: Iterable[bytes]) -> bytes:
    """The leaves' bytes, each behind its length as a big-endian 16-bit number.

    Raises:
        OverflowError: a leaf has more than 65,535 bytes.
    """
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def _number(tile: int) -> str:
    groups = [f"{tile % 1000:03d}"]
    while tile := tile // 1000:
        groups.append(f"x{tile % 1000:03d}")
    return "/".join(reversed(groups))


def _partial(width: int) -> str:
    if not 0 < width <= WIDTH:
        raise ValueError(f"a tile has 1 to {WIDTH} hashes, not {width}")
    return "" if width == WIDTH else f".p/{width}"
