"""Nothing passes by absence: of probes, of evidence, of one side, of a server."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.controls.conftest import CONTROL, GOOD, VAULT, saw

from atomctl.controls.model import Missing, ProbeResult, Side, Verdict
from atomctl.controls.verdict import exit_code, judge
from atomctl.errors import ExitCode

NAMES = [probe.name for probe in CONTROL.probes]
POSITIVE, NEGATIVE = GOOD


def verdict(*probes: ProbeResult, missing: tuple[Missing, ...] = ()) -> Verdict:
    return judge(NAMES, probes, missing)


def test_both_sides_as_expected_pass() -> None:
    assert verdict(*GOOD) is Verdict.PASS


@pytest.mark.parametrize(
    "probes",
    [
        (),
        (POSITIVE,),
        (NEGATIVE,),
        (POSITIVE, saw(Side.NEGATIVE, "ok")),
        (POSITIVE, saw(Side.NEGATIVE, "another refusal")),
        (saw(Side.POSITIVE, "REFUSED"), NEGATIVE),
        (POSITIVE, saw(Side.NEGATIVE, None, "TimeoutError: not done within 60 s")),
        (POSITIVE, saw(Side.NEGATIVE, "REFUSED", "an error all the same")),
        (POSITIVE, saw(Side.NEGATIVE, None)),
        (POSITIVE, saw(Side.NEGATIVE, "REFUSED", exchanges=())),
        (POSITIVE, NEGATIVE, NEGATIVE),
        (POSITIVE, saw(Side.NEGATIVE, "REFUSED", name="another probe")),
        (POSITIVE, replace(NEGATIVE, side=Side.POSITIVE)),
    ],
    ids=[
        "no probe at all",
        "the negative control is missing",
        "the positive probe is missing",
        "what must fail succeeded",
        "it failed for another reason",
        "what may work was refused",
        "it took too long",
        "it saw the right thing and broke",
        "it saw nothing",
        "without evidence",
        "one ran twice",
        "one nobody declared",
        "no negative side",
    ],
)
def test_every_deviation_fails(probes: tuple[ProbeResult, ...]) -> None:
    assert verdict(*probes) is Verdict.FAIL


def test_what_is_missing_blocks_and_never_passes() -> None:
    assert verdict(missing=(VAULT,)) is Verdict.BLOCKED
    assert verdict(*GOOD, missing=(VAULT,)) is Verdict.BLOCKED
    assert verdict(POSITIVE, saw(Side.NEGATIVE, None, "API001: nothing answers"), missing=(VAULT,)) is Verdict.BLOCKED


def test_a_wrong_answer_is_not_explained_away_by_an_outage() -> None:
    assert verdict(POSITIVE, saw(Side.NEGATIVE, "ok"), missing=(VAULT,)) is Verdict.FAIL


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([Verdict.PASS, Verdict.PASS], ExitCode.OK),
        ([Verdict.PASS, Verdict.BLOCKED], ExitCode.SERVICE),
        ([Verdict.BLOCKED, Verdict.FAIL, Verdict.PASS], ExitCode.NO),
        ([], ExitCode.NO),
    ],
)
def test_the_exit_code_says_the_worst(verdicts: list[Verdict], expected: ExitCode) -> None:
    assert exit_code(verdicts) is expected
