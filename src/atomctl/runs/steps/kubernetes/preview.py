"""What the cluster says a run would do: a dry run by the API server of every change that is known beforehand.

The preview is part of what people approve: its digest is bound by the approval, and a step whose object is not in the
state of the preview any more is refused. A change whose values come from other steps is decided later, which the
preview says; the state its object is in is bound all the same, if it is known which object that is.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from atomctl.canonical import Digest, Json, digest_json
from atomctl.errors import AtomError
from atomctl.kubernetes import codes as cluster_codes
from atomctl.kubernetes.calls import Patience
from atomctl.kubernetes.kinds import SECRET
from atomctl.kubernetes.objects import differences, mapping, state_digest
from atomctl.runs.steps.kubernetes.action import Action
from atomctl.runs.steps.kubernetes.actions import mutations_of
from atomctl.runs.steps.kubernetes.grounds import ground_of
from atomctl.runs.steps.kubernetes.model import Grounds, ObjectChange
from atomctl.runs.steps.kubernetes.mutation import Mutation, predict, read_or_none
from atomctl.runs.steps.kubernetes.place import Place

SCHEMA: Final = "atom.preview/v1"
READING: Final = frozenset({"get", "rollout-status", "wait", "logs", "events"})
"""Actions that change nothing, of which there is nothing to preview."""


class Certainty(enum.StrEnum):
    """What is known beforehand about a step's change."""

    CHANGES = "changes"
    NOTHING = "nothing"
    """Every object is already as the step wants it."""
    LATER = "decided_later"
    """Its values come from other steps or from secrets, or its object from an earlier step."""
    PROBLEM = "problem"
    """It would be refused as things are; whether it runs is decided later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A k8s step as the plan has it; `config` is rendered as far as the parameters allow."""

    step: str
    config: Mapping[str, Json]
    conditional: bool
    """Whether it is decided later if it runs at all."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The document and its digest."""

    document: dict[str, Json]
    digest: Digest = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", digest_json(self.document))


class _NoLedger:
    def intend(self, change: ObjectChange) -> None:
        raise AssertionError(f"a preview changes nothing, and it was about to change {change.words}")


def preview_of(steps: list[Planned], place: Place, folder: Path, owner: str, patience: Patience) -> Preview | None:
    """What the steps would change, in their order; None if none of them changes anything.

    Args:
        steps: the k8s steps of the plan that are not skipped.
        place: the cluster.
        folder: the package's files.
        owner: the run's id, under which a restart is known.
        patience: for all of it.

    Raises:
        AtomError: a step that is certain to run would be refused, and by what: KUB001 to KUB029, RUN651.
    """
    entries: list[Json] = []
    touched: set[str] = set()
    for planned in steps:
        if planned.config.get("action") in READING:
            continue
        grounds = Grounds(owner=f"{owner}/{planned.step}", try_number=1, ledger=_NoLedger())
        action = Action(planned.config, place.cluster, place.kinds, folder, patience, lambda _: None, grounds)
        entries.append(_Entry(planned, action, touched).made())
    return Preview({"schema": SCHEMA, "steps": entries}) if entries else None


@dataclass(frozen=True, slots=True)
class _Entry:
    """The preview of one step. `touched` are the objects that the steps before it change; it adds its own."""

    planned: Planned
    action: Action
    touched: set[str]

    def made(self) -> Json:
        open_ = sorted(name for name, value in self.planned.config.items() if _unknown(value))
        if any(name in {"namespace", "name", "kind", "api_version", "selector", "manifest"} for name in open_):
            return self._entry(Certainty.LATER, None, f"{', '.join(open_)}: from other steps")
        try:
            objects = self._later(open_) if open_ else [self._object(each) for each in self._mutations()]
        except AtomError as error:
            return self._refused(error)
        if open_:
            return self._entry(Certainty.LATER, objects, f"{', '.join(open_)}: from other steps or secrets")
        idle = all(item["differences"] == [] for item in objects)
        return self._entry(Certainty.NOTHING if idle else Certainty.CHANGES, objects)

    def _mutations(self) -> list[Mutation]:
        return mutations_of(self.action) or []

    def _object(self, mutation: Mutation) -> dict[str, Json]:
        predicted = predict(self.action, mutation)
        found = self._described(mutation, predicted.before)
        if mutation.readable:
            after = predicted.after
            found["after"] = str(state_digest(after)) if after is not None else None
            found["differences"] = [each.to_json() for each in differences(predicted.before, after)]
        else:
            found["differences"] = _keys_of_secret(self.planned.config)
        return found

    def _later(self, open_: list[str]) -> list[dict[str, Json]]:
        """The objects as they are now, which is known although what becomes of them is not."""
        kind = self.action.kind()
        references = self.action.references(kind)
        expressions: list[Json] = [
            {"path": name, "before": "", "after": str(self.planned.config[name])[:300]} for name in open_
        ]
        shown = _keys_of_secret(self.planned.config) if kind == SECRET else expressions
        found: list[dict[str, Json]] = []
        for reference in references:
            before = None if kind == SECRET else read_or_none(self.action, reference, may_be_absent=False)
            found.append(
                {
                    "object": str(reference),
                    "ground": None if kind == SECRET else ground_of(self.action.name, before),
                    "before": None if before is None else str(state_digest(before)),
                    "after": None,
                    "differences": shown,
                }
            )
        self.touched.update(str(reference) for reference in references)
        return found

    def _described(self, mutation: Mutation, before: object) -> dict[str, Json]:
        words = str(mutation.reference)
        known = before if isinstance(before, dict) else None
        self.touched.add(words)
        return {
            "object": words,
            "ground": ground_of(self.action.name, known) if mutation.readable else None,
            "before": str(state_digest(known)) if known is not None else None,
            "after": None,
        }

    def _refused(self, error: AtomError) -> Json:
        """What an earlier step is yet to bring about is no problem; what may not run at all is one to be told of.

        Neither names an object, so that the step may change none but what the run itself has made by then.
        """
        if error.code is cluster_codes.NOT_FOUND and self._may_come():
            return self._entry(Certainty.LATER, [], f"an earlier step may make it: {error.why}")
        if self.planned.conditional and not error.code.retryable:
            return self._entry(Certainty.PROBLEM, [], f"{error.code.id}: {error.why}")
        raise error

    def _may_come(self) -> bool:
        kind, name = self.planned.config.get("kind"), self.planned.config.get("name")
        return any(words.startswith(f"{kind} ") and words.endswith(f"{name}") for words in self.touched)

    def _entry(self, certainty: Certainty, objects: list[dict[str, Json]] | None, why: str | None = None) -> Json:
        return {
            "step": self.planned.step,
            "action": self.action.name,
            "certainty": certainty.value,
            "why": why,
            "objects": None if objects is None else [dict(item) for item in objects],
        }


def _unknown(value: Json) -> bool:
    """Whether a template is left in the value that reads what is not known yet."""
    if isinstance(value, dict):
        return any(_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(_unknown(item) for item in value)
    return isinstance(value, str) and "${{" in value


def _keys_of_secret(config: Mapping[str, Json]) -> list[Json]:
    """All that is shown of a Secret: which keys are written."""
    content = config.get("patch") or config.get("manifest")
    written = content if isinstance(content, dict) else {}
    keys = sorted({*mapping(written, "data"), *mapping(written, "stringData")})
    return [{"path": f"data.{key}", "before": "(not shown)", "after": "(set)"} for key in keys]
