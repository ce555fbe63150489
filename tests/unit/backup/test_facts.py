"""What differs between a statement and a database is named."""

from uuid import UUID

from atomctl.audit.model import DEPLOYMENT
from atomctl.backup.facts import audit_facts, differences
from atomctl.backup.model import Facts

TENANT = UUID("01900000-0000-7000-8000-000000000001")
HEADS = [(TENANT, 3, b"a" * 32), (DEPLOYMENT, 2, b"b" * 32)]


def test_the_logs_are_summed_up_in_any_order() -> None:
    found = audit_facts(HEADS)
    assert (found.logs, found.size, found.deployment_size) == (2, 5, 2)
    assert found.deployment_root == (b"b" * 32).hex()
    assert audit_facts(HEADS[::-1]) == found


def test_a_changed_root_or_size_changes_the_sum() -> None:
    sums = {audit_facts(HEADS).root}
    sums.add(audit_facts([(TENANT, 3, b"c" * 32), HEADS[1]]).root)
    sums.add(audit_facts([(TENANT, 4, b"a" * 32), HEADS[1]]).root)
    sums.add(audit_facts(HEADS[:1]).root)
    assert len(sums) == 4


def test_no_logs_at_all_are_a_fact_too() -> None:
    found = audit_facts([])
    assert (found.logs, found.size, found.deployment_root) == (0, 0, "")


def test_each_difference_is_named() -> None:
    stated = Facts({"runs": 3, "tenants": 1, "gone": 0}, audit_facts(HEADS))
    found = Facts({"runs": 4, "tenants": 1, "new": 2}, audit_facts(HEADS[:1]))
    lines = differences(stated, found)
    assert lines[:3] == [
        "gone has no rows, the statement says 0",
        "new has 2 rows, the statement says none",
        "runs has 4 rows, the statement says 3",
    ]
    assert "3 entries in 1 logs" in lines[3]
    assert differences(stated, stated) == []
