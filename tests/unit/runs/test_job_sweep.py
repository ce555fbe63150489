"""Which Jobs nobody needs any more."""

from __future__ import annotations

from atomctl.db.ids import new_id
from atomctl.runs.job_sweep import SweptJob, orphans
from atomctl.runs.model import AttemptState


def test_a_job_is_an_orphan_unless_its_attempt_is_still_open() -> None:
    tenant_id = new_id()
    jobs = [SweptJob(f"job-{number}", tenant_id, new_id()) for number in range(4)]
    states = {
        jobs[0].attempt_id: AttemptState.STARTED,
        jobs[1].attempt_id: AttemptState.SUCCEEDED,
        jobs[2].attempt_id: AttemptState.LOST,
    }
    assert orphans(jobs, states) == jobs[1:]


def test_the_jobs_of_a_tenant_of_another_installation_are_left_alone() -> None:
    assert orphans([SweptJob("job", new_id(), new_id())], None) == []
