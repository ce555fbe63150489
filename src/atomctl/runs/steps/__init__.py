"""Executing one step attempt: shell processes under a supervisor, HTTP calls behind an address guard."""
