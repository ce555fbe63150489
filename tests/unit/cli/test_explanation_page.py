"""How an explanation looks."""

from __future__ import annotations

from typing import Any

from atomctl.cli.explanation_page import next_lines, page

RUN = "01a20aa9-99f8-7b1e-a1c4-09c631c29526"
OLD = "01a20aa9-8d2b-7d0e-8a57-99b13c1ed8e9"
STEP = {
    "name": "deploy",
    "kind": "step",
    "type": "shell",
    "state": "COMPENSATED",
    "tries": 2,
    "exit_code": 7,
    "isolation": "bubblewrap",
    "started_at": "2026-07-01T12:00:00Z",
    "ended_at": "2026-07-01T12:00:05Z",
    "problem": {
        "why": "exit code 7",
        "code": "RUN655",
        "title": "the step ended with an exit code other than 0",
        "meaning": "The program ran and said itself that it failed.",
        "hint": f"atomctl logs {RUN} --step deploy    # what the step itself said",
    },
    "log": {"lines": ["no answer"], "more": True, "unreadable": None},
}
SINCE = {
    "run_id": OLD,
    "ended_at": "2026-07-01T09:00:00Z",
    "comparison": {
        "changes": [
            {"aspect": "package", "name": None, "before": "sha256:" + "a" * 64, "after": "sha256:" + "b" * 64},
            {"aspect": "parameters", "name": "replicas", "before": "2", "after": None},
        ],
        "same": ["decision", "environment"],
        "unrecorded": ["images"],
        "more": 0,
    },
}


def explanation(**given: Any) -> dict[str, Any]:
    return {
        "run_id": RUN,
        "workflow": "web",
        "version": "1.1.0",
        "state": "ROLLED_BACK",
        "dry_run": False,
        "requested_at": "2026-07-01T11:59:00.5Z",
        "started_at": "2026-07-01T12:00:00Z",
        "ended_at": "2026-07-01T12:01:30Z",
        "story": "Step deploy failed in 2 tries. What had been done was undone.",
        "problem": {"why": "step deploy: exit code 7", "code": None, "title": None, "meaning": None, "hint": None},
        "failing": [STEP],
        "at_work": None,
        "waits_for": None,
        "left_behind": [],
        "since_success": SINCE,
        "signals": [],
        "runbook": {"source": "README.md", "title": "When deploy fails", "text": "Ask the platform team."},
        "similar": None,
        "next": [{"command": f"atomctl logs {RUN} --step deploy", "why": "shows the whole log"}],
        **given,
    }


def test_a_failed_run_fits_on_one_screen() -> None:
    assert (
        page(explanation())
        == """\
run 31c29526  web@1.1.0  ROLLED_BACK
  Step deploy failed in 2 tries. What had been done was undone.
  requested     2026-07-01 11:59:00 UTC
  took          1m30s

step deploy  shell, failed, undone since, exit code 7, 2 tries, took 5s, isolation bubblewrap
  why           exit code 7
  code          RUN655: the step ended with an exit code other than 0
  meaning       The program ran and said itself that it failed.
  the end of its log:
  | no answer

changed since the last success (run 3c1ed8e9, 2h59m before it)
  package             sha256:aaaaaaaaaaaa  ->  sha256:bbbbbbbbbbbb
  parameter replicas  2                    ->  (none)
  the same      decision, environment
  not recorded  images

runbook  README.md, When deploy fails
  Ask the platform team."""
    )


def test_the_next_commands_stand_below_each_other_with_short_ids() -> None:
    commands = [
        {"command": f"atomctl logs {RUN} --step deploy", "why": "shows the whole log"},
        {"command": f"atomctl runs rerun {RUN}", "why": "asks again"},
    ]
    assert next_lines(explanation(next=commands)) == (
        "Next: atomctl logs 31c29526 --step deploy    shows the whole log\n"
        "      atomctl runs rerun 31c29526            asks again"
    )


def test_a_waiting_run_says_for_what_and_until_when_and_nothing_else() -> None:
    nothing: dict[str, Any] = {
        "failing": [],
        "since_success": None,
        "runbook": None,
        "problem": None,
        "started_at": None,
    }
    wait = {"kind": "votes", "text": "one vote", "since": "2026-07-01T11:59:00Z", "until": "2026-07-02T11:59:00Z"}
    found = page(explanation(**nothing, state="AWAITING_APPROVAL", story="It waits.", waits_for=wait, ended_at=None))
    assert found.splitlines()[2] == (
        "  waits for     one vote, since 2026-07-01 11:59:00 UTC, until 2026-07-02 11:59:00 UTC"
    )
    assert len(found.splitlines()) == 4


def test_why_a_run_was_cancelled_is_told_beside_the_step_that_had_failed() -> None:
    reason = {"why": "not today", "code": None, "title": None, "meaning": None, "hint": None}
    assert "  why           not today" in page(explanation(state="CANCELLED", problem=reason)).splitlines()
    assert "step deploy: exit code 7" not in page(explanation())


def test_a_log_that_cannot_be_read_and_a_missing_success_are_said() -> None:
    unreadable = {**STEP, "log": {"lines": [], "more": False, "unreadable": "RUN616: a chunk is gone"}}
    found = page(explanation(failing=[unreadable], since_success=None))
    assert "  log           cannot be read: RUN616: a chunk is gone" in found
    assert "no success of web before it to compare with" in found


def test_signals_tell_whether_they_name_the_run() -> None:
    signal = {
        "id": OLD,
        "kind": "failure_rate",
        "severity": "critical",
        "state": "open",
        "summary": "4 of the newest 10 runs of web failed; usual are 5%",
        "window_start": "2026-07-01T11:00:00Z",
        "window_end": "2026-07-01T12:00:00Z",
        "names_run": True,
    }
    found = page(explanation(signals=[signal, {**signal, "severity": "info", "names_run": False}])).splitlines()
    at = found.index("signals")
    assert found[at + 1] == "  3c1ed8e9  critical  open  4 of the newest 10 runs of web failed; usual are 5%"
    assert found[at + 2].endswith("usual are 5%  (about the same time)")


def test_similar_failures_say_what_ended_them_and_how_alike_they_are() -> None:
    run = {
        "run_id": OLD,
        "workflow": "web",
        "version": "1.0.0",
        "state": "FAILED",
        "ended_at": "2026-06-01T12:34:56Z",
        "step": "deploy",
        "cosine": 0.912,
        "coverage": 0.8,
        "fix": "rerun",
        "fixed_by": RUN,
        "said": "the registry was down",
        "differences": ["parameter replicas: 4 -> 2"],
    }
    by_words = {**run, "cosine": None, "fix": "none", "fixed_by": None, "said": None, "differences": []}
    similar = {"synced": True, "runs": [run, by_words], "words_alone": "EMB001: no model is here"}
    found = page(explanation(similar=similar)).splitlines()
    at = found.index("similar failures")
    assert found[at + 1 : at + 7] == [
        "  3c1ed8e9  web@1.0.0  step deploy  2026-06-01 12:34  (cosine 0.91)",
        "            fixed by the rerun 31c29526; somebody said: the registry was down",
        "            differs: parameter replicas: 4 -> 2",
        "  3c1ed8e9  web@1.0.0  step deploy  2026-06-01 12:34  (80% of the words)",
        "            nothing has succeeded since",
        "  words alone   EMB001: no model is here",
    ]


def test_an_index_without_past_runs_is_told_apart_from_one_without_similar_ones() -> None:
    nothing: dict[str, Any] = {"runs": [], "words_alone": None}
    missing = page(explanation(similar={"synced": False, **nothing}))
    assert "similar failures: past runs are not in the index; atomctl knowledge sync --runs" in missing
    assert "similar failures: no past run failed like this one" in page(
        explanation(similar={"synced": True, **nothing})
    )
