"""The order of handlers: their names, what they need, and what has therefore happened before each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from atomctl.errors import AtomError
from atomctl.wpk import codes
from atomctl.wpk.model import Handler, Manifest
from atomctl.wpk.refusals import nearest
from atomctl.wpk.source_yaml import Node, Path

WORKFLOW: Path = ("spec", "handlers")
ROLLBACK: Path = ("spec", "rollback", "handlers")


def check_order(manifest: Manifest, node: Node) -> None:
    """Refuses handlers that could not be told apart, or put in an order.

    Raises:
        AtomError: WPK116 a name twice; WPK114 a need or compensation of nobody; WPK115 a circle.
    """
    _check_names(manifest, node)
    _check_needs(manifest.handlers, node, WORKFLOW)
    _check_needs(manifest.rollback.handlers, node, ROLLBACK)
    workflow = {handler.name for handler in manifest.handlers}
    for index, handler in enumerate(manifest.rollback.handlers):
        if handler.compensates is not None and handler.compensates not in workflow:
            where = (*ROLLBACK, index, "compensates")
            raise unknown(node, where, f"{handler.name} compensates", handler.compensates, workflow)


def ancestors(handlers: Sequence[Handler]) -> dict[str, frozenset[str]]:
    """Per handler the names of all that have ended before it starts; the handlers must be free of circles."""
    by_name = {handler.name: handler for handler in handlers}
    found: dict[str, frozenset[str]] = {}
    for handler in handlers:
        _ancestors_of(handler, by_name, found)
    return found


def unknown(node: Node, path: Path, what: str, name: str, known: set[str] | frozenset[str]) -> AtomError:
    """A reference to something that is not there, with the nearest that is."""
    guess = nearest(name, known)
    why = f"{node.position(path)}: {what} `{name}`, which is not declared" + (
        f"; did you mean `{guess}`?" if guess else ""
    )
    return AtomError(codes.BAD_REFERENCE, why)


def _ancestors_of(handler: Handler, by_name: Mapping[str, Handler], found: dict[str, frozenset[str]]) -> frozenset[str]:
    if handler.name not in found:
        above = (_ancestors_of(by_name[name], by_name, found) for name in handler.needs)
        found[handler.name] = frozenset(handler.needs).union(*above)
    return found[handler.name]


def _check_names(manifest: Manifest, node: Node) -> None:
    seen: set[str] = set()
    for path, handlers in ((WORKFLOW, manifest.handlers), (ROLLBACK, manifest.rollback.handlers)):
        for index, handler in enumerate(handlers):
            if handler.name in seen:
                where = node.position((*path, index, "name"))
                raise AtomError(codes.DUPLICATE_NAME, f"{where}: two handlers are named `{handler.name}`")
            seen.add(handler.name)


def _check_needs(handlers: Sequence[Handler], node: Node, path: Path) -> None:
    needs = {handler.name: handler.needs for handler in handlers}
    for index, handler in enumerate(handlers):
        for name in handler.needs:
            if name not in needs:
                raise unknown(node, (*path, index, "needs"), f"{handler.name} needs", name, set(needs))
    circle = _circle(needs)
    if circle:
        index = next(index for index, handler in enumerate(handlers) if handler.name == circle[0])
        where = node.position((*path, index, "needs"))
        raise AtomError(codes.CYCLE, f"{where}: {' needs '.join((*circle, circle[0]))}")


def _circle(needs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The names that are left when every handler whose needs are met is taken away, cut to one circle."""
    left = dict(needs)
    while ready := [name for name, wanted in left.items() if not any(each in left for each in wanted)]:
        for name in ready:
            del left[name]
    if not left:
        return ()
    trail = [next(iter(left))]
    while (following := next(each for each in left[trail[-1]] if each in left)) not in trail:
        trail.append(following)
    return tuple(trail[trail.index(following) :])
