"""A database without pgvector: words are searched for; and when the extension comes, a migration makes room."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.embedders import WordEmbedder
from tests.fakes.people import log_in
from tests.integration.knowledge.conftest import Hire
from tests.servers.postgres import SERVERS

from atomctl.access.model import Role
from atomctl.db.address import DatabaseAddress
from atomctl.db.embedded import EmbeddedPostgres
from atomctl.db.ids import new_id
from atomctl.db.migrate import migrate
from atomctl.db.session import Sessions
from atomctl.knowledge import codes
from atomctl.knowledge.librarian import Librarian
from atomctl.knowledge.meaning import Meaning
from atomctl.objects.folder import FolderStore

DISK = b"# The disk is full\n\n## What to do\nRemove old logs from the shop, then restart it.\n"


def look(librarian: Librarian) -> None:
    """Words are enough to answer; the answer and the status say what is lacking."""
    assert librarian.put("ops", "disk.md", DISK) is True
    assert librarian.put("ops", "disk.md", DISK) is False
    answer = librarian.ask("what to do when the disk is full")
    assert answer.known
    assert answer.passages[0].citation == "ops/disk.md#what-to-do"
    assert not librarian.ask("how is coffee brewed").known
    for lacking in (answer.without_meaning, librarian.status().without_meaning):
        assert lacking is not None
        assert lacking.code is codes.NO_EXTENSION


def test_debians_postgresql_15_searches_by_words(server_folder: Path, tmp_path: Path) -> None:
    with SERVERS["PostgreSQL 15, external"](server_folder / "knowledge-15") as server:
        migrate(server.address, server.admin)
        tenant = new_id()
        with Sessions(server.address) as sessions:
            with sessions.tenant(tenant) as conn:
                conn.execute("INSERT INTO atom.tenants (tenant_id, name) VALUES (%s, 'acme')", (tenant,))
            actor = log_in(sessions, tenant, "ann", Role.AUTHOR)
            embedder = WordEmbedder()
            objects = FolderStore(tmp_path / "objects")
            look(Librarian(actor, lambda: sessions.tenant(tenant), Meaning(lambda: embedder), objects))
            assert len(embedder.texts) == 2, "no page was embedded in vain, only the questions were"


def test_vectors_come_with_the_extension(postgres: EmbeddedPostgres, database: DatabaseAddress, hire: Hire) -> None:
    with postgres.admin.connect(database.dbname) as admin:
        admin.execute("DROP TABLE atom.knowledge_vectors, atom.knowledge_gists CASCADE")
        admin.execute("DROP FUNCTION atom.nearest_chunks, atom.nearest_pages")
        admin.execute("DROP EXTENSION vector")
    author = hire(Role.AUTHOR)
    look(author)
    migrate(database)
    assert author.status().without_meaning is not None, "a migrator is no superuser: the extension is not there yet"
    with postgres.admin.connect(database.dbname) as admin:
        admin.execute("CREATE EXTENSION vector SCHEMA public")
    migrate(database)
    assert author.status().without_meaning is None
    assert author.put("ops", "disk.md", DISK) is True, "the page did not change, but it can have vectors now"
    assert author.ask("what to do when the disk is full").passages[0].cosine is not None
