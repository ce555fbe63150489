"""Approvals: n votes bound to digests, one mechanism for runs, overrides, trust rules and exceptions."""
