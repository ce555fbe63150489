"""What belongs to another tenant is, for whoever asks, not there."""

from __future__ import annotations

import httpx
from tests.acceptance.smoke.crowd import Crowd
from tests.acceptance.smoke.deployment import Deployment, Part
from tests.acceptance.smoke.story import Published, Story

MADE_UP = "01980000-0000-7000-8000-ffffffffffff"


def test_a_foreign_id_answers_exactly_like_one_that_does_not_exist(
    deployment: Deployment, crowd: Crowd, published: Published, story: Story
) -> None:
    crowd[Part.STRANGER]
    entry = crowd[Part.AUDITOR].json("audit", "log", "--run", story.id, "--limit", "1")["items"][0]["id"]
    things = {
        "runs/{}": story.id,
        "runs/{}/plan": story.id,
        "runs/{}/logs": story.id,
        "approvals/{}": story.waiting["approval_id"],
        "audit/entries/{}/proof": entry,
        "packages/{}/1.0.0": published.name,
        "packages/{}/1.0.0/archive": published.name,
        "workflows/{}": published.name,
    }
    headers = {"authorization": f"Bearer {crowd.tokens[Part.STRANGER]}"}
    with httpx.Client(base_url=f"{deployment.base_url}/api/v1/", headers=headers, trust_env=False) as eve:
        for path, thing in things.items():
            absent = "smoke-absent" if thing == published.name else MADE_UP
            foreign, nothing = eve.get(path.format(thing)), eve.get(path.format(absent))
            assert foreign.status_code == nothing.status_code == 404, path
            assert foreign.text.replace(thing, "ID") == nothing.text.replace(absent, "ID"), path


def test_a_strangers_lists_do_not_hold_it(crowd: Crowd, published: Published, story: Story) -> None:
    eve = crowd[Part.STRANGER]
    assert published.name not in {item["name"] for item in eve.json("list")["items"]}
    assert story.id not in {item["id"] for item in eve.json("runs", "list")["items"]}
