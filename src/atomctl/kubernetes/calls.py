"""One question to an API server, and how long its answer is waited for."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from atomctl.canonical import Json

Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Object: TypeAlias = dict[str, Json]
"""A Kubernetes object as the API server says it: nothing is added and nothing left out."""

FIELD_MANAGER: Final = "atomctl"
"""Who holds what ATOM applies, in `metadata.managedFields`."""

JSON: Final = "application/json"
APPLY: Final = "application/apply-patch+yaml"
MERGE_PATCH: Final = "application/merge-patch+json"
STRATEGIC_PATCH: Final = "application/strategic-merge-patch+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request; `what` says it in words for errors, such as `patch Deployment shop/web`. Never a secret value."""

    method: Method
    path: str
    what: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Json = field(default=None, repr=False)
    content_type: str = JSON


def dry_run(call: Call) -> Call:
    """The same call, of which the server says what would happen and does nothing.

    A DELETE says so in its body: beside one, the server ignores the query and would delete.
    """
    if call.method == "DELETE":
        options = call.body if isinstance(call.body, dict) else {"apiVersion": "v1", "kind": "DeleteOptions"}
        return dataclasses.replace(call, body={**options, "dryRun": ["All"]})
    return dataclasses.replace(call, query={**call.query, "dryRun": "All"})


class GivenUpError(Exception):
    """Waiting ended because the step was cancelled; nothing more is asked."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long somebody is ready to wait.

    Attributes:
        deadline: on the monotonic clock.
        cancelled: ends all waiting at the next opportunity: at once between two questions, within the answer time of
            one otherwise.
    """

    deadline: float
    cancelled: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def of(cls, seconds: float, cancelled: threading.Event | None = None) -> Patience:
        """Patience that ends so many seconds from now."""
        return cls(time.monotonic() + seconds, cancelled or threading.Event())

    @property
    def left(self) -> float:
        """Seconds until the deadline; 0 after it."""
        return max(0.0, self.deadline - time.monotonic())

    @property
    def over(self) -> bool:
        """Whether the deadline has passed."""
        return self.left <= 0.0

    def pause(self, seconds: float) -> None:
        """Waits, not beyond the deadline.

        Raises:
            GivenUpError: it was cancelled.
        """
        if self.cancelled.wait(min(seconds, self.left)):
            raise GivenUpError

    def check(self) -> None:
        """Returns if nothing was cancelled.

        Raises:
            GivenUpError: it was.
        """
        if self.cancelled.is_set():
            raise GivenUpError
