"""The audit log: what is recorded, how it becomes a Merkle tree, and how anybody checks it without asking us."""
