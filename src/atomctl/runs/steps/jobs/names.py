"""What the Job of an attempt is called, and the labels it is found by. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

PREFIX: Final = "atomctl/"
RUN: Final = f"{PREFIX}run"
TENANT: Final = f"{PREFIX}tenant"
ATTEMPT: Final = f"{PREFIX}attempt"
STEP: Final = f"{PREFIX}step"
NETWORK: Final = f"{PREFIX}network"
PROBE: Final = f"{PREFIX}probe"
MANAGED: Final = "app.kubernetes.io/managed-by"
MANAGER: Final = "atomctl"
ALL_STEPS: Final = f"{MANAGED}={MANAGER},{ATTEMPT}"
"""The label selector of the Jobs and Pods of all steps."""

_STEP_LENGTH: Final = 24
_NOT_IN_A_LABEL: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_NOT_IN_A_NAME: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptKey:
    """Which attempt of which step of whose run."""

    tenant_id: UUID
    run_id: UUID
    step: str
    attempt_id: UUID
    probe: bool = False
    """A question about a lost attempt: it has no attempt row, and its Job is deleted by whoever asked."""

    @property
    def job(self) -> str:
        """`atom-<run>-<step>-<attempt>`: at most 55 characters, so that Pods and labels can carry it whole.

        Of the ids it has the last 12 digits, which are random in a UUIDv7; the labels have all of them.
        """
        step = _NOT_IN_A_NAME.sub("-", self.step.lower()).strip("-")[:_STEP_LENGTH].strip("-") or "step"
        return f"atom-{self.run_id.hex[-12:]}-{step}-{self.attempt_id.hex[-12:]}"

    def labels(self, *, network: bool) -> dict[str, str]:
        """The labels of the Job, its Pod and everything it owns."""
        labels = {
            "app.kubernetes.io/name": "atom-step",
            MANAGED: MANAGER,
            TENANT: str(self.tenant_id),
            RUN: str(self.run_id),
            ATTEMPT: str(self.attempt_id),
            STEP: _NOT_IN_A_LABEL.sub("-", self.step)[:63].strip("-_."),
            NETWORK: "declared" if network else "none",
        }
        return labels | ({PROBE: "true"} if self.probe else {})


def owner_of(labels: Mapping[str, object]) -> tuple[UUID, UUID] | None:
    """The tenant and the attempt that an object's labels name; None if they name none."""
    try:
        return UUID(str(labels.get(TENANT))), UUID(str(labels.get(ATTEMPT)))
    except ValueError:
        return None
