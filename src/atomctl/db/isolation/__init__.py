"""Proof that tenants are kept apart: a review of the catalogue, attacks in the real roles, sabotage they must notice.

`review(read_schema(connection))` needs no right and changes nothing; `attack(connection)` needs a superuser and runs in
transactions that are always rolled back; `acts_of_sabotage(schema)` are the negative controls for both.
"""
