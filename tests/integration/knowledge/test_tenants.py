"""What one tenant knows, another never finds: not by words, not by meaning, not by calling the functions itself."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest
from tests.fakes.embedders import WordEmbedder
from tests.integration.knowledge.conftest import Hire

from atomctl.access.model import Role
from atomctl.db.session import Sessions
from atomctl.errors import AtomError
from atomctl.knowledge import codes
from atomctl.knowledge.meaning import Meaning

SECRET = b"# The vault code\n\nThe code of the vault of the shop is written below the counter.\n"
QUESTION = "where is the code of the vault of the shop?"


@pytest.fixture
def other(make_tenant: Callable[[str], UUID]) -> UUID:
    return make_tenant("rival")


def test_a_page_of_another_tenant_is_not_found(hire: Hire, other: UUID) -> None:
    hire(Role.AUTHOR).put("ops", "vault.md", SECRET)
    rival = hire(Role.AUTHOR, of=other)
    with pytest.raises(AtomError) as caught:
        rival.ask(QUESTION)
    assert caught.value.code is codes.NOTHING_KNOWN
    rival.put("ops", "lunch.md", b"# Lunch\n\nSoup on Monday.\n")
    assert [passage.path for passage in rival.ask(QUESTION).passages] == ["lunch.md"]
    assert hire(Role.VIEWER).ask(QUESTION).passages[0].path == "vault.md"


def test_the_words_of_another_tenant_do_not_count(hire: Hire, other: UUID) -> None:
    """Counts would tell whether somebody else has a word, and change what is rare."""
    hire(Role.AUTHOR).put("ops", "vault.md", b"# Zanzibar\n\nZanzibar is mentioned here.\n")
    rival = hire(Role.AUTHOR, of=other)
    rival.put("ops", "lunch.md", b"# Lunch\n\nSoup on Monday.\n")
    answer = rival.ask("what about lunch in Zanzibar?")
    assert not answer.known
    assert "Zanzibar" in answer.why


def test_the_search_functions_bind_the_tenant_themselves(
    hire: Hire, sessions: Sessions, other: UUID, tenant: UUID, embedder: WordEmbedder
) -> None:
    hire(Role.AUTHOR).put("ops", "vault.md", SECRET)
    vector = Meaning(lambda: embedder).vectors([QUESTION]).rows[0]
    calls = {
        "words": ("SELECT * FROM atom.knowledge_matches('page', '''vault''', '{vault}', '{1}', 10, 100, 10)", ()),
        "meaning": ("SELECT * FROM atom.nearest_chunks('page', 'words-1', %s, true, 10)", (vector,)),
        "graph": ("SELECT * FROM atom.nearest_chunks('page', 'words-1', %s, false, 10)", (vector,)),
        "page": ("SELECT * FROM atom.nearest_pages('words-1', %s, 10)", (vector,)),
    }
    for statement, parameters in calls.values():
        with sessions.tenant(tenant) as conn:
            assert len(conn.execute(statement, parameters).fetchall()) == 1
        with sessions.tenant(other) as conn:
            assert conn.execute(statement, parameters).fetchall() == []
        with sessions.deployment() as conn:
            assert conn.execute(statement, parameters).fetchall() == []


def test_a_tenant_cannot_put_a_chunk_into_another(hire: Hire, sessions: Sessions, other: UUID, tenant: UUID) -> None:
    hire(Role.AUTHOR).put("ops", "vault.md", SECRET)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), sessions.tenant(other) as conn:
        conn.execute("UPDATE atom.knowledge_chunks SET text = 'x'")
    with sessions.tenant(other) as conn:
        conn.execute("DELETE FROM atom.knowledge_documents")
        conn.execute("DELETE FROM atom.knowledge_terms")
    with sessions.tenant(tenant) as conn:
        assert conn.execute("SELECT FROM atom.knowledge_documents").rowcount == 1
        assert conn.execute("SELECT FROM atom.knowledge_terms").rowcount > 3
