"""Whether what a manifest says fits together: order, what expressions read, parameters, votes."""

from __future__ import annotations

from atomctl.errors import AtomError
from atomctl.wpk import codes
from atomctl.wpk.model import Handler, HandlerType, Manifest
from atomctl.wpk.order import ROLLBACK, WORKFLOW, check_order
from atomctl.wpk.parameter_schema import check_parameter_schema
from atomctl.wpk.reads import check_reads
from atomctl.wpk.source_yaml import Node, Path


def check_coherence(manifest: Manifest, node: Node) -> None:
    """Refuses a manifest that contradicts itself.

    Raises:
        AtomError: WPK111, WPK114-WPK118, WPK120; the message starts with file:line:column.
    """
    check_order(manifest, node)
    try:
        check_parameter_schema(manifest.parameters)
    except AtomError as error:
        where = node.position(("spec", "parameters"))
        raise AtomError(error.code, f"{where}: {error.why}") from None
    check_reads(manifest, node)
    for path, handlers in ((WORKFLOW, manifest.handlers), (ROLLBACK, manifest.rollback.handlers)):
        for index, handler in enumerate(handlers):
            _check_votes(handler, (*path, index, "config"), node)


def _check_votes(handler: Handler, path: Path, node: Node) -> None:
    if handler.type is not HandlerType.APPROVAL:
        return
    roles, votes = handler.config.get("roles", []), handler.config.get("votes")
    assert isinstance(roles, list), "the schema demands a list"
    if isinstance(votes, int) and votes < len(roles):
        where = node.position((*path, "votes"))
        raise AtomError(codes.WRONG_VALUE, f"{where}: {votes} votes cannot hold one for each of {len(roles)} roles")
