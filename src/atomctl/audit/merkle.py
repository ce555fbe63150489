"""The Merkle tree of RFC 6962 section 2.1: roots, inclusion proofs, consistency proofs, and how each is verified.

A leaf is SHA-256(00 | data), a node SHA-256(01 | left | right), and a tree of n leaves splits at the largest power of
two below n. Verification follows RFC 9162 sections 2.1.3.2 and 2.1.4.2. Everything here is pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from atomctl.canonical import sha256

EMPTY_ROOT = sha256(b"")
_NODE = b"\x01"

PerfectSubtree: TypeAlias = Callable[[int, int], bytes]
"""(height, index) -> root of the full subtree over leaves index * 2**height to (index + 1) * 2**height."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf's exact bytes."""
    return sha256(b"\x00" + data)


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(_NODE + left + right)


@dataclass(frozen=True, slots=True)
class CompactRange:
    """All of a tree that is needed to append to it: the roots of its full subtrees, the largest first.

    Raises:
        ValueError: a size does not have one full subtree per binary one.
    """

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or self.size.bit_count() != len(self.nodes):
            raise ValueError(f"{len(self.nodes)} subtrees cannot make a tree of {self.size} leaves")

    @property
    def root(self) -> bytes:
        """The root of the whole tree."""
        if not self.nodes:
            return EMPTY_ROOT
        root = self.nodes[-1]
        for node in reversed(self.nodes[:-1]):
            root = node_hash(node, root)
        return root


def extend(
    start: CompactRange, leaves: Iterable[bytes], full: Callable[[int, bytes], None] | None = None
) -> CompactRange:
    """The range after leaf hashes were appended.

    Args:
        start: the tree so far.
        leaves: leaf hashes, in order.
        full: told the height and root of each subtree that becomes full, the leaves themselves (height 0) included.
    """
    nodes, size, hashed = list(start.nodes), start.size, sha256
    for leaf in leaves:
        node, height, carry = leaf, 0, size
        if full:
            full(0, node)
        while carry & 1:
            node = hashed(_NODE + nodes.pop() + node)
            carry >>= 1
            height += 1
            if full:
                full(height, node)
        nodes.append(node)
        size += 1
    return CompactRange(size, tuple(nodes))


def subtree_root(begin: int, end: int, perfect: PerfectSubtree) -> bytes:
    """The root over leaves `begin` to `end` (exclusive), as if they were a tree of their own."""
    count = end - begin
    if count & (count - 1) == 0:
        height = count.bit_length() - 1
        return perfect(height, begin >> height)
    middle = begin + _split(count)
    return node_hash(subtree_root(begin, middle, perfect), subtree_root(middle, end, perfect))


def inclusion_proof(index: int, size: int, perfect: PerfectSubtree) -> tuple[bytes, ...]:
    """The hashes that lead from leaf `index` to the root of the tree of `size` leaves, nearest first.

    Raises:
        ValueError: the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    proof: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            proof.append(subtree_root(middle, end, perfect))
            end = middle
        else:
            proof.append(subtree_root(begin, middle, perfect))
            begin = middle
    return tuple(reversed(proof))


def consistency_proof(old: int, new: int, perfect: PerfectSubtree) -> tuple[bytes, ...]:
    """The hashes that show that the tree of `new` leaves begins with the tree of `old` leaves.

    Raises:
        ValueError: `old` is not between 1 and `new`.
    """
    if not 0 < old <= new:
        raise ValueError(f"no proof from {old} to {new} leaves")
    proof: list[bytes] = []
    begin, end, whole = 0, new, True
    while old < end:
        middle = begin + _split(end - begin)
        if old <= middle:
            proof.append(subtree_root(middle, end, perfect))
            end = middle
        else:
            proof.append(subtree_root(begin, middle, perfect))
            begin, whole = middle, False
    if not whole:
        proof.append(subtree_root(begin, end, perfect))
    return tuple(reversed(proof))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` leads from the leaf hash at `index` to `root`."""
    if not 0 <= index < size:
        return False
    node, last, computed = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            computed = node_hash(step, computed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            computed = node_hash(computed, step)
        node, last = node >> 1, last >> 1
    return last == 0 and computed == root


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree with `new_root` begins with the tree with `old_root`."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    steps = list(proof)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, step)
        node, last = node >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _split(count: int) -> int:
    """The largest power of two below `count`, which is at least 2."""
    return 1 << ((count - 1).bit_length() - 1)
