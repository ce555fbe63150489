"""Backups of the database: taken, verified, restored, drilled and kept for as long as retention says."""
