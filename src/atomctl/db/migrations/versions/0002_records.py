"""What is recorded about an instance: audit anchors and epochs, signals, datasets, backups, controls."""

from atomctl.db.migrations.folder import run_folder

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Runs `sql/0002/*.sql`."""
    run_folder(revision)
