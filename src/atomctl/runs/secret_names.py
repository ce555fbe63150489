"""Which secrets a handler reads, and whether this installation can have them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never
from uuid import UUID

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.secrets import codes
from atomctl.secrets.paths import place_of
from atomctl.wpk.expressions import template_references
from atomctl.wpk.model import HandlerType, SecretRef

ROOT = "secrets"


def read_by(type_: HandlerType, config: Mapping[str, Json], declared: Mapping[str, SecretRef]) -> frozenset[str]:
    """The names of the secrets that a step with this configuration, as it is written, is handed.

    A shell step lists them; an api or k8s step reads them in templates, and one that computes the name of what it
    reads (`secrets[params.which]`) is handed all that its package declares.
    """
    match type_:
        case HandlerType.SHELL:
            listed = config.get(ROOT, [])
            return frozenset(map(str, listed)) if isinstance(listed, list) else frozenset()
        case HandlerType.API | HandlerType.K8S:
            names = {ref.name for ref in template_references(dict(config)) if ref.root == ROOT}
            return frozenset(declared) if None in names else frozenset(name for name in names if name is not None)
        case HandlerType.APPROVAL | HandlerType.PACKAGE:
            return frozenset()
        case _:
            assert_never(type_)


def reads_secrets(value: Json) -> bool:
    """Whether a template in `value` reads secrets."""
    return any(reference.root == ROOT for reference in template_references(value))


def require_store(declared: Mapping[str, SecretRef], tenant_id: UUID, mount: str | None) -> None:
    """Returns if every declared secret has a place that the tenant may name, in a store that there is.

    Args:
        declared: the package's `spec.secrets`.
        tenant_id: whose run it is.
        mount: of the secret store; None: there is none.

    Raises:
        AtomError: SEC001 there is no store; SEC002, SEC003 a path that is none, or another tenant's.
    """
    if declared and mount is None:
        names = ", ".join(sorted(declared))
        raise AtomError(codes.NOT_CONFIGURED, f"the package reads {names}, and no secret store is configured")
    for name in declared:
        place_of(str(mount), tenant_id, declared, name)
