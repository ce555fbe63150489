-- Runs: what was asked for, what was planned, the segments that ask the engine for work, steps, attempts, logs.

CREATE TABLE atom.workflow_runs (
    tenant_id          uuid        NOT NULL,
    id                 uuid        NOT NULL,
    package_id         uuid        NOT NULL,
    workflow           text        NOT NULL,
    version            text        NOT NULL,
    package_digest     text        NOT NULL,
    parameters         jsonb       NOT NULL,
    parameters_digest  text        NOT NULL,
    plan_digest        text        NOT NULL,
    policy_digest      text        NOT NULL,
    state              text        NOT NULL CHECK (state IN (
        'RECEIVED', 'PLANNING', 'BLOCKED', 'AWAITING_APPROVAL', 'REJECTED', 'EXPIRED', 'QUEUED', 'RUNNING', 'PAUSED',
        'CANCELLING', 'CANCELLED', 'ROLLING_BACK', 'ROLLED_BACK', 'ROLLBACK_INCOMPLETE', 'NEEDS_DECISION',
        'SUCCEEDED', 'FAILED', 'TIMED_OUT')),
    why                text,
    code               text,
    left_over          text[]      NOT NULL DEFAULT '{}',
    dry_run            boolean     NOT NULL DEFAULT false,
    environment        text        NOT NULL,
    origin             text        NOT NULL CHECK (origin IN ('PERSON', 'RERUN')),
    rerun_of           uuid,
    requested_by       uuid        NOT NULL,
    approval_id        uuid,
    idempotency_key    text,
    created_at         timestamptz NOT NULL DEFAULT now(),
    started_at         timestamptz,
    ended_at           timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, idempotency_key),
    FOREIGN KEY (tenant_id, package_id) REFERENCES atom.packages (tenant_id, id),
    FOREIGN KEY (tenant_id, requested_by) REFERENCES atom.principals (tenant_id, id),
    FOREIGN KEY (tenant_id, approval_id) REFERENCES atom.approvals (tenant_id, id),
    FOREIGN KEY (tenant_id, rerun_of) REFERENCES atom.workflow_runs (tenant_id, id)
);
SELECT atom.protect('atom.workflow_runs');
CREATE INDEX workflow_runs_by_workflow ON atom.workflow_runs (tenant_id, workflow, id DESC);
CREATE INDEX workflow_runs_by_state ON atom.workflow_runs (tenant_id, state, id DESC);
CREATE INDEX workflow_runs_dry ON atom.workflow_runs (tenant_id, plan_digest, created_at) WHERE dry_run;

-- What was planned and decided, whole. Never changed: approvals are bound to the digests of these documents.
CREATE TABLE atom.run_plans (
    tenant_id  uuid   NOT NULL,
    run_id     uuid   NOT NULL,
    plan       jsonb  NOT NULL,
    decision   jsonb  NOT NULL,
    PRIMARY KEY (tenant_id, run_id),
    FOREIGN KEY (tenant_id, run_id) REFERENCES atom.workflow_runs (tenant_id, id)
);
SELECT atom.protect('atom.run_plans', 'SELECT, INSERT');

-- The outbox. READY asks for work; whoever changes a run's fate inserts the row in the same transaction.
CREATE TABLE atom.run_segments (
    tenant_id   uuid        NOT NULL,
    run_id      uuid        NOT NULL,
    number      integer     NOT NULL CHECK (number > 0),
    state       text        NOT NULL CHECK (state IN ('READY', 'ENQUEUED', 'RUNNING', 'DONE', 'LOST')),
    token       bigint      NOT NULL DEFAULT 0,
    worker_id   uuid,
    relayed_at  timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, run_id, number),
    FOREIGN KEY (tenant_id, run_id) REFERENCES atom.workflow_runs (tenant_id, id)
);
SELECT atom.protect('atom.run_segments');
CREATE INDEX run_segments_ready ON atom.run_segments (created_at) WHERE state = 'READY';
CREATE INDEX run_segments_open ON atom.run_segments (changed_at) WHERE state IN ('ENQUEUED', 'RUNNING');

CREATE TABLE atom.run_steps (
    tenant_id    uuid        NOT NULL,
    run_id       uuid        NOT NULL,
    phase        text        NOT NULL CHECK (phase IN ('FORWARD', 'ROLLBACK')),
    name         text        NOT NULL,
    position     integer     NOT NULL,
    type         text        NOT NULL,
    state        text        NOT NULL CHECK (state IN (
        'PENDING', 'SKIPPED', 'STARTING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'CANCELLED', 'UNKNOWN',
        'COMPENSATED', 'COMPENSATION_FAILED')),
    exit_code    integer,
    outputs      jsonb       NOT NULL DEFAULT '{}',
    error        text,
    code         text,
    attempts     integer     NOT NULL DEFAULT 0,
    round        integer     NOT NULL DEFAULT 1,  -- grows when a person lets the step be tried again
    completion   integer,
    approval_id  uuid,
    started_at   timestamptz,
    ended_at     timestamptz,
    PRIMARY KEY (tenant_id, run_id, phase, name),
    FOREIGN KEY (tenant_id, run_id) REFERENCES atom.workflow_runs (tenant_id, id),
    FOREIGN KEY (tenant_id, approval_id) REFERENCES atom.approvals (tenant_id, id)
);
SELECT atom.protect('atom.run_steps');
CREATE INDEX run_steps_by_approval ON atom.run_steps (tenant_id, approval_id) WHERE approval_id IS NOT NULL;

-- A row here is the record of what happened. A result is written only under the fencing token of its intent.
CREATE TABLE atom.step_attempts (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    run_id      uuid        NOT NULL,
    phase       text        NOT NULL,
    step        text        NOT NULL,
    number      integer     NOT NULL CHECK (number > 0),
    round       integer     NOT NULL,
    try_number  integer     NOT NULL CHECK (try_number > 0),
    segment     integer     NOT NULL,
    token       bigint      NOT NULL,
    worker_id   uuid        NOT NULL,
    state       text        NOT NULL CHECK (state IN (
        'STARTED', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'CANCELLED', 'REFUSED', 'LOST')),
    exit_code   integer,
    outputs     jsonb       NOT NULL DEFAULT '{}',
    error       text,
    code        text,
    isolation   text,
    started_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, run_id, phase, step, number),
    FOREIGN KEY (tenant_id, run_id, phase, step) REFERENCES atom.run_steps (tenant_id, run_id, phase, name),
    FOREIGN KEY (tenant_id, run_id, segment) REFERENCES atom.run_segments (tenant_id, run_id, number)
);
SELECT atom.protect('atom.step_attempts');

-- The index of the log; the bytes are zstd frames in the object store.
CREATE TABLE atom.log_chunks (
    tenant_id     uuid        NOT NULL,
    run_id        uuid        NOT NULL,
    attempt_id    uuid        NOT NULL,
    sequence      integer     NOT NULL CHECK (sequence > 0),
    start_offset  bigint      NOT NULL CHECK (start_offset >= 0),
    length        integer     NOT NULL CHECK (length > 0),
    digest        text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, attempt_id, sequence),
    FOREIGN KEY (tenant_id, attempt_id) REFERENCES atom.step_attempts (tenant_id, id)
);
SELECT atom.protect('atom.log_chunks', 'SELECT, INSERT');
CREATE INDEX log_chunks_by_run ON atom.log_chunks (tenant_id, run_id);

-- Of the deployment: who is there to run things. No tenant, on the reviewed list.
CREATE TABLE atom.workers (
    id          uuid        PRIMARY KEY,
    host        text        NOT NULL,
    pid         integer     NOT NULL,
    version     text        NOT NULL,
    isolation   text        NOT NULL,
    state       text        NOT NULL CHECK (state IN ('ALIVE', 'LEFT', 'DEAD')),
    beat        bigint      NOT NULL DEFAULT 0,
    beat_at     timestamptz NOT NULL DEFAULT now(),
    started_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz
);
ALTER TABLE atom.workers OWNER TO atom_owner;
GRANT SELECT ON atom.workers TO atom_app;
GRANT SELECT, INSERT, UPDATE ON atom.workers TO atom_worker;
CREATE INDEX workers_alive ON atom.workers (id) WHERE state = 'ALIVE';

-- What workers must see of all tenants: ids, never contents. Each function is on the reviewed list.
GRANT SELECT (tenant_id, run_id, number, state, token, worker_id, relayed_at, created_at, changed_at),
      UPDATE (relayed_at) ON atom.run_segments TO atom_relay;
GRANT SELECT (tenant_id, id, state) ON atom.workflow_runs TO atom_relay;
CREATE POLICY relay ON atom.run_segments TO atom_relay USING (true) WITH CHECK (true);
CREATE POLICY relay ON atom.workflow_runs FOR SELECT TO atom_relay USING (true);

-- Takes up to `_limit` ready segments for five seconds; a relay that dies meanwhile leaves them to the next one.
CREATE FUNCTION atom.take_ready_segments(_limit integer)
RETURNS TABLE (tenant_id uuid, run_id uuid, number integer)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE atom.run_segments AS s SET relayed_at = now()
    FROM (
        SELECT r.tenant_id, r.run_id, r.number
        FROM atom.run_segments AS r
        WHERE r.state = 'READY' AND (r.relayed_at IS NULL OR r.relayed_at < now() - interval '5 seconds')
        ORDER BY r.created_at
        LIMIT _limit
        FOR NO KEY UPDATE SKIP LOCKED
    ) AS taken
    WHERE s.tenant_id = taken.tenant_id AND s.run_id = taken.run_id AND s.number = taken.number
    RETURNING s.tenant_id, s.run_id, s.number
$$;

-- Which of the segments a worker is executing must stop, and why: `fenced` when another worker has taken the segment
-- over, `cancel` when the run is being cancelled.
CREATE FUNCTION atom.interrupted_segments(_tenants uuid[], _runs uuid[], _numbers integer[], _tokens bigint[])
RETURNS TABLE (run_id uuid, number integer, token bigint, reason text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT mine.run_id, mine.number, mine.token, CASE WHEN s.token <> mine.token THEN 'fenced' ELSE 'cancel' END
    FROM unnest(_tenants, _runs, _numbers, _tokens) AS mine (tenant_id, run_id, number, token)
    JOIN atom.run_segments AS s
      ON s.tenant_id = mine.tenant_id AND s.run_id = mine.run_id AND s.number = mine.number
    JOIN atom.workflow_runs AS r ON r.tenant_id = s.tenant_id AND r.id = s.run_id
    WHERE s.token <> mine.token OR r.state = 'CANCELLING'
$$;

-- Segments that were handed to the engine and have not changed for `_quiet`: the self-check compares them with it.
CREATE FUNCTION atom.quiet_segments(_quiet interval, _limit integer)
RETURNS TABLE (tenant_id uuid, run_id uuid, number integer, state text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.tenant_id, s.run_id, s.number, s.state
    FROM atom.run_segments AS s
    WHERE s.state IN ('ENQUEUED', 'RUNNING') AND s.changed_at < now() - _quiet
    ORDER BY s.changed_at
    LIMIT _limit
$$;

-- Tenants with an approval whose time is over, for the worker that expires it.
GRANT SELECT (tenant_id, state, expires_at) ON atom.approvals TO atom_relay;
CREATE POLICY relay ON atom.approvals FOR SELECT TO atom_relay USING (true);
CREATE FUNCTION atom.tenants_with_due_approvals()
RETURNS TABLE (tenant_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT DISTINCT a.tenant_id FROM atom.approvals AS a WHERE a.state = 'pending' AND a.expires_at <= now()
$$;

ALTER FUNCTION atom.tenants_with_due_approvals() OWNER TO atom_relay;
REVOKE ALL ON FUNCTION atom.tenants_with_due_approvals() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION atom.tenants_with_due_approvals() TO atom_worker;
ALTER FUNCTION atom.take_ready_segments(integer) OWNER TO atom_relay;
ALTER FUNCTION atom.interrupted_segments(uuid[], uuid[], integer[], bigint[]) OWNER TO atom_relay;
ALTER FUNCTION atom.quiet_segments(interval, integer) OWNER TO atom_relay;
REVOKE ALL ON FUNCTION atom.take_ready_segments(integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION atom.interrupted_segments(uuid[], uuid[], integer[], bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION atom.quiet_segments(interval, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION atom.take_ready_segments(integer) TO atom_worker;
GRANT EXECUTE ON FUNCTION atom.interrupted_segments(uuid[], uuid[], integer[], bigint[]) TO atom_worker;
GRANT EXECUTE ON FUNCTION atom.quiet_segments(interval, integer) TO atom_worker;
