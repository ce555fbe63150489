-- name: server_facts()^
-- What taking a backup must know of the server.
SELECT
    current_setting('server_version_num')::integer AS version,
    current_setting('wal_level') AS wal_level,
    coalesce(current_setting('summarize_wal', true), 'off') = 'on' AS summarizes,
    pg_size_bytes(current_setting('wal_segment_size')) AS segment_size,
    current_database() AS database,
    (SELECT system_identifier::text FROM pg_control_system()) AS system_id,
    (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline,
    (SELECT count(*) FROM pg_tablespace) AS tablespaces,
    pg_is_in_recovery() AS recovering,
    r.rolreplication AND r.rolbypassrls
        AND has_function_privilege('pg_catalog.pg_create_restore_point(text)', 'EXECUTE') AS permitted
FROM pg_roles AS r
WHERE r.rolname = current_user;

-- name: try_lock(key)$
SELECT pg_try_advisory_lock(:key);

-- name: hold_log(slot)!
-- The server keeps the log from here on for as long as this session lives, however it ends.
SELECT pg_create_physical_replication_slot(:slot, true, true);

-- name: hold_still(patience)!
-- With a transaction id of its own the commit flushes the log, and the restore point with it; nobody waits for chance.
SELECT set_config('lock_timeout', :patience, true), set_config('synchronous_commit', 'local', true),
    atom.hold_still(), pg_current_xact_id();

-- name: mark(name)$
SELECT pg_create_restore_point(:name)::text;

-- name: take_snapshot()^
SELECT clock_timestamp() AS taken_at;

-- name: tables()
SELECT c.relname AS name
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'atom' AND c.relkind = 'r'
ORDER BY c.relname;

-- name: heads()
SELECT tenant_id, size, root FROM atom.audit_heads ORDER BY tenant_id;

-- name: recovering()$
SELECT pg_is_in_recovery();

-- name: unfinished_runs()$
SELECT count(*) FROM atom.workflow_runs
WHERE state NOT IN ('BLOCKED', 'REJECTED', 'EXPIRED', 'CANCELLED', 'ROLLED_BACK', 'ROLLBACK_INCOMPLETE', 'SUCCEEDED',
                    'FAILED', 'TIMED_OUT');

-- name: insert_backup(id, kind, parent_id, taken_at, size, statement, key_id, version, start_lsn, end_lsn)!
INSERT INTO atom.backups (id, kind, parent_id, taken_at, size, statement, key_id, version, start_lsn, end_lsn)
VALUES (:id, :kind, :parent_id, :taken_at, :size, :statement, :key_id, :version, :start_lsn, :end_lsn)
ON CONFLICT (id) DO NOTHING;

-- name: set_verified(id)!
UPDATE atom.backups SET verified_at = clock_timestamp() WHERE id = :id;

-- name: set_removed(id)!
UPDATE atom.backups SET removed_at = clock_timestamp() WHERE id = :id AND removed_at IS NULL;

-- name: set_lost(there)
-- Sets that have a row and are no longer in the store, though nobody let them go.
UPDATE atom.backups SET removed_at = clock_timestamp() WHERE removed_at IS NULL AND id <> ALL(:there) RETURNING id;

-- name: insert_drill(id, started_at, passed, rpo, rto, report)!
INSERT INTO atom.backup_drills (id, started_at, passed, rpo_seconds, rto_seconds, report)
VALUES (:id, :started_at, :passed, :rpo, :rto, :report::jsonb);

-- name: newest()^
-- When what counts happened last; None where it never did.
SELECT
    (SELECT max(taken_at) FROM atom.backups WHERE removed_at IS NULL) AS taken_at,
    (SELECT max(started_at) FROM atom.backup_drills WHERE passed) AS drilled_at,
    (SELECT max(started_at) FROM atom.backup_drills) AS tried_at,
    (SELECT CASE WHEN passed THEN rpo_seconds END FROM atom.backup_drills ORDER BY started_at DESC LIMIT 1) AS rpo,
    (SELECT CASE WHEN passed THEN rto_seconds END FROM atom.backup_drills ORDER BY started_at DESC LIMIT 1) AS rto,
    clock_timestamp() AS now;
