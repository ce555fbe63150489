"""How a control is judged. Pure: what was declared and what was seen in, one word out.

PASS needs everything: every probe that was declared ran, saw exactly what was expected, and left evidence; and there
was at least one probe of each side. Whatever else happened is a FAIL, except that a control is BLOCKED when something
it needs was missing and nothing wrong was seen. Nothing is ever a PASS because evidence is absent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from atomctl.controls.model import Missing, ProbeResult, Side, Verdict
from atomctl.errors import ExitCode


def judge(expected: Collection[str], probes: Sequence[ProbeResult], missing: Sequence[Missing]) -> Verdict:
    """The verdict on a control.

    Args:
        expected: the names of the probes that had to run.
        probes: what those that ran saw.
        missing: what the control needs and was not there, before or afterwards.
    """
    if any(deviated(probe) for probe in probes):
        return Verdict.FAIL
    if missing:
        return Verdict.BLOCKED
    ran = [probe.name for probe in probes]
    whole = sorted(ran) == sorted(expected) and {probe.side for probe in probes} == set(Side)
    return Verdict.PASS if whole and all(holds(probe) for probe in probes) else Verdict.FAIL


def holds(probe: ProbeResult) -> bool:
    """Whether the probe saw what was expected, to the word, and has evidence of having asked."""
    return probe.error is None and probe.seen == probe.expected and bool(probe.exchanges)


def deviated(probe: ProbeResult) -> bool:
    """Whether the probe got an answer and it was another than expected: no outage explains that away."""
    return probe.error is None and probe.seen != probe.expected


def exit_code(verdicts: Iterable[Verdict]) -> ExitCode:
    """0 if all pass, 1 if any fails or there is none, 3 if some are blocked and none fails."""
    found = set(verdicts)
    if Verdict.FAIL in found or not found:
        return ExitCode.NO
    return ExitCode.SERVICE if Verdict.BLOCKED in found else ExitCode.OK
