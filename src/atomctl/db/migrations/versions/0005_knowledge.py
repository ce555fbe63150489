"""What embeddings were computed, so that none is computed twice, and what is searched with them."""

from atomctl.db.migrations.folder import run_folder

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Runs `sql/0005/*.sql`."""
    run_folder(revision)
