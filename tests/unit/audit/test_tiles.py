"""Tiles: paths, growth, and finding subtrees in them."""

from __future__ import annotations

import pytest

from atomctl.audit import tiles
from atomctl.audit.merkle import (
    CompactRange,
    inclusion_proof,
    leaf_hash,
    subtree_root,
    verify_inclusion,
)

LEAVES = [leaf_hash(str(i).encode()) for i in range(70_000)]


class Store:
    """Tiles in a dict; each piece must continue what is there."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, int], bytes] = {}

    def add(self, piece: tiles.TilePiece) -> None:
        have = self.rows.get((piece.level, piece.tile), b"")
        assert len(have) == piece.offset * tiles.HASH
        self.rows[piece.level, piece.tile] = have + piece.hashes

    def read(self, level: int, tile: int) -> bytes:
        return self.rows.get((level, tile), b"")


@pytest.fixture(scope="module")
def grown() -> tuple[Store, CompactRange]:
    store, tree = Store(), CompactRange()
    for begin, end in ((0, 1), (1, 255), (255, 256), (256, 1000), (1000, 70_000)):
        tree, pieces = tiles.grow(tree, LEAVES[begin:end])
        for piece in pieces:
            store.add(piece)
    return store, tree


def test_tiles_hold_256_hashes_but_for_the_right_edge(grown: tuple[Store, CompactRange]) -> None:
    store, _ = grown
    widths = {place: len(data) // tiles.HASH for place, data in store.rows.items()}
    assert widths[0, 273] == 70_000 - 273 * 256
    assert widths[1, 1] == 273 - 256
    assert widths[2, 0] == 1
    assert all(
        width == 256 for (level, tile), width in widths.items() if (level, tile) not in {(0, 273), (1, 1), (2, 0)}
    )


def test_the_root_can_be_found_in_the_tiles(grown: tuple[Store, CompactRange]) -> None:
    store, tree = grown
    assert subtree_root(0, 70_000, tiles.subtrees_from(store.read)) == tree.root


@pytest.mark.parametrize("index", [0, 255, 256, 65_535, 65_536, 69_999])
def test_a_proof_from_tiles_holds(index: int, grown: tuple[Store, CompactRange]) -> None:
    store, tree = grown
    proof = inclusion_proof(index, tree.size, tiles.subtrees_from(store.read))
    assert verify_inclusion(LEAVES[index], index, tree.size, proof, tree.root)


def test_a_subtree_beyond_the_edge_is_not_made_up(grown: tuple[Store, CompactRange]) -> None:
    store, _ = grown
    with pytest.raises(LookupError, match="tile/0/273 does not reach"):
        tiles.subtrees_from(store.read)(7, 547)


def test_paths_are_those_of_c2sp() -> None:
    assert tiles.tile_path(0, 1_234_067) == "tile/0/x001/x234/067"
    assert tiles.tile_path(1, 67, 12) == "tile/1/067.p/12"
    assert tiles.entries_path(0) == "tile/entries/000"
    assert tiles.entries_path(1_000, 1) == "tile/entries/x001/000.p/1"
    with pytest.raises(ValueError, match="1 to 256"):
        tiles.tile_path(0, 0, 0)


def test_an_entry_bundle_puts_the_length_before_each_entry() -> None:
    assert tiles.entry_bundle([b"ab", b""]) == b"\x00\x02ab\x00\x00"
    with pytest.raises(OverflowError):
        tiles.entry_bundle([b"x" * 65_536])
