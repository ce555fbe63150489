"""The plan of a run: what will happen, in which order, with which values, as far as it can be known. Pure.

The plan is what people approve: its digest is bound by the approval and compared again at the start of each segment.
Steps run one after another in the order of the plan, which satisfies every `needs` and otherwise keeps the manifest's
order.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from atomctl.canonical import Digest, Json, digest_json
from atomctl.errors import AtomError
from atomctl.runs import codes
from atomctl.runs.known import condition_now, render_known
from atomctl.runs.steps.abilities import refusal
from atomctl.wpk.model import Handler, HandlerType, Idempotency, Manifest, Retry, RuntimeType

if TYPE_CHECKING:
    from atomctl.runs.steps.kubernetes.preview import Preview
    from atomctl.wpk.archive import Package

SCHEMA = "atom.plan/v1"


class When(enum.StrEnum):
    """Whether a step will run, as far as the parameters tell."""

    RUNS = "runs"
    SKIPPED = "skipped"
    DECIDED_LATER = "decided_later"
    """The condition reads outputs of other steps."""


class ClusterQuestions(Protocol):
    """What is asked of the cluster before a run starts: `steps.kubernetes.checks.ClusterChecks`."""

    def require_permissions(self, manifest: Manifest, plan: Plan) -> None:
        """Returns if everything the plan needs is permitted."""

    def preview(self, package: Package, plan: Plan, run_id: UUID) -> Preview | None:
        """What the plan would do to objects of the cluster; None if it changes none."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the workers of this installation can carry out."""

    refusal: Callable[[HandlerType, RuntimeType], AtomError | None] = refusal
    secrets: str | None = None
    """The mount of the secret store; None: none is configured."""
    cluster: ClusterQuestions | None = None
    """Where k8s steps are carried out; None: no cluster is configured."""

    @classmethod
    def at(cls, cluster: ClusterQuestions | None, secrets: str | None) -> Abilities:
        """The abilities of an installation with this cluster and this secret store, or without them."""
        return cls(functools.partial(refusal, kubernetes=cluster is not None), secrets, cluster)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One handler as it will be executed; `config` is rendered as far as parameters allow."""

    name: str
    type: HandlerType
    needs: tuple[str, ...]
    when: When
    condition: str | None
    config: Mapping[str, Json]
    timeout: timedelta
    retry: Retry
    idempotency: Idempotency
    compensates: str | None = None
    missing: tuple[str, ...] = ()
    """What this installation lacks to execute it, in words; empty: it can."""

    def to_json(self) -> dict[str, Json]:
        """As it enters the plan's digest and is shown."""
        return {
            "name": self.name,
            "type": self.type.value,
            "needs": list(self.needs),
            "when": self.when.value,
            "condition": self.condition,
            "config": dict(self.config),
            "timeout_seconds": self.timeout.total_seconds(),
            "retry": {
                "max_attempts": self.retry.max_attempts,
                "backoff_seconds": self.retry.backoff.total_seconds(),
            },
            "idempotency": self.idempotency.value,
            "compensates": self.compensates,
            "missing": list(self.missing),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything a run is going to do."""

    name: str
    version: str
    package: Digest
    parameters: Mapping[str, Json]
    steps: tuple[PlannedStep, ...]
    rollback: tuple[PlannedStep, ...]
    digest: Digest = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", digest_json(self.to_json()))

    @property
    def missing(self) -> tuple[str, ...]:
        """`steps: what is missing`, each reason once with all the steps it stops here."""
        stopped: dict[str, list[str]] = {}
        for step in (*self.steps, *self.rollback):
            for what in step.missing:
                stopped.setdefault(what, []).append(step.name)
        return tuple(f"{', '.join(names)}: {what}" for what, names in stopped.items())

    def to_json(self) -> dict[str, Json]:
        """The document whose canonical JSON the digest is of."""
        return {
            "schema": SCHEMA,
            "package": {"name": self.name, "version": self.version, "digest": str(self.package)},
            "parameters": dict(self.parameters),
            "steps": [step.to_json() for step in self.steps],
            "rollback": [step.to_json() for step in self.rollback],
        }


def make_plan(manifest: Manifest, package: Digest, parameters: Mapping[str, Json], abilities: Abilities) -> Plan:
    """The plan of running this package with these parameters, which must already be validated and have their defaults.

    Raises:
        AtomError: RUN608 the handlers need each other in a circle, RUN609 a condition or template fails.
    """
    activation: dict[str, Json] = {"params": dict(parameters)}

    def planned(handler: Handler, *, undo: bool) -> PlannedStep:
        return _plan_step(handler, activation, missing_for(handler, manifest, abilities, undo=undo))

    rollback = manifest.rollback.handlers if manifest.rolls_back else ()
    return Plan(
        name=manifest.name,
        version=manifest.version,
        package=package,
        parameters=dict(parameters),
        steps=ordered(planned(handler, undo=False) for handler in manifest.handlers),
        rollback=ordered(planned(handler, undo=True) for handler in rollback),
    )


def missing_for(handler: Handler, manifest: Manifest, abilities: Abilities, *, undo: bool) -> tuple[str, ...]:
    """What an installation with these abilities lacks to execute the handler, in words; empty: nothing."""
    missing = []
    if handler.type is HandlerType.APPROVAL:
        return ("a rollback cannot wait for an approval",) if undo else ()
    if refused := abilities.refusal(handler.type, manifest.runtime.type):
        missing.append(refused.why)
    return tuple(missing)


def ordered(steps: Iterable[PlannedStep]) -> tuple[PlannedStep, ...]:
    """The steps so that each comes after those it needs, else in the order given; needs outside the set are met.

    Raises:
        AtomError: RUN608 there is no such order.
    """
    waiting = list(steps)
    names = {step.name for step in waiting}
    done: dict[str, PlannedStep] = {}
    while waiting:
        free = next((step for step in waiting if all(n in done or n not in names for n in step.needs)), None)
        if free is None:
            circle = ", ".join(step.name for step in waiting)
            raise AtomError(codes.CYCLE, f"among {circle} each needs another one first")
        waiting.remove(free)
        done[free.name] = free
    return tuple(done.values())


def _plan_step(handler: Handler, activation: Mapping[str, Json], missing: tuple[str, ...]) -> PlannedStep:
    decided = condition_now(handler.when, activation)
    config: Any = render_known(dict(handler.config), activation)
    return PlannedStep(
        name=handler.name,
        type=handler.type,
        needs=handler.needs,
        when=When.DECIDED_LATER if decided is None else When.RUNS if decided else When.SKIPPED,
        condition=handler.when,
        config=config,
        timeout=handler.timeout,
        retry=handler.retry,
        idempotency=handler.idempotency,
        compensates=handler.compensates,
        missing=missing,
    )
