-- Backups of the whole deployment. The object store is what counts: a restored database does not know of the set it
-- came from until the next backup notes what it finds there. Rows are never deleted.
CREATE TABLE atom.backups (
    id          uuid        PRIMARY KEY,
    kind        text        NOT NULL CHECK (kind IN ('full', 'incremental')),
    parent_id   uuid,
    taken_at    timestamptz NOT NULL,
    size        bigint      NOT NULL CHECK (size > 0),
    statement   text        NOT NULL CHECK (statement ~ '^sha256:[0-9a-f]{64}$'),
    key_id      text        NOT NULL,
    version     integer     NOT NULL,
    start_lsn   pg_lsn      NOT NULL,
    end_lsn     pg_lsn      NOT NULL CHECK (end_lsn > start_lsn),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    verified_at timestamptz,
    removed_at  timestamptz,
    CONSTRAINT backups_only_an_incremental_has_a_parent CHECK ((kind = 'incremental') = (parent_id IS NOT NULL))
);
CREATE INDEX backups_taken ON atom.backups (taken_at) WHERE removed_at IS NULL;
GRANT SELECT ON atom.backups TO atom_app, atom_worker;
GRANT INSERT, UPDATE (verified_at, removed_at) ON atom.backups TO atom_worker;

-- What restoring showed, each time it was tried; `report` is the document atom.backup-drill/v1.
CREATE TABLE atom.backup_drills (
    id          uuid             PRIMARY KEY,
    started_at  timestamptz      NOT NULL,
    passed      boolean          NOT NULL,
    rpo_seconds double precision CHECK (rpo_seconds >= 0),
    rto_seconds double precision CHECK (rto_seconds >= 0),
    report      jsonb            NOT NULL
);
CREATE INDEX backup_drills_started ON atom.backup_drills (started_at);
GRANT SELECT ON atom.backup_drills TO atom_app, atom_worker;
GRANT INSERT ON atom.backup_drills TO atom_worker;

-- A base backup holds every row anyway; so that its statement can say how many, the backup role reads them all.
GRANT SELECT ON ALL TABLES IN SCHEMA atom TO atom_backup;
ALTER DEFAULT PRIVILEGES IN SCHEMA atom GRANT SELECT ON TABLES TO atom_backup;

-- Until the caller's transaction ends, nobody writes to a table of this schema; readers are not disturbed. The caller
-- sets a lock_timeout below deadlock_timeout, so that it gives up before a writer could be ended for its sake.
CREATE FUNCTION atom.hold_still() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    relation regclass;
BEGIN
    FOR relation IN
        SELECT c.oid::regclass FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = 'atom' AND c.relkind = 'r' ORDER BY c.oid
    LOOP
        EXECUTE format('LOCK TABLE %s IN SHARE MODE', relation);
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION atom.hold_still() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION atom.hold_still() TO atom_backup;
