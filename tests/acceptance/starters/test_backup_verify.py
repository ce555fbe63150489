"""backup-verify: a sample is restored and compared; what is not as it was saved, or is too old, is reported."""

from __future__ import annotations

import pytest
from tests.acceptance.starters.backups import back_up
from tests.acceptance.starters.story import Starter
from tests.acceptance.starters.surroundings import Surroundings

FILES = {f"table-{number}.csv": f"id,amount\n{number},{number * 7}\n".encode() * 1000 for number in range(20)}

PATIENCE = {
    "attempts: 3, backoff: 10s": "attempts: 2, backoff: 1s",
    "attempts: 2, backoff: 30s": "attempts: 2, backoff: 1s",
}
"""How long the user wants to wait before the server is asked again."""


@pytest.fixture(scope="module")
def starter(around: Surroundings) -> Starter:
    back_up(around.backups, "daily", FILES)
    back_up(around.backups, "weekly", FILES, damaged="table-7.csv")
    back_up(around.backups, "forgotten", FILES, age_hours=90)
    authority = {"files/ca.pem": around.authority.read_text()}
    return around.starter("backup-verify", "backups", "pushgateway", changes=PATIENCE, files=authority)


def reported(around: Surroundings, metric: str, backup_set: str) -> float | None:
    return around.pushgateway.value(metric, job="backup-verify", backup_set=backup_set)


def test_a_sample_is_restored_and_reported_without_asking_anybody(around: Surroundings, starter: Starter) -> None:
    ended = starter.run(sample_size=5)
    assert ended.plan["approvals_needed"] == []
    assert ended.state == "SUCCEEDED", ended.document
    assert ended.log.count("is what was saved") == 5
    assert reported(around, "backup_verify_success", "daily") == 1
    assert reported(around, "backup_verify_files", "daily") == 5
    assert reported(around, "backup_verify_bytes", "daily") == ended.step("restore-sample")["outputs"]["bytes"] > 0


def test_one_file_that_is_not_what_was_saved_is_reported(around: Surroundings, starter: Starter) -> None:
    ended = starter.run(backup_set="weekly", sample_size=100)
    assert ended.state == "ROLLED_BACK", ended.document
    assert "table-7.csv differs" in ended.log
    assert ended.step("report-failure")["state"] == "SUCCEEDED"
    assert reported(around, "backup_verify_success", "weekly") == 0


def test_a_backup_that_is_too_old_counts_as_missing(around: Surroundings, starter: Starter) -> None:
    ended = starter.run(backup_set="forgotten")
    assert ended.state == "ROLLED_BACK", ended.document
    assert ended.step("read-index")["error"]["code"] == "RUN674"
    assert reported(around, "backup_verify_success", "forgotten") == 0
