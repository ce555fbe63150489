"""Alembic's environment and the migrations: hand-written SQL under `sql/`, one folder for each revision."""
