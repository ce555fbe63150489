-- Training data: which runs an export may hold, and which partitions were handed out.

-- The runs that ended in the given time, each with the place in the tenant's log of the entry that says so. A run whose
-- newest entries the sequencer has not taken yet is left out: it has no place, so nobody could say up to where an
-- export with it reaches. Runs with the rights of its caller, whom the tenant policy binds; no search path is set, so
-- that the planner can see through it, and every name says where it is.
CREATE FUNCTION atom.settled_runs(_tenant uuid, _from timestamptz, _to timestamptz)
RETURNS TABLE (run_id uuid, last_index bigint)
LANGUAGE sql STABLE AS $$
    SELECT r.id, e.entry_index
    FROM atom.workflow_runs AS r
    CROSS JOIN LATERAL (
        SELECT x.entry_index FROM atom.audit_entries AS x
        WHERE x.tenant_id = r.tenant_id AND x.run_id = r.id
          AND pg_catalog.convert_from(x.data, 'UTF8')::jsonb -> 'entry' ->> 'action' = 'run.' || pg_catalog.lower(r.state)
        ORDER BY x.entry_index DESC
        LIMIT 1
    ) AS e
    WHERE r.tenant_id = _tenant AND r.ended_at >= _from AND r.ended_at < _to
      AND NOT EXISTS (SELECT FROM atom.audit_inbox AS i WHERE i.tenant_id = r.tenant_id AND i.run_id = r.id)
$$;
REVOKE ALL ON FUNCTION atom.settled_runs(uuid, timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION atom.settled_runs(uuid, timestamptz, timestamptz) TO atom_app, atom_worker;

-- What was handed out: one row for each partition at each watermark. The same key with other content means that a run
-- changed after it was exported.
CREATE TABLE atom.dataset_partitions (
    tenant_id   uuid        NOT NULL,
    day         date        NOT NULL,
    row_schema  text        NOT NULL,
    scrub       text        NOT NULL CHECK (scrub ~ '^sha256:[0-9a-f]{64}$'),
    watermark   bigint      NOT NULL CHECK (watermark >= 0),
    rows        bigint      NOT NULL CHECK (rows >= 0),
    content     text        NOT NULL CHECK (content ~ '^sha256:[0-9a-f]{64}$'),
    exported_by uuid        NOT NULL,
    exported_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, day, row_schema, scrub, watermark, content),
    FOREIGN KEY (tenant_id, exported_by) REFERENCES atom.principals (tenant_id, id)
);
SELECT atom.protect('atom.dataset_partitions', 'SELECT, INSERT');
