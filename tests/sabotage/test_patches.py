"""The patches fit the source as it is, and every control has one."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from tests.sabotage.campaign import Patch, patches, teams, unnoticed
from tests.servers.deployment import ROOT

from atomctl.controls.catalog import CONTROLS

EVERY = patches()


@pytest.mark.parametrize("patch", EVERY, ids=lambda patch: patch.name)
def test_a_patch_fits_the_source_and_names_probes_that_exist(patch: Patch) -> None:
    for edit in patch.edits:
        assert (ROOT / edit.file).read_text().count(edit.old) == 1, edit.file
    (control,) = [control for control in CONTROLS if control.name == patch.control]
    assert patch.breaks <= {probe.name for probe in control.probes}
    assert patch.breaks


def test_every_control_is_broken_in_some_way() -> None:
    assert {patch.control for patch in EVERY} == {control.name for control in CONTROLS}
    assert len(CONTROLS) == 12


def test_no_two_patches_of_a_round_break_the_same_probe() -> None:
    for team in teams(EVERY):
        broken = Counter((patch.control, name) for patch in team for name in patch.breaks)
        assert set(broken.values()) == {1}
        assert {patch.control for patch in team} < {control.name for control in CONTROLS}


def check(**verdicts: tuple[str, dict[str, bool]]) -> dict[str, Any]:
    """A check's document with these verdicts, and whether each probe saw what was expected."""
    return {
        "controls": [
            {
                "name": name,
                "verdict": verdict,
                "probes": [
                    {"name": probe, "seen": "a", "expected": "a" if good else "b", "error": None}
                    for probe, good in probes.items()
                ],
            }
            for name, (verdict, probes) in verdicts.items()
        ]
    }


@pytest.mark.parametrize(
    ("document", "complaints"),
    [
        (check(one=("FAIL", {"p": False, "q": True}), two=("PASS", {"r": True})), 0),
        (check(one=("PASS", {"p": True, "q": True}), two=("PASS", {"r": True})), 2),
        (check(one=("FAIL", {"p": False, "q": False}), two=("PASS", {"r": True})), 1),
        (check(one=("FAIL", {"p": True, "q": False}), two=("PASS", {"r": True})), 2),
        (check(one=("FAIL", {"p": False, "q": True}), two=("FAIL", {"r": False})), 2),
        (check(one=("FAIL", {"p": False, "q": True}), two=("BLOCKED", {})), 1),
    ],
    ids=["as it should be", "not noticed", "one too many", "another probe", "another control", "not all was checked"],
)
def test_what_a_campaign_complains_about(document: dict[str, Any], complaints: int) -> None:
    team = [Patch("a patch", "one", frozenset({"p"}), ())]
    assert len(list(unnoticed(document, team))) == complaints
