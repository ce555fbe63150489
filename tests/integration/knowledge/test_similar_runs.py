"""Past failures like one, and what ended them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tests.fakes.embedders import WordEmbedder
from tests.fakes.past_runs import FIRST, Archive, Past
from tests.fakes.people import log_in
from tests.fakes.yard import Yard, manifest

from atomctl.access.model import Role
from atomctl.audit.keys import load_or_create_key
from atomctl.dataset.forget import forget_run
from atomctl.dataset.service import Means
from atomctl.db.session import Sessions
from atomctl.embedding import codes as embedding_codes
from atomctl.errors import AtomError
from atomctl.knowledge import service
from atomctl.knowledge.fixes import Fix
from atomctl.knowledge.librarian import Librarian
from atomctl.knowledge.meaning import Meaning
from atomctl.knowledge.model import Shelf
from atomctl.knowledge.retrieval import Query
from atomctl.objects.folder import FolderStore

SPEC = "handlers:\n  - {name: work, type: shell, config: {command: [echo, hello]}}"
DISK = b"writing the report\nno space left on device /var/log/shop\n"
CERTIFICATE = b"calling the registrar\nthe certificate of the proxy has expired\n"
SECRET = "AKIA" + "QYLPMN5HHHFPZAM2"
SECRETS = f"aws_key={SECRET} from 203.0.113.7 by ann@shop.example: no space left on device\n".encode()


def failed(minutes: int, log: bytes, **parameters: str) -> Past:
    return Past(
        ended_at=at(minutes), state="FAILED", log=[log], error="exit code 1", exit_code=1, parameters=parameters
    )


def succeeded(minutes: int, **parameters: str) -> Past:
    return Past(ended_at=at(minutes), log=[b"all is well\n"], parameters=parameters)


def at(minutes: int) -> datetime:
    return FIRST + timedelta(minutes=minutes)


@pytest.fixture
def yard(sessions: Sessions, make_tenant: Callable[[str], UUID], tmp_path: Path) -> Yard:
    return Yard(sessions, make_tenant("acme"), FolderStore(tmp_path / "objects"))


@pytest.fixture
def archive(yard: Yard) -> Archive:
    return Archive(yard, yard.publish(manifest(SPEC)))


@pytest.fixture
def viewer(yard: Yard) -> Librarian:
    embedder = WordEmbedder()
    actor = log_in(yard.sessions, yard.tenant_id, "vic", Role.VIEWER)
    return Librarian(actor, lambda: yard.sessions.tenant(yard.tenant_id), Meaning(lambda: embedder), yard.objects)


def stored(yard: Yard) -> str:
    with yard.sessions.tenant(yard.tenant_id) as conn:
        rows = conn.execute("SELECT text || search::text AS all FROM atom.knowledge_chunks").fetchall()
    return "\n".join(row["all"] for row in rows)


def test_the_failure_with_the_same_words_comes_first_and_says_what_changed(archive: Archive, viewer: Librarian) -> None:
    old, fixed, _, new = archive.add(
        failed(0, DISK, keep="30d"), succeeded(10, keep="7d"), failed(20, CERTIFICATE), failed(40, DISK, keep="30d")
    )
    found, lacking = viewer.similar(new, 5)
    assert lacking is None
    assert found[0].run_id == old
    assert found[0].step == "work"
    assert "no space left on device" in found[0].passage.text
    assert (found[0].ending.fix, found[0].ending.run_id) == (Fix.LATER_SUCCESS, fixed)
    assert found[0].ending.differences == ('parameter keep: "30d" -> "7d"',)
    assert new not in [each.run_id for each in found]


def test_nothing_has_fixed_the_newest_failure(archive: Archive, viewer: Librarian) -> None:
    first, second = archive.add(failed(0, DISK), failed(10, DISK))
    assert viewer.similar(first, 5)[0][0].ending.fix is Fix.NONE
    assert viewer.similar(second, 5)[0][0].run_id == first


def test_a_rerun_that_succeeded_is_named_before_a_later_success(
    archive: Archive, viewer: Librarian, yard: Yard
) -> None:
    old, _, rerun, new = archive.add(failed(0, DISK), succeeded(5), succeeded(10), failed(20, DISK))
    with yard.sessions.tenant(yard.tenant_id) as conn:
        conn.execute("UPDATE atom.workflow_runs SET rerun_of = %s, origin = 'RERUN' WHERE id = %s", (old, rerun))
    ending = viewer.similar(new, 1)[0][0].ending
    assert (ending.fix, ending.run_id) == (Fix.RERUN, rerun)


def test_runs_are_scrubbed_before_they_are_stored_or_embedded(archive: Archive, yard: Yard) -> None:
    embedder = WordEmbedder()
    actor = log_in(yard.sessions, yard.tenant_id, "vic", Role.VIEWER)
    viewer = Librarian(actor, lambda: yard.sessions.tenant(yard.tenant_id), Meaning(lambda: embedder), yard.objects)
    _, new = archive.add(failed(0, SECRETS), failed(10, SECRETS))
    viewer.similar(new, 5)
    for told in (stored(yard), "\n".join(embedder.texts)):
        assert "no space left" in told or "space" in told
        for canary in (SECRET, SECRET.lower(), "203.0.113.7", "ann@shop.example"):
            assert canary not in told


def test_a_run_in_which_nothing_went_wrong_has_nothing_alike(archive: Archive, viewer: Librarian) -> None:
    (run,) = archive.add(succeeded(0))
    archive.add(failed(5, DISK))
    assert viewer.similar(run, 5) == ((), None)


def test_without_a_model_runs_are_compared_by_words(archive: Archive, yard: Yard) -> None:
    def missing() -> WordEmbedder:
        raise AtomError(embedding_codes.MODEL_MISSING, "not installed")

    actor = log_in(yard.sessions, yard.tenant_id, "vic", Role.VIEWER)
    plain = Librarian(actor, lambda: yard.sessions.tenant(yard.tenant_id), Meaning(missing), yard.objects)
    old, _, new = archive.add(failed(0, DISK), failed(5, CERTIFICATE), failed(10, DISK))
    found, lacking = plain.similar(new, 1)
    assert [each.run_id for each in found] == [old]
    assert lacking is not None


def test_a_log_that_is_gone_leaves_the_rest(archive: Archive, viewer: Librarian, yard: Yard, tmp_path: Path) -> None:
    old, new = archive.add(failed(0, DISK), failed(10, CERTIFICATE))
    for file in (tmp_path / "objects" / "logs").rglob("*.zst"):
        file.unlink()
    (found,), _ = viewer.similar(new, 5)
    assert found.run_id == old


def test_gathering_goes_on_until_nothing_is_left(archive: Archive, viewer: Librarian) -> None:
    archive.add(*(failed(minute, DISK) for minute in range(60)))
    assert viewer.gather() == (50, True)
    assert viewer.gather() == (10, False)
    assert viewer.gather() == (0, False)


def test_a_run_that_is_to_be_forgotten_is_like_none_from_then_on(
    archive: Archive, viewer: Librarian, yard: Yard, tmp_path: Path
) -> None:
    old, new = archive.add(failed(0, DISK), failed(10, DISK))
    (found,), _ = viewer.similar(new, 5)
    assert found.run_id == old
    means = Means(yard.sessions, yard.objects, load_or_create_key(tmp_path / "audit.key"), bytes(32))
    forget_run(means, yard.sara, old, "erasure request 17")
    page = Query(Shelf.RUN, "no space left on device", viewer.meaning.vectors(["no space left on device"]))
    with yard.sessions.tenant(yard.tenant_id) as conn:
        assert service.similar(conn, viewer.actor, new, page, 5)[0] == (), "before anybody has tidied up"
    assert viewer.similar(new, 5)[0] == ()
    assert str(old) not in stored(yard)
    assert viewer.gather() == (0, False)


def test_another_tenants_run_does_not_exist(archive: Archive, make_tenant: Callable[[str], UUID], yard: Yard) -> None:
    (run,) = archive.add(failed(0, DISK))
    rival = make_tenant("rival")
    actor = log_in(yard.sessions, rival, "eve", Role.OPERATOR)
    eve = Librarian(actor, lambda: yard.sessions.tenant(rival), Meaning(WordEmbedder), yard.objects)
    with pytest.raises(AtomError) as caught:
        eve.similar(run, 5)
    assert caught.value.code.id == "RUN601"
    assert eve.gather() == (0, False)
