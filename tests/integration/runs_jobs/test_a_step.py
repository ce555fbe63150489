"""What a shell step finds, may do and hands back as a Kubernetes Job."""

from __future__ import annotations

import json

from tests.integration.runs_jobs.job_bench import JobBench, outputs_of
from tests.servers.waiting import wait_until

from atomctl.runs.steps import codes as step_codes
from atomctl.runs.steps.jobs import codes
from atomctl.runs.steps.jobs.execution import discard

REPORT = """
import json, os, pathlib
package = pathlib.Path(os.environ["ATOM_PACKAGE"])
secret = pathlib.Path(os.environ["ATOM_SECRET_TOKEN_FILE"])
def writable(path):
    try:
        pathlib.Path(path).write_text("x")
    except OSError:
        return False
    return True
seen = {
    "cwd": os.getcwd(),
    "uid": os.getuid(),
    "pid_is_1": os.getpid() == 1,
    "data": (package / "data" / "notes.txt").read_text(),
    "executable": os.access(package / "scripts" / "report.py", os.X_OK),
    "notes_executable": os.access(package / "data" / "notes.txt", os.X_OK),
    "param": os.environ["ATOM_PARAM_WHO"],
    "env": os.environ["GREETING"],
    "secret": secret.read_text() == "s3cret-value",
    "secret_in_environment": any("s3cret-value" in value for value in os.environ.values()),
    "token": os.path.exists("/var/run/secrets/kubernetes.io"),
    "package_writable": writable(package / "x"),
    "root_writable": writable("/x"),
    "home_writable": writable(os.environ["HOME"] + "/x"),
}
with open(os.environ["ATOM_OUTPUT"], "a") as out:
    out.write(json.dumps(seen) + "\\n")
print("the secret is", secret.read_text())
"""


def test_a_step_finds_its_package_its_parameters_and_its_secrets_and_little_else(bench: JobBench) -> None:
    bench.write("scripts/report.py", "#!/usr/bin/python3\n" + REPORT, executable=True)
    bench.write("data/notes.txt", "read me\n")
    request = bench.request(
        config={"script": "scripts/report.py"},
        parameters={"who": "$(HOME) and $$ and ${x}"},
        env={"GREETING": "a $(PATH) b"},
        secrets={"token": "s3cret-value"},
    )

    result = bench.execute(request)

    assert outputs_of(result) == {
        "cwd": "/package",
        "uid": 65534,
        "pid_is_1": False,
        "data": "read me\n",
        "executable": True,
        "notes_executable": False,
        "param": "$(HOME) and $$ and ${x}",
        "env": "a $(PATH) b",
        "secret": True,
        "secret_in_environment": False,
        "token": False,
        "package_writable": False,
        "root_writable": False,
        "home_writable": True,
    }
    assert result.isolation == "job"
    assert result.exit_code == 0
    assert bench.log.said == "the secret is ***\n"
    assert "is not pinned by a digest" in bench.log.text
    assert "s3cret-value" not in json.dumps(bench.jobs() + bench.pods())
    discard(bench.key(request), bench.place)
    wait_until(bench.nothing_left, "the Job and all it owned are gone")


def test_a_step_that_fails_says_how(bench: JobBench) -> None:
    result = bench.run("echo before; exit 3")

    assert (result.outcome, result.exit_code, result.code) == ("failed", 3, step_codes.EXIT_STATUS)
    assert bench.log.said == "before\n"


def test_a_program_that_is_not_there_was_not_started(bench: JobBench) -> None:
    result = bench.execute(bench.request(config={"command": ["no-such-program"]}))

    assert (result.outcome, result.code) == ("failed", step_codes.NOT_STARTED)
    assert result.error is not None
    assert "no-such-program" in result.error


def test_outputs_that_fill_the_termination_message_are_refused_and_not_cut(bench: JobBench) -> None:
    result = bench.run(
        """i=0; while [ $i -lt 500 ]; do echo "{\\"a$((i % 50))\\": $i}" >> $ATOM_OUTPUT; i=$((i+1)); done"""
    )

    assert (result.outcome, result.code) == ("failed", codes.OUTPUT_LIMIT)


def test_outputs_that_are_no_text_are_refused(bench: JobBench) -> None:
    result = bench.run("head -c 300 /dev/urandom > $ATOM_OUTPUT")

    assert (result.outcome, result.code) == ("failed", step_codes.BAD_OUTPUTS)


def test_every_line_is_there_once_and_in_order(bench: JobBench) -> None:
    count = 20_000

    result = bench.run(f"i=0; while [ $i -lt {count} ]; do echo line $i; i=$((i+1)); done; printf 'no end'")

    assert result.outcome == "succeeded"
    assert bench.log.said == "".join(f"line {number}\n" for number in range(count)) + "no end\n"
