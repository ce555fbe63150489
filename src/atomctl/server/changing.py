"""Changes: done once for an `Idempotency-Key`, in one transaction with the answer that is kept for a repeat.

Of two requests with one key at a time the second waits for the first, and then gets its answer. A refused change keeps
nothing: the same request may be tried again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from atomctl.canonical import Digest, digest
from atomctl.db import queries
from atomctl.db.session import Connection
from atomctl.errors import AtomError
from atomctl.server import codes
from atomctl.server.acting import Caller, CallerOf

REPLAYED: Final = "Idempotency-Replayed"
_VISIBLE = frozenset(map(chr, range(0x21, 0x7F)))

_sql: Any = queries.load(__file__)


@dataclass(frozen=True, slots=True)
class Answer:
    """A document and the status it is answered with."""

    document: BaseModel
    status: int = 200


@dataclass(frozen=True, slots=True)
class Change:
    """One request that changes something."""

    caller: Caller
    route: str
    request: Digest
    key: str | None

    def once(self, do: Callable[[Connection], BaseModel | Answer]) -> Response:
        """What `do` answers, in the one transaction it runs in; or what it answered to the same key before.

        Raises:
            AtomError: API015 the key was used for another request, and whatever `do` raises.
        """
        with self.caller.transaction() as conn:
            kept = self._claim(conn)
            if kept is not None:
                return Response(bytes(kept["response"]), kept["status"], {REPLAYED: "true"}, "application/json")
            done = do(conn)
            answer = done if isinstance(done, Answer) else Answer(done)
            body = answer.document.model_dump_json(by_alias=True).encode()
            if self.key is not None:
                _sql.keep_answer(conn, **self._row(), status=answer.status, response=body)
            return Response(body, answer.status, media_type="application/json")

    def _claim(self, conn: Connection) -> dict[str, Any] | None:
        """The answer kept under the key; None if there is none, and then the key is this request's."""
        if self.key is None:
            return None
        _sql.forget_old(conn, tenant_id=self.caller.actor.tenant_id)
        if _sql.claim(conn, **self._row(), request_digest=self.request):
            return None
        kept: dict[str, Any] = _sql.kept_answer(conn, **self._row())
        if kept["request_digest"] != self.request:
            raise AtomError(codes.KEY_REUSED, f"key {self.key[:80]!r}")
        return kept

    def _row(self) -> dict[str, Any]:
        actor = self.caller.actor
        return {
            "tenant_id": actor.tenant_id,
            "principal_id": actor.principal_id,
            "key": self.key,
            "route": self.route,
        }


async def changing(
    request: Request,
    caller: CallerOf,
    idempotency_key: Annotated[
        str | None, Header(description="The same key and request again get the first answer and change nothing.")
    ] = None,
) -> Change:
    """The change a request asks for.

    Raises:
        AtomError: API016 the key is not 1 to 255 visible ASCII characters.
    """
    key = idempotency_key
    if key is not None and not (0 < len(key) <= 255 and _VISIBLE.issuperset(key)):
        raise AtomError(codes.BAD_KEY, f"{len(key)} characters")
    body = await request.body()
    return Change(caller, f"{request.method} {request.url.path}", digest(body), key)


ChangeOf = Annotated[Change, Depends(changing)]
