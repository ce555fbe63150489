-- Checkpoints of the deployment's log that were carried to the locked bucket, and the epochs that restores began.

-- One row for each checkpoint that lies in the bucket with all its tiles. Only the deployment's log (the tenant
-- 00000000-0000-0000-0000-000000000000) is carried; its leaves are the checkpoints of all tenants.
CREATE TABLE atom.audit_anchors (
    tenant_id    uuid        NOT NULL,
    size         bigint      NOT NULL CHECK (size > 0),
    root         bytea       NOT NULL CHECK (octet_length(root) = 32),
    origin       text        NOT NULL,
    entries      bigint      NOT NULL CHECK (entries >= 0),
    object_key   text        NOT NULL,
    retain_until timestamptz NOT NULL,
    anchored_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, size),
    CONSTRAINT audit_anchors_are_of_the_deployment CHECK (tenant_id = '00000000-0000-0000-0000-000000000000')
);
SELECT atom.protect('atom.audit_anchors', 'SELECT');
GRANT SELECT, INSERT ON atom.audit_anchors TO atom_sequencer;
CREATE POLICY sequencer ON atom.audit_anchors TO atom_sequencer USING (true) WITH CHECK (true);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON atom.audit_anchors
    FOR EACH STATEMENT EXECUTE FUNCTION atom.refuse_change();

-- An entry that begins an epoch says that entries were lost by a restore. Only the sequencer's role writes one, straight
-- into the log: from the inbox, which every process may write, it would let an intruder explain away what he removed.
ALTER TABLE atom.audit_inbox ADD CONSTRAINT audit_inbox_begins_no_epoch CHECK (
    convert_from(data, 'UTF8')::jsonb ->> 'action' <> 'audit.epoch'
);
