"""The Merkle tree against the definition of RFC 6962, written down recursively."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomctl.audit import merkle

SIZES = st.integers(1, 200)
LEAVES = [hashlib.sha256(b"\x00" + str(i).encode()).digest() for i in range(600)]


def mth(d: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1: MTH, over leaf hashes."""
    if len(d) == 0:
        return hashlib.sha256(b"").digest()
    if len(d) == 1:
        return d[0]
    k = 1
    while k * 2 < len(d):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(d[:k]) + mth(d[k:])).digest()


def perfect(height: int, index: int) -> bytes:
    return mth(LEAVES[index << height : (index + 1) << height])


@given(SIZES, st.integers(0, 200))
@settings(max_examples=60, deadline=None)
def test_a_tree_grown_in_two_parts_has_the_root_of_the_definition(first: int, second: int) -> None:
    start = merkle.extend(merkle.CompactRange(), LEAVES[:first])
    assert start.root == mth(LEAVES[:first])
    assert merkle.extend(start, LEAVES[first : first + second]).root == mth(LEAVES[: first + second])


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_every_leaf_proves_its_place_and_no_other(data: st.DataObject) -> None:
    size = data.draw(SIZES)
    index = data.draw(st.integers(0, size - 1))
    root, proof = mth(LEAVES[:size]), merkle.inclusion_proof(index, size, perfect)
    assert merkle.verify_inclusion(LEAVES[index], index, size, proof, root)
    assert not merkle.verify_inclusion(LEAVES[index + 1], index, size, proof, root)
    for wrong in {*range(min(size, 16)), size, -1} - {index}:
        assert not merkle.verify_inclusion(LEAVES[index], wrong, size, proof, root)
    assert not merkle.verify_inclusion(LEAVES[index], index, size, [*proof, root], root)
    if proof:
        assert not merkle.verify_inclusion(LEAVES[index], index, size, proof[:-1], root)
        assert not merkle.verify_inclusion(LEAVES[index], index, size, proof[1:], root)


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_a_larger_tree_proves_that_it_begins_with_the_smaller(data: st.DataObject) -> None:
    new = data.draw(SIZES)
    old = data.draw(st.integers(1, new))
    old_root, new_root = mth(LEAVES[:old]), mth(LEAVES[:new])
    proof = merkle.consistency_proof(old, new, perfect)
    assert merkle.verify_consistency(old, old_root, new, new_root, proof)
    forged = mth([*LEAVES[: old - 1], b"\x00" * 32])
    assert not merkle.verify_consistency(old, forged, new, new_root, proof)
    assert not merkle.verify_consistency(old, old_root, new, forged, proof)
    assert not merkle.verify_consistency(old, old_root, new, new_root, [*proof, b"\x00" * 32])
    if proof:
        assert not merkle.verify_consistency(old, old_root, new, new_root, proof[:-1])
        flipped = [bytes([proof[0][0] ^ 1]) + proof[0][1:], *proof[1:]]
        assert not merkle.verify_consistency(old, old_root, new, new_root, flipped)


@given(SIZES)
@settings(max_examples=30, deadline=None)
def test_each_full_subtree_is_told_once_with_its_root(size: int) -> None:
    told: dict[int, list[bytes]] = {}
    merkle.extend(merkle.CompactRange(), LEAVES[:size], lambda height, node: told.setdefault(height, []).append(node))
    for height in range(size.bit_length()):
        assert told[height] == [perfect(height, i) for i in range(size >> height)]
    assert max(told) == size.bit_length() - 1


def test_the_empty_tree_is_the_hash_of_nothing() -> None:
    assert merkle.CompactRange().root == merkle.EMPTY_ROOT == hashlib.sha256(b"").digest()


def test_the_example_tree_of_certificate_transparency() -> None:
    """The root and proofs published with the reference implementation of RFC 6962."""
    data = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [merkle.leaf_hash(bytes.fromhex(item)) for item in data]
    assert leaves[0].hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    tree = merkle.extend(merkle.CompactRange(), leaves)
    assert tree.root.hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    proof = merkle.inclusion_proof(0, 8, lambda h, i: mth(leaves[i << h : (i + 1) << h]))
    assert [node.hex()[:8] for node in proof] == ["96a296d2", "5f083f0a", "6b47aaf2"]


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 4)])
def test_a_leaf_that_is_not_there_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion_proof(index, size, perfect)


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3), (-1, 2)])
def test_there_is_no_way_from_nothing_or_from_the_future(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="no proof"):
        merkle.consistency_proof(old, new, perfect)
    assert not merkle.verify_consistency(old, merkle.EMPTY_ROOT, new, merkle.EMPTY_ROOT, [])


def test_a_range_whose_subtrees_do_not_fit_its_size_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot make a tree"):
        merkle.CompactRange(3, (b"\x00" * 32,))
