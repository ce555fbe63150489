"""A package under a name of its own, signed by a key that the deployment trusts for that name alone."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from tests.acceptance.smoke.crowd import Crowd
from tests.acceptance.smoke.deployment import Part

_NAME = re.compile(r"^  name: .*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Signed:
    """A package that is signed by a key that this deployment trusts for it, and not yet published."""

    name: str
    file: str
    key_id: str
    unsigned: str
    """What the command said when it was pushed without its signature."""


@contextmanager
def signed_package(crowd: Crowd, source: Path) -> Iterator[Signed]:
    """A copy of the package, renamed and signed. Nothing trusts its key afterwards."""
    name = f"smoke-{uuid4().hex[:8]}"
    ada = crowd[Part.AUTHOR]
    copy = crowd.work / name
    shutil.copytree(source, copy)
    (copy / "wpk.yaml").write_text(_NAME.sub(f"  name: {name}", (copy / "wpk.yaml").read_text(), count=1))
    ada("pack", name, "--out", f"{name}.wpk")
    unsigned = ada.refused("push", f"{name}.wpk", code="TRU201", expect=10)
    key_id = ada.json("keys", "generate", "--out", name)["name"]
    ada("keys", "register", f"{name}.pub", "--for", name)
    _second_trust(crowd)
    ada("sign", f"{name}.wpk", "--key", f"{name}.key")
    try:
        yield Signed(name, f"{name}.wpk", key_id, unsigned)
    finally:
        _forget(crowd, name, key_id)


def _forget(crowd: Crowd, name: str, key_id: str) -> None:
    ada, why = crowd[Part.AUTHOR], "the smoke suite is over"
    ada("trust", "retire", key_id, "--reason", why, "--yes")
    rules = ada.json("trust", "show")["document"]
    kept = [rule for rule in rules["rules"] if rule["names"] != [name]]
    (crowd.work / "rules.json").write_text(json.dumps({**rules, "rules": kept}))
    ada("trust", "set", "rules.json", "--reason", why)
    _second_trust(crowd)


def _second_trust(crowd: Crowd) -> None:
    """The second person agrees to what the author has proposed, unless it was in force at once (the first time)."""
    me = crowd[Part.AUTHOR].json("auth", "status")["principal"]["id"]
    bob = crowd[Part.APPROVER]
    for approval in bob.json("approvals")["items"]:
        if approval["kind"] == "trust_rules" and approval["requested_by"] == me:
            bob("approve", approval["id"], "--comment", "for the smoke suite")
