"""What every action has at hand: the handler's configuration, the cluster, the log, the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.kubernetes.calls import Call, Object, Patience
from atomctl.kubernetes.connection import Cluster
from atomctl.kubernetes.kinds import Kind, Kinds, objects_in
from atomctl.kubernetes.references import Reference, listing, reference_to
from atomctl.runs.steps import codes
from atomctl.runs.steps.kubernetes.model import Grounds, ObjectChange

_UNITS: Final = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours"}


@dataclass(frozen=True, slots=True)
class Action:
    """One handler's action in progress, or the preview of one.

    Attributes:
        config: the handler's configuration, rendered.
        folder: the verified package; manifests lie below it.
        say: takes a line for the log of the step.
        grounds: None in a probe, which must not change anything.
        changes: what was changed; filled as it happens.
    """

    config: Mapping[str, Json]
    cluster: Cluster
    kinds: Kinds
    folder: Path
    patience: Patience
    say: Callable[[str], None]
    grounds: Grounds | None = None
    changes: list[ObjectChange] = field(default_factory=list)

    @property
    def name(self) -> str:
        """`config.action`."""
        return str(self.config["action"])

    def text(self, field_: str) -> str | None:
        """A text of the configuration; None if it is not set.

        Raises:
            AtomError: RUN651 it is something else, or empty.
        """
        value = self.config.get(field_)
        if value is None:
            return None
        if not isinstance(value, str) or not value:
            raise AtomError(codes.BAD_CONFIG, f"{field_} is {value!r}, not a text")
        return value

    def number(self, field_: str, least: int, most: int) -> int | None:
        """A whole number of the configuration, also from a template that gave it as a text; None if it is not set.

        Raises:
            AtomError: RUN651 it is none, or outside the bounds.
        """
        value = self.config.get(field_)
        if value is None:
            return None
        if isinstance(value, str) and value.strip().isdecimal():
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise AtomError(codes.BAD_CONFIG, f"{field_} is {value!r}, not a whole number from {least} to {most}")
        return value

    def since(self) -> timedelta | None:
        """`config.since` as a duration; None if it is not set.

        Raises:
            AtomError: RUN651 it is none.
        """
        text = self.text("since")
        if text is None:
            return None
        digits = text.rstrip("msh")
        unit = _UNITS.get(text[len(digits) :])
        if unit is None or not digits.isdecimal() or len(digits) > 6:
            raise AtomError(codes.BAD_CONFIG, f"since is {text!r}, not a duration such as 30s or 5m")
        return timedelta(**{unit: int(digits)})

    def kind(self, default: str | None = None) -> Kind:
        """The kind of `config.kind`.

        Raises:
            AtomError: RUN651 none is named, KUB012 the cluster does not know it.
        """
        name = self.text("kind") or default
        if name is None:
            raise AtomError(codes.BAD_CONFIG, f"{self.name} needs a kind")
        return self.kinds.find(name, self.text("api_version"), self.patience)

    def namespace(self, kind: Kind) -> str | None:
        """The namespace that is named; None for cluster-wide kinds.

        Raises:
            AtomError: RUN651 the kind lives in namespaces and none is named: no default is assumed.
        """
        if not kind.namespaced:
            return None
        namespace = self.text("namespace")
        if namespace is None:
            raise AtomError(codes.BAD_CONFIG, f"a {kind.name} lies in a namespace, and none is named")
        return namespace

    def references(self, kind: Kind) -> list[Reference]:
        """The objects that are meant: the one of the name, or those the selector matches now, in order of names.

        Raises:
            AtomError: RUN651 neither a name nor a selector; KUB011 the selector matches nothing.
        """
        namespace = self.namespace(kind)
        if (name := self.text("name")) is not None:
            return [Reference(kind, namespace, name)]
        found = [reference_to(kind, item) for item in self.selected(kind)]
        return sorted(found, key=lambda reference: reference.name)

    def selected(self, kind: Kind) -> list[Object]:
        """The objects that the selector matches now.

        Raises:
            AtomError: RUN651 there is no selector.
        """
        selector = self.text("selector")
        if selector is None:
            raise AtomError(codes.BAD_CONFIG, f"{self.name} needs a name or a selector")
        return self.listed(listing(kind, self.namespace(kind), labels=selector))

    def read(self, reference: Reference) -> Object:
        """The object as it is now.

        Raises:
            AtomError: KUB011 it is not there; KUB001 to KUB017.
        """
        return self.ask(reference.call("GET"))

    def ask(self, call: Call) -> Object:
        """The answer to a call, which the log mentions if it changes something."""
        return self.cluster.ask(call, self.patience)

    def listed(self, call: Call) -> list[Object]:
        """The objects of a list, each with its kind, which lists leave out."""
        answer = self.ask(call)
        kind, version = str(answer.get("kind", "")).removesuffix("List"), answer.get("apiVersion")
        return [{"apiVersion": version, "kind": kind, **item} for item in objects_in(answer)]
