"""Who may not export, where nothing is written, and what verification says about a folder that was touched."""

from __future__ import annotations

import base64
import fcntl
import importlib.metadata
import json
import os
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.past_runs import Archive, ordinary
from tests.fakes.people import log_in
from tests.fakes.yard import Yard

from atomctl.access.model import Role
from atomctl.audit.envelope import sign_document
from atomctl.audit.keys import FileKey
from atomctl.audit.log import list_entries
from atomctl.dataset.manifest import PAYLOAD
from atomctl.dataset.model import Order
from atomctl.dataset.service import Delivery, Means, export_dataset
from atomctl.dataset.verify import verify_dataset
from atomctl.dataset.workspace import stored_file
from atomctl.db.ids import new_id
from atomctl.errors import AtomError

Export = Callable[..., Delivery]


def refused(what: Callable[[], Any]) -> str:
    with pytest.raises(AtomError) as caught:
        what()
    return caught.value.code.id


def actions(yard: Yard) -> list[tuple[Any, Any, Any]]:
    with yard.sessions.tenant(yard.tenant_id) as conn:
        found = [entry.entry for entry in list_entries(conn, yard.tenant_id)]
    return [(entry["action"], entry["result"], entry.get("code")) for entry in found]


def test_other_roles_are_refused_and_recorded(
    means: Means, yard: Yard, sequence: Callable[[], None], tmp_path: Path
) -> None:
    actor = log_in(yard.sessions, yard.tenant_id, "eve", Role.VIEWER, Role.AUTHOR, Role.OPERATOR, Role.APPROVER)
    order = Order(tenant_id=yard.tenant_id, since=date(2026, 7, 1))
    assert refused(lambda: export_dataset(means, actor, order, tmp_path / "out")) == "AUT020"
    assert not (tmp_path / "out").exists()
    sequence()
    assert actions(yard)[0] == ("dataset.export", "refused", "AUT020")


def test_another_tenant_is_refused_whether_it_exists_or_not(
    export: Export, make_tenant: Callable[[str], Any], tmp_path: Path
) -> None:
    for tenant_id in (make_tenant("other"), new_id()):
        assert refused(partial(export, tmp_path / "out", tenant_id=tenant_id)) == "DAT806"
    assert not (tmp_path / "out").exists()


def test_request_and_result_are_in_the_audit_log(
    archive: Archive, yard: Yard, sequence: Callable[[], None], export: Export, tmp_path: Path
) -> None:
    archive.add(*ordinary(5))
    sequence()
    made = export(tmp_path / "out").exported
    sequence()
    with yard.sessions.tenant(yard.tenant_id) as conn:
        done, asked = (entry.entry for entry in list_entries(conn, yard.tenant_id, limit=2))
    assert (asked["action"], done["action"]) == ("dataset.request", "dataset.export")
    assert done["digests"]["manifest"] == made.digest  # type: ignore[index,call-overload]  # a JSON document
    assert done["detail"]["rows"] == 5  # type: ignore[index,call-overload]  # a JSON document


def test_a_folder_that_is_not_for_it_is_left_alone(export: Export, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("all of it")
    assert refused(lambda: export(tmp_path)) == "DAT801"
    assert (tmp_path / "thesis.txt").read_text() == "all of it"
    assert not (tmp_path / ".atom-export").exists()
    assert refused(lambda: export(tmp_path / "thesis.txt" / "out")) == "DAT805"
    (tmp_path / "out").mkdir()
    descriptor = os.open(tmp_path / "out", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        assert refused(lambda: export(tmp_path / "out")) == "DAT803"
    finally:
        os.close(descriptor)


def test_days_that_are_none_and_a_watermark_to_come(export: Export, tmp_path: Path) -> None:
    assert refused(lambda: export(tmp_path / "out", until=date(2026, 7, 1))) == "DAT807"
    assert refused(lambda: export(tmp_path / "out", watermark=10**6)) == "DAT808"
    assert list((tmp_path / "out").iterdir()) == []


def test_other_options_do_not_mix_with_what_is_there(
    archive: Archive, sequence: Callable[[], None], export: Export, tmp_path: Path
) -> None:
    archive.add(*ordinary(5))
    sequence()
    export(tmp_path / "out")
    assert refused(lambda: export(tmp_path / "out", parameters=frozenset({"ticket"}))) == "DAT802"
    assert refused(lambda: export(tmp_path / "out", since=date(2026, 6, 1))) == "DAT802"
    assert refused(lambda: export(tmp_path / "out", watermark=1)) == "DAT802"


def test_without_pyarrow_parquet_is_refused_before_anything_is_written(
    export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    assert refused(lambda: export(tmp_path / "out")) == "DAT804"
    assert not (tmp_path / "out").exists()


@pytest.fixture
def finished(archive: Archive, sequence: Callable[[], None], export: Export, tmp_path: Path) -> Path:
    archive.add(*ordinary(6, every=timedelta(hours=12)))
    sequence()
    export(tmp_path / "out")
    return tmp_path / "out"


def code_of(folder: Path, key: FileKey) -> str:
    return refused(lambda: verify_dataset(folder, trusted=[key.vkey]).raise_if_broken())


def test_every_touch_is_noticed(finished: Path, audit_key: FileKey, export: Export) -> None:
    victim = next(finished.rglob("runs.jsonl"))
    data = victim.read_bytes()
    victim.write_bytes(data.replace(b"SUCCEEDED", b"FAILED   ", 1))
    assert code_of(finished, audit_key) == "DAT812"
    assert refused(lambda: export(finished)) == "DAT812"
    victim.unlink()
    assert code_of(finished, audit_key) == "DAT813"
    victim.write_bytes(data)
    (finished / "more.jsonl").write_bytes(data)
    assert code_of(finished, audit_key) == "DAT814"
    (finished / "more.jsonl").unlink()
    assert verify_dataset(finished, trusted=[audit_key.vkey]).findings == ()
    (finished / "manifest.dsse.json").unlink()
    assert code_of(finished, audit_key) == "DAT810"


def test_a_manifest_that_lies_is_noticed_whoever_signed_it(finished: Path, audit_key: FileKey) -> None:
    file = finished / "manifest.dsse.json"
    envelope = json.loads(file.read_bytes())
    document = json.loads(base64.b64decode(envelope["payload"]))
    other = json.dumps({**document, "watermark": document["watermark"] + 1}).encode()
    file.write_text(json.dumps({**envelope, "payload": base64.b64encode(other).decode()}))
    assert code_of(finished, audit_key) == "DAT811"

    # Signature and files fit, and still a row stands twice.
    listed = document["partitions"][0]["files"][0]
    victim = finished / listed["path"]
    lines = victim.read_bytes().splitlines(keepends=True)
    victim.write_bytes(b"".join([*lines[:-1], lines[0]]))
    listed.update(stored_file(finished, listed["path"]).to_json())
    file.write_bytes(sign_document(PAYLOAD, document, audit_key))
    assert code_of(finished, audit_key) == "DAT815"

    listed["path"] = "../../etc/passwd"
    file.write_bytes(sign_document(PAYLOAD, document, audit_key))
    assert code_of(finished, audit_key) == "DAT810"
