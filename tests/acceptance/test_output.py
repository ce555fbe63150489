"""What a script relies on: data on standard output, talk beside it, exit codes, names, lines, completion."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess

import pytest
from tests.acceptance.command import PROGRAM, Atomctl


@pytest.fixture(scope="module")
def pushed(atomctl: Atomctl) -> str:
    """The name of a package that was pushed."""
    atomctl("init", "out-hello", "--from", "hello-atom")
    atomctl("pack", "out-hello", "--out", "out.wpk")
    atomctl("sign", "out.wpk", "--key", "atom.key")
    atomctl("push", "out.wpk")
    return "out-hello"


def at_a_terminal(atomctl: Atomctl, *arguments: str, typed: str = "", **env: str) -> tuple[int, str]:
    """The exit code, and all that a person sees who types `typed` at the questions."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        atomctl.argv(*arguments),
        cwd=atomctl.work,
        env={**atomctl.env, "TERM": "xterm", **env},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    seen = b""
    while select.select([ours], [], [], 30)[0]:
        try:
            chunk = os.read(ours, 4096)
        except OSError:  # the last one at the terminal has left
            break
        seen += chunk
    os.close(ours)
    return process.wait(30), seen.decode()


def test_a_run_is_requested_by_name_and_followed_by_its_id(atomctl: Atomctl, pushed: str) -> None:
    run = atomctl("run", pushed, "-o", "name").stdout.strip()
    assert atomctl.json("status", run)["state"] == "AWAITING_APPROVAL"
    assert run in atomctl("runs", "list", "-o", "name").stdout.split()
    assert atomctl("status", run[-8:], "-o", "name").stdout.strip() == run


def test_lines_of_json_are_one_document_each(atomctl: Atomctl, pushed: str) -> None:
    lines = atomctl("audit", "log", "--limit", "7", "-o", "jsonl").stdout.splitlines()
    assert len(lines) == 7
    assert {json.loads(line)["schema"] for line in lines} == {"atom.audit-entry/v1"}


def test_talk_stands_beside_the_data(atomctl: Atomctl, pushed: str) -> None:
    done = atomctl("run", pushed)
    assert len(done.stdout.split()) == 1
    assert "Next, as that person: atomctl approve" in done.stderr


def test_an_error_in_json_is_a_document_on_standard_error(atomctl: Atomctl) -> None:
    done = atomctl("status", "ffffffff", "-o", "json", expect=2)
    assert done.stdout == ""
    assert json.loads(done.stderr)["code"] == "CLI009"


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (("packages", "show", "absent@1.0.0"), "REG401", 1),
        (("run", "absent"), "REG402", 1),
        (("--context", "absent", "list"), "CLI004", 2),
        (("explain", "XYZ999"), "CLI003", 2),
        (("init", "x", "--from", "absent"), "CLI015", 2),
        (("run", "out-hello", "-p", "unknown=1"), "WPK121", 1),
        (("run", "out-hello", "-p", "novalue"), "CLI001", 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_each_refusal_has_its_code_and_exit_code(
    atomctl: Atomctl, pushed: str, arguments: tuple[str, ...], code: str, exit_code: int
) -> None:
    atomctl.refused(*arguments, code=code, expect=exit_code)


def test_ones_own_request_is_not_ones_to_approve(atomctl: Atomctl, pushed: str) -> None:
    run = atomctl("run", pushed, "-o", "name").stdout.strip()
    look = atomctl("approve", run, "--dry-run")
    assert "You may not vote on it." in look.stderr
    assert "sha256:" in look.stdout
    atomctl.refused("approve", run, code="APR502", expect=4)
    assert atomctl.json("status", run)["state"] == "AWAITING_APPROVAL"


def test_waiting_ends_with_its_own_code_when_time_is_up(atomctl: Atomctl, pushed: str) -> None:
    run = atomctl("run", pushed, "-o", "name").stdout.strip()
    done = atomctl("status", run, "--wait", "--timeout", "300ms", expect=8)
    assert "error[CLI008]" in done.stderr
    assert f"atomctl approve {run[-8:]}" in done.stderr


def test_colour_is_for_terminals_that_want_it(atomctl: Atomctl) -> None:
    assert "\033[" not in atomctl("doctor").stdout
    assert "\033[32m" in at_a_terminal(atomctl, "doctor")[1]
    assert "\033[" not in at_a_terminal(atomctl, "doctor", NO_COLOR="1")[1]


def test_what_cannot_be_taken_back_is_asked_at_a_terminal_and_needs_yes_elsewhere(
    atomctl: Atomctl, pushed: str
) -> None:
    yank = ("packages", "yank", f"{pushed}@1.0.0", "--reason", "wrong service")
    assert "add --yes" in atomctl.refused(*yank, code="CLI007", expect=1)
    code, seen = at_a_terminal(atomctl, *yank, typed="n\n")
    assert (code, "Yank it? [y/N]" in seen, "error[CLI007]" in seen) == (1, True, True)
    assert "Nothing was changed." in atomctl(*yank, "--dry-run").stderr
    assert atomctl.json("packages", "show", f"{pushed}@1.0.0")["state"] == "accepted"


def test_a_dry_run_leaves_nothing_behind(atomctl: Atomctl, pushed: str) -> None:
    before = sorted(path.name for path in atomctl.work.iterdir())
    atomctl("init", "never", "--dry-run")
    atomctl("pack", "out-hello", "--out", "never.wpk", "--dry-run")
    assert "Nothing was published" in atomctl("push", "out.wpk", "--dry-run").stderr
    assert sorted(path.name for path in atomctl.work.iterdir()) == before


def test_nothing_asked_for_is_answered_with_the_help(atomctl: Atomctl) -> None:
    assert "atomctl demo" in atomctl().stdout
    assert "list" in atomctl("runs").stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_completion_script(atomctl: Atomctl, shell: str) -> None:
    assert "_ATOMCTL_COMPLETE" in atomctl("completion", shell).stdout


@pytest.mark.parametrize(
    ("words", "known"), [("atomctl va", "validate"), ("atomctl packages y", "yank"), ("atomctl list --li", "--limit")]
)
def test_words_are_completed(atomctl: Atomctl, words: str, known: str) -> None:
    count = str(len(words.split()) - 1)
    asked = {"_ATOMCTL_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": count}
    done = atomctl(env=asked)
    assert known in {line.partition(",")[2] for line in done.stdout.splitlines()}


def test_a_reader_that_leaves_early_is_no_failure(atomctl: Atomctl) -> None:
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {PROGRAM} explain --list | head -1"],
        env=atomctl.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
