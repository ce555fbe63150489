"""Which handlers may change something outside their own run."""

from __future__ import annotations

from typing import assert_never

from atomctl.wpk.model import Handler, HandlerType

_READING_METHODS = frozenset({"GET", "HEAD"})
_READING_ACTIONS = frozenset({"get", "logs", "events", "wait", "rollout-status"})


def mutates(handler: Handler) -> bool:
    """Whether the handler may change something; what a script or another package does cannot be told, so they may."""
    match handler.type:
        case HandlerType.SHELL | HandlerType.PACKAGE:
            return True
        case HandlerType.API:
            return handler.config.get("method", "GET") not in _READING_METHODS
        case HandlerType.K8S:
            return handler.config.get("action") not in _READING_ACTIONS
        case HandlerType.APPROVAL:
            return False
        case _:
            assert_never(handler.type)
