"""Knowledge over HTTP: a sync, a question, who may do which, and a package's own pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from tests.fakes.packages import HARMLESS
from tests.integration.server.conftest import Api, Person

from atomctl.access.model import Role
from atomctl.trust.signers import FileSigner
from atomctl.wpk.archive import FileEntry, Source, pack

DISK = "# The disk is full\n\n## What to do\nRemove old logs from the shop, then restart it.\n"
QUESTION = {"question": "what to remove when the disk is full?"}


def page(text: str = DISK, **given: str) -> dict[str, Any]:
    return {"collection": "ops", "path": "disk.md", "text": text, **given}


def code_of(person: Person, method: str, path: str, body: Any = None) -> tuple[int, str]:
    answer = person.ask(method, path, body)
    return answer.status_code, answer.json()["code"]


def test_a_page_is_put_and_cited(owner: Person, api: Api, tenant: UUID) -> None:
    assert owner.post("knowledge/pages", page())["changed"] == 1
    assert owner.post("knowledge/pages", page())["changed"] == 0
    viewer = api.person(tenant, "vic", Role.VIEWER)
    answer = viewer.post("knowledge/ask", QUESTION)
    assert answer["schema"] == "atom.answer/v1"
    assert answer["known"] is True
    assert answer["passages"][0]["citation"] == "ops/disk.md#what-to-do"
    assert viewer.get("knowledge")["collections"] == [{"name": "ops", "documents": 1, "chunks": 1, "vectors": 1}]
    assert owner.post("knowledge/end-sync", {"collection": "ops", "paths": []})["removed"] == 1
    assert code_of(viewer, "POST", "knowledge/ask", QUESTION) == (422, "KNO021")


def test_who_may_not_sync_changes_nothing(owner: Person, api: Api, tenant: UUID) -> None:
    owner.post("knowledge/pages", page())
    viewer = api.person(tenant, "vic", Role.VIEWER)
    for path, body in (
        ("knowledge/pages", page("# Other\n\nwords")),
        ("knowledge/end-sync", {"collection": "ops", "paths": []}),
        ("knowledge/packages", {"name": "hello", "version": "1.0.0"}),
    ):
        assert code_of(viewer, "POST", path, body) == (403, "AUT020")
    assert viewer.post("knowledge/ask", QUESTION)["passages"][0]["path"] == "disk.md"


def test_bad_requests_are_refused_with_their_code(owner: Person) -> None:
    owner.post("knowledge/pages", page())
    for body, refused in (
        (page(collection="runs"), (422, "KNO009")),
        (page(path="../disk.md"), (422, "KNO009")),
        (page("# nothing\n"), (422, "KNO007")),
        (page("zero \x00 byte"), (422, "KNO003")),
        (page("x" * 1_048_577), (413, "KNO005")),
    ):
        assert code_of(owner, "POST", "knowledge/pages", body) == refused
    for question in ("", "?!", "x" * 1001):
        assert code_of(owner, "POST", "knowledge/ask", {"question": question}) == (422, "KNO020")
    odd = {"name": "a\x00", "version": "1.0.0"}
    assert code_of(owner, "POST", "knowledge/packages", odd) == (422, "API012")
    assert code_of(owner, "GET", f"runs/{uuid4()}/similar") == (404, "RUN601")
    assert owner.get("knowledge")["collections"][0]["documents"] == 1


def test_the_markdown_of_a_package_is_a_collection(owner: Person, key: FileSigner) -> None:
    files = {
        "wpk.yaml": FileEntry(HARMLESS.format(name="hello", version="1.0.0", description="").encode()),
        "README.md": FileEntry(DISK.encode()),
        "files/broken.md": FileEntry(b"\xff\xfe"),
    }
    owner.push(pack(Source(files)), key)
    done = owner.post("knowledge/packages", {"name": "hello", "version": "1.0.0"})
    assert (done["collection"], done["pages"], done["changed"]) == ("hello@1.0.0", 1, 1)
    assert [(each["path"], each["code"]) for each in done["rejected"]] == [("files/broken.md", "KNO004")]
    assert owner.post("knowledge/ask", QUESTION)["passages"][0]["citation"] == "hello@1.0.0/README.md#what-to-do"
    assert code_of(owner, "POST", "knowledge/packages", {"name": "none", "version": "1.0.0"})[0] == 404
