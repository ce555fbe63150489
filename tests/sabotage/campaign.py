"""`make sabotage`: the product is broken on purpose, and exactly the control that is named for it must fail.

Each patch in `patches/` says which control it breaks, and which of its probes must notice. Patches are applied together
to a scratch copy of the tree, as many as break different probes; since every single probe must see what it should, none
can hide behind another. Rounds run side by side, each on servers of its own.
`python -m tests.sabotage.campaign NAME...` applies each of the named patches alone.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.sabotage.outages import survivors
from tests.servers.deployment import ROOT, instance, scratch
from tests.servers.foreground import MISSING
from tests.servers.process import StartError
from tests.servers.stack import running

from atomctl.controls.catalog import CONTROLS
from atomctl.errors import AtomError
from atomctl.telemetry.logs import configure

PATCHES = Path(__file__).parent / "patches"
TEAMS = 2
"""Rounds in which all patches are applied: those of controls with odd numbers, then the others."""
_SIDE_BY_SIDE = 3
"""A broken product mostly waits, for an alert that never comes."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One passage of a file and what takes its place."""

    file: Path
    old: str
    new: str

    def apply(self, tree: Path) -> None:
        """The file in `tree` is broken afterwards.

        Raises:
            ValueError: the passage is not there, or more than once: the patch no longer fits the source.
        """
        text = (tree / self.file).read_text()
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file} holds {text.count(self.old)} times: {self.old!r}")
        (tree / self.file).write_text(text.replace(self.old, self.new))


@dataclass(frozen=True, slots=True)
class Patch:
    """One way to break the product: the control that must fail, and its probes that must notice."""

    name: str
    control: str
    breaks: frozenset[str]
    edits: tuple[Edit, ...]


def patches() -> list[Patch]:
    """All patches, by name."""
    return [_read(file) for file in sorted(PATCHES.glob("*.toml"))]


def _read(file: Path) -> Patch:
    found = tomllib.loads(file.read_text())
    edits = tuple(Edit(Path(edit["file"]), edit["old"], edit["new"]) for edit in found["edit"])
    return Patch(file.stem, found["control"], frozenset(found["breaks"]), edits)


def teams(every: Sequence[Patch]) -> Iterator[list[Patch]]:
    """The patches in as few rounds as there have to be: in each, half of the controls must still pass."""
    numbers = {control.name: control.number for control in CONTROLS}
    for remainder in reversed(range(TEAMS)):
        if team := [patch for patch in every if numbers[patch.control] % TEAMS == remainder]:
            yield team


@contextmanager
def broken_tree(folder: Path, team: Iterable[Patch]) -> Iterator[Path]:
    """A copy of the source with the patches applied."""
    tree = folder / "tree"
    shutil.copytree(ROOT / "src", tree / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "examples", tree / "examples")
    try:
        for patch in team:
            for edit in patch.edits:
                edit.apply(tree)
        yield tree
    finally:
        shutil.rmtree(tree)


def unnoticed(document: Mapping[str, Any], team: Iterable[Patch]) -> Iterator[str]:
    """What a check of the broken product should have said and did not."""
    expected: dict[str, set[str]] = {}
    for patch in team:
        expected.setdefault(patch.control, set()).update(patch.breaks)
    for control in document["controls"]:
        wanted = "FAIL" if control["name"] in expected else "PASS"
        if control["verdict"] != wanted:
            yield f"{control['name']} is {control['verdict']}, {wanted} was expected"
        wrong = {probe["name"]: probe for probe in control["probes"] if probe["seen"] != probe["expected"]}
        for name in wrong.keys() ^ expected.get(control["name"], set()):
            said = f"saw {wrong[name]['seen']!r} {wrong[name]['error'] or ''}" if name in wrong else "noticed nothing"
            yield f"{control['name']}: the probe '{name}' {said}"


def _round(folder: Path, team: Sequence[Patch]) -> list[str]:
    """What a check of the product broken by the team did not say, on servers of its own."""
    started = time.monotonic()
    with (
        running(folder, targets=()) as stack,
        broken_tree(folder, team) as tree,
        instance(stack, folder / "round", tree) as program,
    ):
        done = program("controls", "check", "-o", "json")
    try:
        complaints = list(unnoticed(json.loads(done.stdout), team))
    except ValueError:
        complaints = [f"the check broke: {done.stderr[-2000:]}"]
    names = "".join(f"  {patch.name}\n" for patch in team)
    broken = sorted({patch.control for patch in team})
    told = "; ".join(complaints) or f"noticed, by {', '.join(broken)} and no other"
    print(f"{len(team)} patches, {time.monotonic() - started:.0f} s: {told}\n{names}", end="", flush=True)
    return complaints


def _outages(folder: Path) -> list[str]:
    print("servers stop in the middle of a check", flush=True)
    with running(folder, targets=()) as stack:
        return survivors(stack, folder / "outages")


def main() -> int:
    """0 if all was noticed, 1 if something was not, 3 if this machine lacks a server."""
    configure("error", json=False)  # a pool that says each second that its server has stopped says nothing new
    every = {patch.name: patch for patch in patches()}
    wanted = sys.argv[1:]
    rounds = [[every[name]] for name in wanted] if wanted else list(teams(list(every.values())))
    parts: list[Callable[[Path], list[str]]] = [partial(_round, team=team) for team in rounds]
    parts += [] if wanted else [_outages]
    print(f"{sum(map(len, rounds))} patches in {len(rounds)} rounds, side by side", flush=True)
    try:
        with scratch("atomctl-sabotage-") as folder, ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
            places = [folder / f"part-{number}" for number, _ in enumerate(parts)]
            for place in places:
                place.mkdir(mode=0o711)
            complaints = [line for lines in pool.map(lambda part, place: part(place), parts, places) for line in lines]
    except (StartError, AtomError, OSError, ValueError, *MISSING) as error:
        print(f"error: {error}", file=sys.stderr)
        return 3 if isinstance(error, MISSING) else 1
    print(f"{len(complaints)} complaints")
    return int(bool(complaints))


if __name__ == "__main__":
    sys.exit(main())
