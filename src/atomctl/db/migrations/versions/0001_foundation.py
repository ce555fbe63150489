"""The first schema: tenants, access, registry, approvals, runs, audit."""

from atomctl.db.migrations.folder import run_folder

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Runs `sql/0001/*.sql`."""
    run_folder(revision)
