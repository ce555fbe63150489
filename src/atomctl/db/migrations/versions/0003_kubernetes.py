"""What runs do to the objects of a cluster: previews that are approved, and what was there before each change."""

from atomctl.db.migrations.folder import run_folder

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Runs `sql/0003/*.sql`."""
    run_folder(revision)
