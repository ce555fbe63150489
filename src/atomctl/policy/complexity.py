"""How much there is to understand in a workflow before agreeing to it."""

from __future__ import annotations

import enum

from atomctl.wpk.model import Handler, HandlerType, Manifest

_MANY_HANDLERS, _FEW_HANDLERS = 10, 3


class Complexity(enum.StrEnum):
    """A reader's effort, in three steps."""

    SIMPLE = "simple"
    """At most three handlers of one type, one after another and without conditions."""
    MODERATE = "moderate"
    COMPLEX = "complex"
    """More than ten handlers, or branches that run side by side, or other packages inside."""


def complexity(manifest: Manifest) -> Complexity:
    """How involved the workflow is; its rollback is left out."""
    handlers = manifest.handlers
    types = {handler.type for handler in handlers}
    if len(handlers) > _MANY_HANDLERS or HandlerType.PACKAGE in types or _branches(handlers):
        return Complexity.COMPLEX
    if len(handlers) > _FEW_HANDLERS or len(types) > 1 or any(handler.when for handler in handlers):
        return Complexity.MODERATE
    return Complexity.SIMPLE


def _branches(handlers: tuple[Handler, ...]) -> bool:
    """Whether two handlers may run side by side: two that need nothing, or two that need the same one."""
    needed = [name for handler in handlers for name in set(handler.needs)]
    roots = sum(not handler.needs for handler in handlers)
    return roots > 1 or len(needed) != len(set(needed))
