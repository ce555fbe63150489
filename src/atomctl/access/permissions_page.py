"""The reference page of permissions, generated from the table that `require` reads."""

from __future__ import annotations

from atomctl.access.model import Role
from atomctl.access.permissions import PERMISSIONS, Resource, Verb

PAGE = "docs/reference/permissions.md"

_HEAD = """# Permissions

Generated from `src/atomctl/access/permissions.py` by `python -m atomctl.access.permissions_page > {page}`; do not edit.

A role may do what has an `x`. What is not in the table is refused to everybody. A refused attempt is recorded in the
audit log. Besides the role, a vote needs a second person: neither the requester nor an author of what is voted on.
"""


def render() -> str:
    """The page as Markdown: one line per verb and resource of the table, one column per role."""
    lines = [_HEAD.format(page=PAGE), _row("Resource", "Verb", *Role), _row(*["---"] * (2 + len(Role)))]
    for resource in Resource:
        for verb in Verb:
            roles = PERMISSIONS.get((verb, resource))
            if roles is not None:
                lines.append(_row(resource, verb, *("x" if role in roles else " " for role in Role)))
    return "\n".join(lines) + "\n"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    print(render(), end="")  # noqa: T201  # the page goes to stdout, to be redirected
