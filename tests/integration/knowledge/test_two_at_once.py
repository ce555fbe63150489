"""Two syncs of one tenant at a time: the counts of words stay those of the chunks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from tests.integration.knowledge.conftest import Hire

from atomctl.access.model import Role
from atomctl.db.session import Sessions

COUNTED = "SELECT term, chunks FROM atom.knowledge_terms ORDER BY term"
REAL = """
SELECT u.lexeme AS term, count(*) AS chunks FROM atom.knowledge_chunks AS c, unnest(c.search) AS u
GROUP BY u.lexeme ORDER BY u.lexeme
"""


def test_counts_of_words_stay_right_when_two_write_the_same_pages(hire: Hire, sessions: Sessions, tenant: UUID) -> None:
    people = [hire(Role.AUTHOR), hire(Role.ADMIN)]

    def sync(number: int) -> None:
        person = people[number % 2]
        for page in ("a.md", "b.md"):
            person.put("ops", page, f"# Page {page}\n\nWord{number} and words that all share.\n".encode())
        person.end_sync("ops", ["a.md", "b.md"][: 1 + number % 3], 0)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(sync, range(16)))
    with sessions.tenant(tenant) as conn:
        assert conn.execute(COUNTED).fetchall() == conn.execute(REAL).fetchall()
        assert 1 <= conn.execute("SELECT FROM atom.knowledge_documents").rowcount <= 2
