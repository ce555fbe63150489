-- What insight noticed, how far it has read, and the figures that metrics show about the whole deployment.

-- One row for each thing noticed. `dedup_key` says what makes two of them the same; a repeat counts as an occurrence.
-- The tenant 00000000-0000-0000-0000-000000000000 is the deployment's own log, so the table does not refer to tenants.
CREATE TABLE atom.insight_signals (
    tenant_id        uuid             NOT NULL,
    id               uuid             NOT NULL,
    kind             text             NOT NULL CHECK (kind IN (
        'policy_violation', 'unsigned_upload', 'approval_age', 'audit_gap', 'failure_rate', 'duration', 'run_rate',
        'metric')),
    subject          text             NOT NULL CHECK (length(subject) BETWEEN 1 AND 300),
    detector         text             NOT NULL CHECK (detector ~ '^[a-z][a-z-]{0,39}$'),
    detector_version integer          NOT NULL CHECK (detector_version > 0),
    window_start     timestamptz      NOT NULL,
    window_end       timestamptz      NOT NULL,
    observed         double precision NOT NULL,
    baseline         double precision NOT NULL,
    -- NaN is greater than infinity here, so this keeps both out.
    score            double precision NOT NULL CHECK (score >= 0 AND score < 'infinity'),
    severity         text             NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    summary          text             NOT NULL CHECK (length(summary) BETWEEN 1 AND 500),
    -- Where in its source the newest observation stands: what stands no further is no repeat.
    position         bigint           NOT NULL,
    evidence         uuid[]           NOT NULL CHECK (cardinality(evidence) <= 50),  -- runs, the newest last
    dedup_key        text             NOT NULL CHECK (dedup_key ~ '^sha256:[0-9a-f]{64}$'),
    occurrences      integer          NOT NULL DEFAULT 1 CHECK (occurrences > 0),
    state            text             NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'acknowledged', 'closed')),
    label            text             CHECK (label IN ('useful', 'noise')),
    labelled_by      uuid,
    handled_by       uuid,
    comment          text             CHECK (length(comment) <= 2000),
    created_at       timestamptz      NOT NULL DEFAULT now(),
    changed_at       timestamptz      NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT insight_signals_once UNIQUE (tenant_id, dedup_key),
    FOREIGN KEY (tenant_id, labelled_by) REFERENCES atom.principals (tenant_id, id),
    FOREIGN KEY (tenant_id, handled_by) REFERENCES atom.principals (tenant_id, id),
    CONSTRAINT insight_signals_window_in_order CHECK (window_start <= window_end),
    CONSTRAINT insight_signals_handled_by_somebody CHECK ((state = 'open') = (handled_by IS NULL)),
    CONSTRAINT insight_signals_labelled_by_somebody CHECK ((label IS NULL) = (labelled_by IS NULL))
);
SELECT atom.protect('atom.insight_signals');
CREATE INDEX insight_signals_newest ON atom.insight_signals (tenant_id, state, id DESC);

-- How far a reader of a tenant's log has come: `position` is what it reads next.
CREATE TABLE atom.insight_cursors (
    tenant_id uuid        NOT NULL,
    reader    text        NOT NULL CHECK (reader ~ '^[a-z][a-z-]{0,39}$'),
    position  bigint      NOT NULL CHECK (position >= 0),
    read_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, reader)
);
SELECT atom.protect('atom.insight_cursors');

CREATE INDEX workflow_runs_ended ON atom.workflow_runs (tenant_id, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX workflow_runs_history ON atom.workflow_runs (tenant_id, workflow, ended_at DESC) WHERE ended_at IS NOT NULL;
CREATE INDEX workflow_runs_open ON atom.workflow_runs (state) WHERE ended_at IS NULL;
CREATE INDEX approvals_pending ON atom.approvals (requested_at) WHERE state = 'pending';

-- Who named an id of another tenant. Nobody but the relay may read it: a tenant's own rows would tell it which ids exist.
CREATE TABLE atom.cross_tenant_attempts (
    hour         timestamptz NOT NULL,
    by_tenant    uuid        NOT NULL,
    by_principal uuid        NOT NULL,
    attempts     bigint      NOT NULL CHECK (attempts > 0),
    PRIMARY KEY (hour, by_tenant, by_principal)
);

-- What the relay must see of all tenants to count it: ids, states and times, no contents.
GRANT CREATE ON SCHEMA atom TO atom_relay;
GRANT SELECT (tenant_id, id, state, ended_at, created_at) ON atom.workflow_runs TO atom_relay;
GRANT SELECT (tenant_id, id, state, subject_kind, requested_at) ON atom.approvals TO atom_relay;
GRANT SELECT (tenant_id, run_id, started_at, ended_at) ON atom.step_attempts TO atom_relay;
GRANT SELECT (tenant_id, run_id, created_at) ON atom.log_chunks TO atom_relay;
GRANT SELECT (tenant_id, id) ON atom.packages, atom.principals TO atom_relay;
GRANT SELECT (tenant_id, entry_id) ON atom.audit_entries TO atom_relay;
GRANT SELECT (position, recorded_at) ON atom.audit_inbox TO atom_relay;
GRANT SELECT (state, valid_to) ON atom.signing_keys TO atom_relay;
GRANT SELECT (tenant_id, id, kind, detector, severity, state, label) ON atom.insight_signals TO atom_relay;
GRANT SELECT (reader, read_at) ON atom.insight_cursors TO atom_relay;
GRANT SELECT, INSERT, UPDATE ON atom.cross_tenant_attempts TO atom_relay;
CREATE POLICY relay ON atom.step_attempts FOR SELECT TO atom_relay USING (true);
CREATE POLICY relay ON atom.log_chunks FOR SELECT TO atom_relay USING (true);
CREATE POLICY relay ON atom.packages FOR SELECT TO atom_relay USING (true);
CREATE POLICY relay ON atom.principals FOR SELECT TO atom_relay USING (true);
CREATE POLICY relay ON atom.audit_entries FOR SELECT TO atom_relay USING (true);
CREATE POLICY relay ON atom.audit_inbox FOR SELECT TO atom_relay USING (true);
CREATE POLICY relay ON atom.signing_keys FOR SELECT TO atom_relay USING (true);
CREATE POLICY relay ON atom.insight_signals FOR SELECT TO atom_relay USING (true);
CREATE POLICY relay ON atom.insight_cursors FOR SELECT TO atom_relay USING (true);

-- Open runs by state, and for how long the quietest of each has shown nothing: no segment, no attempt, no line of log.
CREATE FUNCTION atom.open_runs()
RETURNS TABLE (state text, runs bigint, quiet_seconds double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.state, count(*), extract(epoch FROM now() - min(greatest(r.created_at, s.at, a.at, l.at)))::double precision
    FROM atom.workflow_runs AS r
    LEFT JOIN LATERAL (
        SELECT max(x.changed_at) AS at FROM atom.run_segments AS x WHERE x.tenant_id = r.tenant_id AND x.run_id = r.id
    ) AS s ON true
    LEFT JOIN LATERAL (
        SELECT max(coalesce(x.ended_at, x.started_at)) AS at
        FROM atom.step_attempts AS x WHERE x.tenant_id = r.tenant_id AND x.run_id = r.id
    ) AS a ON true
    LEFT JOIN LATERAL (
        SELECT max(x.created_at) AS at FROM atom.log_chunks AS x WHERE x.tenant_id = r.tenant_id AND x.run_id = r.id
    ) AS l ON true
    WHERE r.ended_at IS NULL
    GROUP BY r.state
$$;

CREATE FUNCTION atom.pending_approvals()
RETURNS TABLE (kind text, approvals bigint, oldest_seconds double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.subject_kind, count(*), extract(epoch FROM now() - min(a.requested_at))::double precision
    FROM atom.approvals AS a WHERE a.state = 'pending' GROUP BY a.subject_kind
$$;

-- How many recorded entries wait for the sequencer, counted up to 100,000, and the age of the first of them.
CREATE FUNCTION atom.audit_backlog(OUT waiting bigint, OUT oldest_seconds double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT (SELECT count(*) FROM (SELECT FROM atom.audit_inbox LIMIT 100000) AS first),
           coalesce((SELECT extract(epoch FROM clock_timestamp() - i.recorded_at)::double precision
                     FROM atom.audit_inbox AS i ORDER BY i.position LIMIT 1), 0)
$$;

-- When the log that was verified longest ago was verified; null as long as none was.
CREATE FUNCTION atom.audit_verified_at() RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT min(c.read_at) FROM atom.insight_cursors AS c WHERE c.reader = 'audit-verification'
$$;

-- When the next active signing key ends; null if none has an end.
CREATE FUNCTION atom.next_key_end() RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT min(k.valid_to) FROM atom.signing_keys AS k WHERE k.state = 'active'
$$;

CREATE FUNCTION atom.signal_counts()
RETURNS TABLE (kind text, detector text, severity text, state text, label text, signals bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.kind, s.detector, s.severity, s.state, s.label, count(*)
    FROM atom.insight_signals AS s GROUP BY s.kind, s.detector, s.severity, s.state, s.label
$$;

-- Counts `_id` against `_principal` if it is another tenant's. It answers nothing, so it is no way to find ids.
CREATE FUNCTION atom.note_unknown_id(_tenant uuid, _principal uuid, _id uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO atom.cross_tenant_attempts AS c (hour, by_tenant, by_principal, attempts)
    SELECT date_trunc('hour', now()), _tenant, _principal, 1
    WHERE EXISTS (
        SELECT FROM atom.tenants AS t WHERE t.tenant_id <> _tenant AND (
            EXISTS (SELECT FROM atom.workflow_runs AS x WHERE x.tenant_id = t.tenant_id AND x.id = _id)
            OR EXISTS (SELECT FROM atom.packages AS x WHERE x.tenant_id = t.tenant_id AND x.id = _id)
            OR EXISTS (SELECT FROM atom.approvals AS x WHERE x.tenant_id = t.tenant_id AND x.id = _id)
            OR EXISTS (SELECT FROM atom.principals AS x WHERE x.tenant_id = t.tenant_id AND x.id = _id)
            OR EXISTS (SELECT FROM atom.insight_signals AS x WHERE x.tenant_id = t.tenant_id AND x.id = _id)
            OR EXISTS (SELECT FROM atom.audit_entries AS x WHERE x.tenant_id = t.tenant_id AND x.entry_id = _id)))
    ON CONFLICT (hour, by_tenant, by_principal) DO UPDATE SET attempts = c.attempts + 1
$$;

CREATE FUNCTION atom.cross_tenant_attempt_count() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(sum(c.attempts), 0)::bigint FROM atom.cross_tenant_attempts AS c
$$;

ALTER FUNCTION atom.open_runs() OWNER TO atom_relay;
ALTER FUNCTION atom.pending_approvals() OWNER TO atom_relay;
ALTER FUNCTION atom.audit_backlog() OWNER TO atom_relay;
ALTER FUNCTION atom.audit_verified_at() OWNER TO atom_relay;
ALTER FUNCTION atom.next_key_end() OWNER TO atom_relay;
ALTER FUNCTION atom.signal_counts() OWNER TO atom_relay;
ALTER FUNCTION atom.note_unknown_id(uuid, uuid, uuid) OWNER TO atom_relay;
ALTER FUNCTION atom.cross_tenant_attempt_count() OWNER TO atom_relay;
REVOKE CREATE ON SCHEMA atom FROM atom_relay;
REVOKE ALL ON FUNCTION atom.open_runs(), atom.pending_approvals(), atom.audit_backlog(), atom.audit_verified_at(),
    atom.next_key_end(), atom.signal_counts(), atom.note_unknown_id(uuid, uuid, uuid),
    atom.cross_tenant_attempt_count() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION atom.open_runs(), atom.pending_approvals(), atom.audit_backlog(), atom.audit_verified_at(),
    atom.next_key_end(), atom.signal_counts(), atom.cross_tenant_attempt_count() TO atom_worker;
GRANT EXECUTE ON FUNCTION atom.note_unknown_id(uuid, uuid, uuid) TO atom_app;
