"""The registry's use cases, as others call them. Each runs in the caller's transaction unless it takes `sessions`."""

from __future__ import annotations

from atomctl.approvals.model import Approval, SubjectKind
from atomctl.registry import lifting, rules_versions
from atomctl.registry.keys import list_keys, register_key, retire_key, revoke_key, show_key
from atomctl.registry.lifting import request_exception, request_override, standing
from atomctl.registry.packages import (
    archive,
    list_packages,
    list_workflows,
    load_package,
    newest,
    report,
    show,
    show_workflow,
    verify_now,
    yank,
)
from atomctl.registry.publish import publish, push
from atomctl.registry.rows import Connection, authors_of, bundles_of, find_package
from atomctl.registry.rules_versions import active_rules, list_rules, propose_rules, show_rules

__all__ = [
    "active_rules",
    "archive",
    "authors_of",
    "bundles_of",
    "find_package",
    "list_keys",
    "list_packages",
    "list_rules",
    "list_workflows",
    "load_package",
    "newest",
    "on_approval",
    "propose_rules",
    "publish",
    "push",
    "register_key",
    "report",
    "request_exception",
    "request_override",
    "retire_key",
    "revoke_key",
    "show",
    "show_key",
    "show_rules",
    "show_workflow",
    "standing",
    "verify_now",
    "yank",
]


def on_approval(conn: Connection, approval: Approval) -> None:
    """What a decided approval leads to in the registry; call it in the transaction that decided. Runs are not its own.

    Raises:
        ValueError: the approval is about a run.
    """
    match approval.subject_kind:
        case SubjectKind.OVERRIDE | SubjectKind.EXCEPTION:
            lifting.follow(conn, approval)
        case SubjectKind.TRUST_RULES:
            rules_versions.follow(conn, approval)
        case SubjectKind.RUN:
            raise ValueError("a run's approval is the business of runs")
