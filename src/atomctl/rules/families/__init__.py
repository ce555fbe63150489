"""The rule families: one file each, with the predicates and the metadata of its rules in `RULES`."""
