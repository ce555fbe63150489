"""What Alembic executes to run migrations; the connection and its transaction belong to `atomctl.db.migrate`."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="alembic_version",
    version_table_schema="atom",
    transactional_ddl=True,
)
context.run_migrations()
