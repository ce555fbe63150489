-- name: role_facts()^
-- What the current role could do beside and around row level security.
SELECT
    r.rolname       AS role,
    r.rolsuper      AS superuser,
    r.rolbypassrls  AS bypasses,
    r.rolcreaterole AS creates_roles,
    r.rolreplication AS replicates,
    EXISTS (
        SELECT FROM pg_roles AS other
        WHERE other.oid <> r.oid
          AND (other.rolsuper OR other.rolbypassrls OR other.rolname IN ('atom_owner', 'atom_relay'))
          AND pg_has_role(r.oid, other.oid, 'MEMBER')
    ) AS becomes,
    EXISTS (
        SELECT FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = 'atom' AND c.relowner = r.oid
    ) AS owns
FROM pg_roles AS r
WHERE r.rolname = current_user;

-- name: choose_tenant(tenant)!
SELECT set_config('app.tenant', :tenant, true);

-- name: server_version()$
SELECT current_setting('server_version_num')::integer;

-- name: database_exists(name)$
SELECT true FROM pg_database WHERE datname = :name;

-- name: roles()
SELECT rolname AS name FROM pg_roles;

-- name: is_member(role, member)$
SELECT EXISTS (
    SELECT FROM pg_auth_members AS m
    WHERE m.roleid = CAST(:role AS regrole) AND m.member = CAST(:member AS regrole)
);

-- name: backup_rights()^
-- Whether the backup role has all it needs, and whether the current role could give it.
SELECT
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS grantable,
    r.rolreplication AND r.rolbypassrls
        AND has_function_privilege(r.oid, 'pg_catalog.pg_create_restore_point(text)', 'EXECUTE') AS granted
FROM pg_roles AS r
WHERE r.rolname = 'atom_backup';

-- name: vectors_to_add()$
-- Whether the extension pgvector could be added to the database by the current role and is not there.
SELECT EXISTS (
    SELECT FROM pg_available_extension_versions AS v
    WHERE v.name = 'vector' AND (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
) AND NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector');

-- name: add_vectors()!
CREATE EXTENSION IF NOT EXISTS vector SCHEMA public;

-- name: add_knowledge_vectors()$
SELECT atom.add_knowledge_vectors();

-- name: lock_bootstrap()$
-- One bootstrap or migration at a time; the number is "atomctl" in base 36.
SELECT pg_advisory_xact_lock(23562696297);

-- name: become_owner()!
SET LOCAL ROLE atom_owner;

-- name: create_schema()!
CREATE SCHEMA IF NOT EXISTS atom;

-- name: has_version_table()$
SELECT to_regclass('atom.alembic_version') IS NOT NULL;

-- name: current_version()$
SELECT version_num FROM atom.alembic_version;
