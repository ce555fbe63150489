-- The audit log. Everybody who changes state may add to the inbox and read; only the sequencer moves rows into the
-- tree. No role but a superuser can change or remove what is there, and the offline verifier notices when one did.
-- The tenant 00000000-0000-0000-0000-000000000000 is the deployment's own log, so no table here refers to tenants.

-- Entries that were recorded and are not in the tree yet. One row per entry, written in the business transaction.
CREATE TABLE atom.audit_inbox (
    tenant_id   uuid        NOT NULL,
    entry_id    uuid        NOT NULL,
    position    bigint      GENERATED ALWAYS AS IDENTITY,
    run_id      uuid,
    subject     text        NOT NULL,
    data        bytea       NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, entry_id),
    -- The columns say what the recorded bytes say: they are what people search by.
    CONSTRAINT audit_inbox_columns_match_data CHECK (
        convert_from(data, 'UTF8')::jsonb @> jsonb_strip_nulls(jsonb_build_object(
            'id', entry_id, 'tenant', tenant_id, 'subject', subject, 'run', run_id))
    ),
    CONSTRAINT audit_inbox_data_is_one_line CHECK (position('\x0a'::bytea IN data) = 0),
    CONSTRAINT audit_inbox_data_fits CHECK (octet_length(data) <= 65435)
);
CREATE INDEX audit_inbox_position ON atom.audit_inbox (position);
SELECT atom.protect('atom.audit_inbox', 'SELECT, INSERT');

-- The log: `data` is the leaf, byte for byte.
CREATE TABLE atom.audit_entries (
    tenant_id    uuid        NOT NULL,
    entry_index  bigint      NOT NULL CHECK (entry_index >= 0),
    entry_id     uuid        NOT NULL,
    run_id       uuid,
    subject      text        NOT NULL,
    sequenced_at timestamptz NOT NULL,
    data         bytea       NOT NULL CHECK (octet_length(data) <= 65535),
    PRIMARY KEY (tenant_id, entry_index)
);
-- Not unique: an id recorded twice must not be able to stop the sequencer.
CREATE INDEX audit_entries_id ON atom.audit_entries (tenant_id, entry_id);
CREATE INDEX audit_entries_run ON atom.audit_entries (tenant_id, run_id, entry_index) WHERE run_id IS NOT NULL;
CREATE INDEX audit_entries_subject ON atom.audit_entries (tenant_id, subject, entry_index);
SELECT atom.protect('atom.audit_entries', 'SELECT');

-- 256 hashes of a level side by side, as C2SP tlog-tiles has them; the right edge grows until it is full.
CREATE TABLE atom.audit_tiles (
    tenant_id uuid     NOT NULL,
    level     smallint NOT NULL CHECK (level BETWEEN 0 AND 7),
    tile      bigint   NOT NULL CHECK (tile >= 0),
    hashes    bytea    NOT NULL CHECK (octet_length(hashes) % 32 = 0 AND octet_length(hashes) BETWEEN 32 AND 8192),
    PRIMARY KEY (tenant_id, level, tile)
);
SELECT atom.protect('atom.audit_tiles', 'SELECT');

-- The tree's size, root and compact range (`nodes`: the roots of its full subtrees, largest first). The origin is the
-- name it is signed under, given once, so that it survives a change of the signing key.
CREATE TABLE atom.audit_heads (
    tenant_id    uuid        NOT NULL PRIMARY KEY,
    origin       text        NOT NULL,
    size         bigint      NOT NULL CHECK (size > 0),
    root         bytea       NOT NULL CHECK (octet_length(root) = 32),
    nodes        bytea       NOT NULL CHECK (octet_length(nodes) % 32 = 0),
    sequenced_at timestamptz NOT NULL
);
SELECT atom.protect('atom.audit_heads', 'SELECT');

-- Signed heads, as C2SP signed notes, beside the key that signed each.
CREATE TABLE atom.audit_checkpoints (
    tenant_id uuid        NOT NULL,
    size      bigint      NOT NULL CHECK (size > 0),
    root      bytea       NOT NULL CHECK (octet_length(root) = 32),
    note      bytea       NOT NULL,
    vkey      text        NOT NULL,
    signed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, size)
);
SELECT atom.protect('atom.audit_checkpoints', 'SELECT');

-- What a commitment in an entry stands for, until it is erased.
CREATE TABLE atom.personal_values (
    tenant_id  uuid NOT NULL,
    entry_id   uuid NOT NULL,
    field      text NOT NULL,
    commitment text NOT NULL CHECK (commitment ~ '^sha256:[0-9a-f]{64}$'),
    value      text CHECK (octet_length(value) <= 1024),
    salt       bytea,
    erased_at  timestamptz,
    PRIMARY KEY (tenant_id, entry_id, field),
    CONSTRAINT personal_values_erased_whole CHECK (
        (value IS NULL) = (erased_at IS NOT NULL) AND (salt IS NULL) = (erased_at IS NOT NULL)
    )
);
CREATE INDEX personal_values_value ON atom.personal_values (tenant_id, value) WHERE value IS NOT NULL;
SELECT atom.protect('atom.personal_values', 'SELECT, INSERT');

-- Erasing is the one change: value and salt go, the commitment stays. It runs as the owner, whom the tenant policy
-- binds like everybody else, so nobody erases another tenant's values.
CREATE FUNCTION atom.erase_personal_value(wanted text) RETURNS SETOF uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE atom.personal_values SET value = NULL, salt = NULL, erased_at = clock_timestamp()
    WHERE value = wanted
      AND tenant_id = (SELECT NULLIF(current_setting('app.tenant', true), ''))::uuid
    RETURNING entry_id
$$;
REVOKE ALL ON FUNCTION atom.erase_personal_value(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION atom.erase_personal_value(text) TO atom_app, atom_worker;

-- What was sequenced and what was signed is never changed, not even by the roles that write it.
CREATE FUNCTION atom.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON atom.audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION atom.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON atom.audit_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION atom.refuse_change();

-- The sequencer sees every tenant's log and nothing else.
GRANT SELECT, INSERT, DELETE ON atom.audit_inbox TO atom_sequencer;
GRANT SELECT, INSERT ON atom.audit_entries TO atom_sequencer;
GRANT SELECT, INSERT, UPDATE ON atom.audit_tiles, atom.audit_heads TO atom_sequencer;
GRANT SELECT, INSERT ON atom.audit_checkpoints TO atom_sequencer;
CREATE POLICY sequencer ON atom.audit_inbox TO atom_sequencer USING (true) WITH CHECK (true);
CREATE POLICY sequencer ON atom.audit_entries TO atom_sequencer USING (true) WITH CHECK (true);
CREATE POLICY sequencer ON atom.audit_tiles TO atom_sequencer USING (true) WITH CHECK (true);
CREATE POLICY sequencer ON atom.audit_heads TO atom_sequencer USING (true) WITH CHECK (true);
CREATE POLICY sequencer ON atom.audit_checkpoints TO atom_sequencer USING (true) WITH CHECK (true);
