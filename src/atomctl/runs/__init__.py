"""Runs: planning, durable execution and the steps that do the work.

This file stays empty of imports: the supervisor of every step attempt starts through it.
"""
