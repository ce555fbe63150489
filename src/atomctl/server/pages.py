"""Keyset pages: a list goes on behind the last item seen, however much is added meanwhile."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Query

from atomctl.errors import AtomError
from atomctl.server import codes

LARGEST = 200

Item = TypeVar("Item")
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Paging:
    """Where a page begins and how long it may be."""

    after: str | None
    limit: int

    def key(self, read: Callable[[str], Key]) -> Key | None:
        """What the cursor stands for, read by `read`; None at the beginning.

        Raises:
            AtomError: API014 it is no cursor of this list.
        """
        if self.after is None:
            return None
        try:
            padded = self.after + "=" * (-len(self.after) % 4)
            return read(base64.b64decode(padded, altchars=b"-_", validate=True).decode())
        except (binascii.Error, ValueError) as error:
            raise AtomError(codes.BAD_CURSOR, f"{self.after[:80]!r}") from error

    @property
    def fetch(self) -> int:
        """How many items to ask for: one more than the page holds, which says whether there is a next one."""
        return self.limit + 1

    def cut(self, found: Sequence[Item], key: Callable[[Item], object]) -> tuple[Sequence[Item], str | None]:
        """The page out of `fetch` items, and the cursor of the next page if there is one."""
        page = found[: self.limit]
        return page, cursor(key(page[-1])) if len(found) > self.limit else None


def cursor(key: object) -> str:
    """An opaque text that stands for the key of an item."""
    return base64.urlsafe_b64encode(str(key).encode()).rstrip(b"=").decode()


def paging(
    after: Annotated[str | None, Query(max_length=400, description="The `next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST, description="How many items at most.")] = 50,
) -> Paging:
    """The page a request asks for."""
    return Paging(after, limit)


PagingOf = Annotated[Paging, Depends(paging)]
