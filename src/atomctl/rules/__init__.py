"""The validator: what a package would do, read from its files, with the exact place of everything it says."""
