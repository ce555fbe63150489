from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from atomctl.runs.steps import codes
from atomctl.runs.steps.model import IsolationLevel, Limits, Outcome

SECRET = "correct horse battery staple"


def test_a_step_reads_parameters_and_hands_outputs_on(bench: Any) -> None:
    result = bench.run(
        """
        echo "restarting $ATOM_PARAM_HOST"
        printf '{"host": "%s"}\\n' "$ATOM_PARAM_HOST" >> "$ATOM_OUTPUT"
        echo '{"count": 3}' >> "$ATOM_OUTPUT"
        """,
        parameters={"host": "web-1; rm -rf /"},
    )
    assert result.outcome is Outcome.SUCCEEDED
    assert result.outputs == {"host": "web-1; rm -rf /", "count": 3}
    assert "restarting web-1; rm -rf /\n" in bench.log.text()
    assert result.exit_code == 0
    assert result.started <= result.ended
    assert result.started.tzinfo is not None


def test_stdout_and_stderr_keep_their_names(bench: Any) -> None:
    bench.run("echo out; echo err >&2")
    assert b"".join(data for stream, data in bench.log.pieces if stream == "stdout") == b"out\n"
    assert b"".join(data for stream, data in bench.log.pieces if stream == "stderr").endswith(b"err\n")


def test_a_failing_step_says_its_exit_code(bench: Any) -> None:
    result = bench.run("exit 7")
    assert (result.outcome, result.exit_code, result.code) == (Outcome.FAILED, 7, codes.EXIT_STATUS)


def test_a_step_killed_by_a_signal_says_which(bench: Any) -> None:
    result = bench.run("kill -SEGV $$")
    assert result.exit_code == 139
    assert "SIGSEGV" in (result.error or "")


def test_malformed_outputs_fail_the_step(bench: Any) -> None:
    result = bench.run("echo count=3 >> $ATOM_OUTPUT")
    assert (result.outcome, result.code) == (Outcome.FAILED, codes.BAD_OUTPUTS)
    assert result.outputs == {}


def test_boundless_outputs_fail_the_step(bench: Any) -> None:
    result = bench.run("yes '{\"a\": 1}' | head -c 100000 >> $ATOM_OUTPUT")
    assert (result.outcome, result.code) == (Outcome.FAILED, codes.BAD_OUTPUTS)


def test_a_secret_reaches_the_step_by_file_and_leaves_it_masked(bench: Any) -> None:
    result = bench.run(
        """
        cat "$ATOM_SECRET_DB_PASSWORD_FILE"; echo
        base64 "$ATOM_SECRET_DB_PASSWORD_FILE"
        od -An -tx1 -v "$ATOM_SECRET_DB_PASSWORD_FILE" | tr -d ' \\n'; echo
        env | grep -c 'correct horse'
        printf '{"leak": "%s", "%s": 1}\\n' "$(cat "$ATOM_SECRET_DB_PASSWORD_FILE")" key >> "$ATOM_OUTPUT"
        """,
        secrets={"db_password": SECRET},
    )
    text = bench.log.text()
    assert result.outputs == {"leak": "***", "key": 1}
    for shape in (SECRET, "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBs", SECRET.encode().hex()):
        assert shape not in text
    assert text.splitlines()[-1] == "0"  # nothing of it in the environment


def test_the_step_has_no_input_to_wait_for(bench: Any) -> None:
    assert bench.run('read line; test -z "$line"').outcome is Outcome.SUCCEEDED


def test_the_package_cannot_be_changed(sandboxed: Any) -> None:
    result = sandboxed.run("touch /package/new || echo 'x' >> scripts/step.sh; echo '{}' >> /run/atom/other")
    assert result.outcome is Outcome.FAILED
    text = sandboxed.log.text()  # the script belongs to a root worker, and then to nobody the step could be
    assert text.count("Read-only file system") + text.count("Permission denied") == 3


def test_a_program_that_does_not_exist_fails_the_step(bench: Any) -> None:
    result = bench.run({"command": ["no-such-program"]})
    assert result.outcome is Outcome.FAILED
    assert "no-such-program" in bench.log.text() + (result.error or "")


def test_an_attempt_id_is_used_once(bench: Any) -> None:
    folder = bench.site.attempt_folder(bench.attempt_id)
    folder.mkdir()
    result = bench.run("true")
    assert (result.outcome, result.code) == (Outcome.REFUSED, codes.ALREADY_ATTEMPTED)


def test_nothing_is_left_of_an_attempt(bench: Any) -> None:
    name = f"atom-{bench.attempt_id}"
    bench.run("true", secrets={"a": SECRET})
    assert list(bench.site.scratch.iterdir()) == []
    for hierarchy in bench.site.hierarchies:
        assert not (hierarchy.folder / name).exists()


def test_a_huge_log_keeps_head_and_tail(sandboxed: Any) -> None:
    result = sandboxed.run(
        "echo first; head -c 3000000 /dev/zero | tr '\\0' x; echo last", limits=Limits(log_bytes=100_000)
    )
    text = sandboxed.log.text()
    assert text.startswith("first\n")
    assert text.endswith("last\n")
    assert len(text) < 101_000
    assert result.log_bytes_dropped == 3_000_000 + len("first\nlast\n") - 100_000


def test_what_the_log_cannot_take_ends_the_step(sandboxed: Any) -> None:
    class Full:
        def write(self, stream: str, data: bytes) -> None:
            raise OSError(28, "No space left on device")

    sandboxed.log = Full()
    with pytest.raises(OSError, match="No space left"):
        sandboxed.run("echo x; exec sleep 4242")
    assert list(sandboxed.site.scratch.iterdir()) == []


def test_an_unisolated_attempt_says_so_in_its_result_and_first_in_its_log(unisolated: Any) -> None:
    result = unisolated.run("id -u")
    assert result.isolation is IsolationLevel.NONE
    assert unisolated.log.text().startswith("atom: WARNING isolation: none (switched off by the test)")
    assert unisolated.log.text().splitlines()[-1] != "0"


def test_an_unisolated_step_is_refused_where_its_user_cannot_reach_the_package(unisolated: Any, tmp_path: Path) -> None:
    shut = tmp_path / "package"
    shut.mkdir()
    tmp_path.chmod(0o700)
    unisolated.package = shut
    result = unisolated.run("true")
    if tmp_path.stat().st_uid == 0:
        assert (result.outcome, result.code) == (Outcome.REFUSED, codes.UNREACHABLE_FOLDER)
    else:
        assert result.outcome is Outcome.SUCCEEDED
