-- Training data: runs that no export may hold any more, and what of a day each export had seen.

-- A run that is named here is in no row from now on, whatever the watermark, and exports that had it are rewritten when
-- they are repeated. A tombstone is never taken back.
CREATE TABLE atom.dataset_tombstones (
    tenant_id    uuid        NOT NULL,
    run_id       uuid        NOT NULL,
    reason       text        NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 1000),
    forgotten_by uuid        NOT NULL,
    forgotten_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, run_id),
    FOREIGN KEY (tenant_id, run_id) REFERENCES atom.workflow_runs (tenant_id, id),
    FOREIGN KEY (tenant_id, forgotten_by) REFERENCES atom.principals (tenant_id, id)
);
SELECT atom.protect('atom.dataset_tombstones', 'SELECT, INSERT');

-- How many runs of the day an export looked at and the highest entry among theirs: if these are others now, the day is
-- due again. The key takes them in, since the same rows may come of other runs.
ALTER TABLE atom.dataset_partitions
    ADD COLUMN runs       bigint  NOT NULL DEFAULT 0 CHECK (runs >= 0),
    ADD COLUMN last_entry bigint  NOT NULL DEFAULT 0 CHECK (last_entry >= 0),
    ADD COLUMN forgotten  bigint  NOT NULL DEFAULT 0 CHECK (forgotten >= 0),
    ADD COLUMN embedding  text    NOT NULL DEFAULT '' CHECK (char_length(embedding) <= 300),
    DROP CONSTRAINT dataset_partitions_pkey,
    ADD PRIMARY KEY (
        tenant_id, day, row_schema, scrub, embedding, watermark, runs, last_entry, forgotten, content
    );

-- As before, but what waits for the sequencer is read once for all runs: beside a full inbox, a look for each run took
-- nearly all the time of an export.
CREATE OR REPLACE FUNCTION atom.settled_runs(_tenant uuid, _from timestamptz, _to timestamptz)
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
      AND r.id NOT IN (
        SELECT i.run_id FROM atom.audit_inbox AS i WHERE i.tenant_id = _tenant AND i.run_id IS NOT NULL
      )
$$;
