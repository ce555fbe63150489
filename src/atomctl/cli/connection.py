"""The settings of this call and the client they lead to."""

from __future__ import annotations

from collections.abc import Mapping

from atomctl.cli import codes, contexts
from atomctl.cli.invocation import current
from atomctl.client import Client
from atomctl.errors import AtomError
from atomctl.settings import Settings, load_settings


def settings_in_force(flags: Mapping[str, object] | None = None) -> Settings:
    """Flags over environment over the chosen context over defaults.

    Raises:
        AtomError: CLI004 a context was named and there is none of that name; CFG0xx as `load_settings`.
    """
    home = load_settings(flags).home
    wanted = current().context_name
    name = wanted or contexts.current_name(home)
    file = contexts.find(home, name) if name else None
    if wanted and file is None:
        known = ", ".join(contexts.names(home)) or "none"
        raise AtomError(codes.NO_CONTEXT, f"no context {wanted!r}; there are: {known}")
    return load_settings(flags, context_file=file)


def open_client() -> Client:
    """A client for the chosen instance and identity; use it as a context manager.

    Raises:
        AtomError: CLI004 no instance is known.
    """
    settings = settings_in_force()
    if settings.api_url is None:
        raise AtomError(codes.NO_CONTEXT, f"no context is chosen and no instance was started in {settings.home}")
    return Client(settings.api_url, contexts.read_token(settings))
