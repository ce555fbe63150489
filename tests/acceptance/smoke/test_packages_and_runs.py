"""From an upload to a run that has ended."""

from __future__ import annotations

from tests.acceptance.smoke.crowd import Crowd
from tests.acceptance.smoke.deployment import Deployment, Part
from tests.acceptance.smoke.signing import Signed
from tests.acceptance.smoke.story import Published, Story


def test_an_unsigned_upload_is_refused(signed: Signed) -> None:
    assert "error[TRU201]" in signed.unsigned


def test_a_signed_upload_is_accepted_and_decided(published: Published) -> None:
    package = published.document
    assert package["state"] == "accepted"
    assert package["verdict"]["accepted"] is True
    assert 0 <= package["score"] <= 100
    assert package["decision"]["outcome"] == "require_approval"
    assert package["decision"]["reasons"]


def test_the_same_bytes_are_no_second_version(crowd: Crowd, signed: Signed, published: Published) -> None:
    again = crowd[Part.AUTHOR].json("push", signed.file)
    assert again["created"] is False
    assert again["digest"] == published.document["digest"]


def test_the_plan_says_who_must_agree(story: Story) -> None:
    assert [step["name"] for step in story.plan["plan"]["steps"]] == ["greet", "hear"]
    assert sum(place["count"] for place in story.plan["approvals_needed"]) >= 1


def test_a_run_waits_for_a_second_person_who_is_bound_to_what_was_planned(story: Story) -> None:
    assert story.waiting["state"] == "AWAITING_APPROVAL"
    assert "error[APR502]" in story.own_vote
    assert story.approval["state"] == "approved"
    assert story.approval["bound"]["plan"] == story.plan["digest"] == story.ended["plan_digest"]


def test_the_run_ends_well_and_its_steps_were_kept_apart(deployment: Deployment, story: Story) -> None:
    assert story.ended["state"] == "SUCCEEDED", story.ended
    steps = {step["name"]: step for step in story.ended["steps"]}
    assert steps["greet"]["outputs"] == {"greeting": "hello smoke"}
    for step in steps.values():
        (attempt,) = step["attempts"]
        assert attempt["isolation"] in deployment.isolation
        assert attempt["exit_code"] == 0


def test_its_log_is_there(crowd: Crowd, story: Story) -> None:
    lines = {item["step"]: item["text"] for item in crowd[Part.AUDITOR].json("logs", story.id)["items"]}
    assert lines["hear"] == "heard: hello smoke"
    user, token = lines["greet"].split(", ")
    assert user != "user 0"
    assert token == "token no"
