"""Whether what a manifest says fits together: order, what expressions read, parameters, votes."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from atomctl.errors import AtomError
from atomctl.wpk import codes
from atomctl.wpk.model import Handler, HandlerType, Manifest
from atomctl.wpk.order import ROLLBACK, WORKFLOW, check_order
from atomctl.wpk.parameter_schema import check_parameter_schema
from atomctl.wpk.reads import check_reads
from atomctl.wpk.source_yaml import Node, Path

SHORTEST_VOTE: Final = timedelta(seconds=1)
LONGEST_VOTE: Final = timedelta(days=31)
"""Nobody is waited for longer than this, as `approvals.service` has it."""


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
            if handler.type is HandlerType.APPROVAL:
                _check_votes(handler, (*path, index, "config"), node)
                _check_time_to_vote(handler, (*path, index, "timeout"), node)


def _check_votes(handler: Handler, path: Path, node: Node) -> None:
    roles, votes = handler.config.get("roles", []), handler.config.get("votes")
    assert isinstance(roles, list), "the schema demands a list"
    if isinstance(votes, int) and votes < len(roles):
        where = node.position((*path, "votes"))
        raise AtomError(codes.WRONG_VALUE, f"{where}: {votes} votes cannot hold one for each of {len(roles)} roles")


def _check_time_to_vote(handler: Handler, path: Path, node: Node) -> None:
    if not SHORTEST_VOTE <= handler.timeout <= LONGEST_VOTE:
        why = f"people vote within one second to {LONGEST_VOTE.days} days, not within {handler.timeout}"
        raise AtomError(codes.WRONG_VALUE, f"{node.position(path)}: {why}")
