"""What the handlers of a package do, as far as the manifest tells: what changes something, how involved it is.

A handler counts as changing something unless its type and config say that it only reads: what a script does cannot be
read off its manifest, and neither can what another package does.
"""

from __future__ import annotations

import enum
from typing import assert_never

from atomctl.wpk.model import Handler, HandlerType, Manifest

_READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_READING_ACTIONS = frozenset({"get", "logs", "events", "wait", "rollout-status"})
_MANY_HANDLERS, _SOME_HANDLERS = 10, 3


class Complexity(enum.StrEnum):
    """How much there is to understand before agreeing to it."""

    SIMPLE = "simple"
    """At most three handlers of one type, one after another."""
    MODERATE = "moderate"
    COMPLEX = "complex"
    """More than ten handlers, or branches that run side by side, or other packages inside."""


def mutates(handler: Handler) -> bool:
    """Whether the handler may change something outside its own run."""
    match handler.type:
        case HandlerType.SHELL | HandlerType.PACKAGE:
            return True
        case HandlerType.API:
            return str(handler.config.get("method", "GET")).upper() not in _READING_METHODS
        case HandlerType.K8S:
            return handler.config.get("action") not in _READING_ACTIONS
        case HandlerType.APPROVAL:
            return False
        case _:
            assert_never(handler.type)


def has_mutating(manifest: Manifest) -> bool:
    """Whether any handler of the workflow may change something."""
    return any(mutates(handler) for handler in manifest.handlers)


def complexity(manifest: Manifest) -> Complexity:
    """How involved the workflow is, rollback left out."""
    handlers = manifest.handlers
    types = {handler.type for handler in handlers}
    if len(handlers) > _MANY_HANDLERS or HandlerType.PACKAGE in types or _branches(handlers):
        return Complexity.COMPLEX
    if len(handlers) > _SOME_HANDLERS or len(types) > 1 or any(handler.when for handler in handlers):
        return Complexity.MODERATE
    return Complexity.SIMPLE


def _branches(handlers: tuple[Handler, ...]) -> bool:
    """Whether two handlers wait for the same one, so that they may run side by side."""
    needed = [name for handler in handlers for name in set(handler.needs)]
    return len(needed) != len(set(needed))
