"""Series of a Prometheus that are watched: what their detectors know, and the kind of signal they raise."""

from atomctl.db.migrations.folder import run_folder

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Runs `sql/0004/*.sql`."""
    run_folder(revision)
