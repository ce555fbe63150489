"""An attempt whose worker is gone: its Job is found by its name, and seen to its end as if nothing had happened."""

from __future__ import annotations

import dataclasses

from tests.integration.runs_jobs.job_bench import JobBench, Log, outputs_of
from tests.servers.waiting import wait_until

from atomctl.kubernetes.calls import Patience
from atomctl.runs.steps.jobs import manifests
from atomctl.runs.steps.jobs.drafting import draft
from atomctl.runs.steps.jobs.execution import Traced
from atomctl.runs.steps.model import Halt

COUNT = """i=0; while [ $i -lt 20 ]; do echo line $i; i=$((i+1)); sleep 0.1; done; echo '{"n": 20}' >> $ATOM_OUTPUT"""


def test_a_worker_that_lets_go_leaves_the_job_to_the_next_one(bench: JobBench) -> None:
    request = bench.request(COUNT)
    with bench.running(request) as results:
        bench.wait_for_line("line 3\n")
        bench.cancelled.leave = True
        bench.cancelled.set()
    assert results[0].outcome == "cancelled"
    bench.cancelled, log = Halt(), Log()

    traced = bench.trace(request, log)

    assert traced.result is not None
    assert outputs_of(traced.result) == {"n": 20}
    assert log.said == "".join(f"line {number}\n" for number in range(20))
    assert log.text.startswith(bench.log.text), (
        "what the first worker stored is a beginning of what the second one reads"
    )
    assert len(bench.jobs()) == 1


def test_a_job_that_ended_while_nobody_looked_is_read_with_its_secrets_masked(bench: JobBench) -> None:
    request = bench.request("cat $ATOM_SECRET_TOKEN_FILE; exit 4", secrets={"token": "hide-this-one"})
    first = bench.execute(request)

    log = Log()
    traced = bench.trace(request, log)

    assert traced.result is not None
    assert (traced.result.outcome, traced.result.exit_code) == ("failed", 4)
    assert traced.result.started == first.started
    assert log.said == bench.log.said == "***\n"


def test_without_the_secrets_that_mask_it_a_job_counts_as_not_found(bench: JobBench) -> None:
    request = bench.request("cat $ATOM_SECRET_TOKEN_FILE", secrets={"token": "hide-this-one"})
    bench.execute(request)
    bench.must("delete", "secret", manifests.secret_name(bench.key(request).job))

    log = Log()

    assert bench.trace(request, log) == Traced()
    assert log.text == ""


def test_a_job_that_was_made_and_never_let_start_is_deleted_and_nothing_ran(bench: JobBench) -> None:
    request = bench.request("echo up")
    bench.place.desk.create(manifests.job(draft(request, bench.place)), Patience.of(10.0))

    traced = bench.trace(request, bench.log)

    assert traced == Traced(never_started=True)
    wait_until(bench.nothing_left, "nothing is left")
    assert bench.log.text == ""


def test_an_attempt_without_a_job_is_not_found(bench: JobBench) -> None:
    assert bench.trace(bench.request("true"), bench.log) == Traced()


def test_the_job_of_another_attempt_is_never_taken_for_ones_own(bench: JobBench) -> None:
    request = bench.request("echo mine")
    bench.execute(request)
    double = dataclasses.replace(request, tenant_id=request.run_id)

    assert bench.trace(double, Log()) == Traced()
    assert bench.execute(double).outcome == "refused"
    assert len(bench.jobs()) == 1


def test_a_repeat_of_the_same_attempt_starts_no_second_job(bench: JobBench) -> None:
    request = bench.request("date +%s%N")

    first, second = bench.execute(request), bench.execute(request)

    assert first.started == second.started
    assert len(set(bench.log.said.split())) == 1
    assert len(bench.pods()) == 1
