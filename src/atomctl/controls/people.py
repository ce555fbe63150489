"""Throw-away tenants and the people in them: made through the reviewed path, gone afterwards but for the audit log."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

import atomctl
from atomctl.access import service as access
from atomctl.access.issuer import EmbeddedIssuer
from atomctl.access.model import Role
from atomctl.controls.codes import UNEXPECTED_ANSWER
from atomctl.controls.notebook import Notebook
from atomctl.controls.site import Site
from atomctl.db import queries
from atomctl.db.ids import new_id
from atomctl.db.session import Sessions
from atomctl.errors import AtomError

LIFETIME = timedelta(minutes=30)
"""Of a probe's token: longer than any control takes, and then it opens nothing any more."""
SERVER = "atomctl server"
_SECONDS = 30.0
_sql: Any = queries.load(__file__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said."""

    status: int
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            AtomError: CTL902 it is none.
        """
        try:
            found = json.loads(self.body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise AtomError(UNEXPECTED_ANSWER, f"status {self.status}, and no JSON object: {self.body[:200]!r}")
        return found

    @property
    def seen(self) -> str:
        """The answer in a word: the refusal's code, else `ok`."""
        if 200 <= self.status < 300:
            return "ok"
        return str(self.document.get("code", f"status {self.status}"))

    def granted(self) -> bytes:
        """The body of a success.

        Raises:
            AtomError: CTL902 it was refused.
        """
        if self.seen != "ok":
            raise AtomError(UNEXPECTED_ANSWER, f"{self.seen}: {self.document.get('detail', '')}")
        return self.body

    def must(self) -> dict[str, Any]:
        """The document of a success.

        Raises:
            AtomError: CTL902 it was refused, or is no JSON object.
        """
        self.granted()
        return self.document


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a token of one tenant, who speaks to the API as any client does."""

    url: str
    token: str = field(repr=False)
    book: Notebook

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, **params: Any) -> Answer:
        """The answer to a request below `/api/v1/`.

        Raises:
            httpx.HTTPError: nothing answers.
        """
        content = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        address = f"{self.url}/api/v1/{path}"
        answer = httpx.request(
            method, address, params=params, content=content, headers=headers, timeout=_SECONDS, trust_env=False
        )
        request = f"{method} {answer.request.url.raw_path.decode()}\n".encode() + (content or b"")
        self.book.note(SERVER, atomctl.__version__, request, f"{answer.status_code}\n".encode() + answer.content)
        return Answer(answer.status_code, answer.content)

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """The document at `path`.

        Raises:
            AtomError: CTL902 it was refused.
        """
        return self.ask("GET", path, **params).must()

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The document that answers.

        Raises:
            AtomError: CTL902 it was refused.
        """
        return self.ask("POST", path, body or {}).must()


@dataclass(frozen=True, slots=True)
class ProbeTenant:
    """A throw-away tenant."""

    id: UUID
    name: str
    site: Site
    book: Notebook

    def person(self, name: str, *roles: Role) -> Person:
        """Somebody of this tenant, by a token of the embedded issuer."""
        assert self.site.api_url is not None, "a control that has people needs the API"
        token = EmbeddedIssuer(self.site.issuer_key).issue(self.id, name, roles, LIFETIME)
        return Person(self.site.api_url, token, self.book)


@contextmanager
def probe_tenants(site: Site, book: Notebook) -> Iterator[Callable[[], ProbeTenant]]:
    """Makes throw-away tenants when called; their rows are gone afterwards, their audit entries stay.

    Raises:
        AtomError: DBA0xx the database cannot be reached.
    """
    made: list[ProbeTenant] = []
    with Sessions(site.address, min_size=0, max_size=2, name="atomctl controls") as sessions:

        def make() -> ProbeTenant:
            tenant = ProbeTenant(new_id(), f"probe-{secrets.token_hex(4)}", site, book)
            with sessions.tenant(tenant.id) as connection:
                access.ensure_tenant(connection, tenant.id, tenant.name)
            made.append(tenant)
            return tenant

        def entries() -> list[str]:
            found = []
            for tenant in made:
                with sessions.tenant(tenant.id) as connection:
                    found += [str(row["entry_id"]) for row in _sql.audit_entry_ids(connection, tenant_id=tenant.id)]
            return found

        try:
            with book.following(entries):
                yield make
        finally:
            for tenant in made:
                with sessions.tenant(tenant.id) as connection:
                    _sql.remove_probe_tenant(connection)
