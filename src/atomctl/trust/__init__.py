"""Signing and verification: who vouches for a package, and whether that is enough. Pure and offline."""
