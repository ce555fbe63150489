"""PostgreSQL: the embedded server, an external one, roles, migrations and tenant-scoped sessions."""
