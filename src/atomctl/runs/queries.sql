-- name: insert_run(tenant_id, id, package_id, workflow, version, package_digest, parameters, parameters_digest, plan_digest, policy_digest, preview_digest, dry_run, environment, origin, rerun_of, requested_by, idempotency_key)<!
INSERT INTO atom.workflow_runs (
    tenant_id, id, package_id, workflow, version, package_digest, parameters, parameters_digest, plan_digest,
    policy_digest, preview_digest, state, dry_run, environment, origin, rerun_of, requested_by, idempotency_key
) VALUES (
    :tenant_id, :id, :package_id, :workflow, :version, :package_digest, :parameters, :parameters_digest, :plan_digest,
    :policy_digest, :preview_digest, 'RECEIVED', :dry_run, :environment, :origin, :rerun_of, :requested_by,
    :idempotency_key
) RETURNING *;

-- name: insert_plan(tenant_id, run_id, plan, decision, preview)!
INSERT INTO atom.run_plans (tenant_id, run_id, plan, decision, preview)
VALUES (:tenant_id, :run_id, :plan, :decision, :preview);

-- name: plan(tenant_id, run_id)^
SELECT plan, decision, preview FROM atom.run_plans WHERE tenant_id = :tenant_id AND run_id = :run_id;

-- name: run(tenant_id, id)^
SELECT * FROM atom.workflow_runs WHERE tenant_id = :tenant_id AND id = :id;

-- name: lock_run(tenant_id, id)^
SELECT * FROM atom.workflow_runs WHERE tenant_id = :tenant_id AND id = :id FOR NO KEY UPDATE;

-- name: run_by_key(tenant_id, idempotency_key)^
SELECT * FROM atom.workflow_runs WHERE tenant_id = :tenant_id AND idempotency_key = :idempotency_key;

-- name: run_by_approval(tenant_id, approval_id)^
SELECT * FROM atom.workflow_runs WHERE tenant_id = :tenant_id AND approval_id = :approval_id FOR NO KEY UPDATE;

-- name: list_runs(tenant_id, before, workflow, state, count)
SELECT * FROM atom.workflow_runs
WHERE tenant_id = :tenant_id
  AND (:before::uuid IS NULL OR id < :before)
  AND (:workflow::text IS NULL OR workflow = :workflow)
  AND (:state::text IS NULL OR state = :state)
ORDER BY id DESC
LIMIT :count;

-- name: move_run(after, why, code, left_over, ended, tenant_id, id, before)!
-- The guard is the old state: whoever comes second changes nothing.
UPDATE atom.workflow_runs
SET state = :after,
    why = :why,
    code = :code,
    left_over = :left_over,
    started_at = CASE WHEN :after IN ('RUNNING', 'ROLLING_BACK') THEN coalesce(started_at, now()) ELSE started_at END,
    ended_at = CASE WHEN :ended THEN now() ELSE NULL END
WHERE tenant_id = :tenant_id AND id = :id AND state = :before;

-- name: set_run_approval(approval_id, tenant_id, id)!
UPDATE atom.workflow_runs SET approval_id = :approval_id WHERE tenant_id = :tenant_id AND id = :id;

-- name: lock_key(key)!
SELECT pg_advisory_xact_lock(hashtextextended(:key, 0));

-- name: recent_dry_run(tenant_id, plan_digest, parameters_digest, package_digest, within)$
SELECT id FROM atom.workflow_runs
WHERE tenant_id = :tenant_id AND dry_run AND state = 'SUCCEEDED' AND plan_digest = :plan_digest
  AND parameters_digest = :parameters_digest AND package_digest = :package_digest
  AND created_at > now() - :within::interval
ORDER BY id DESC
LIMIT 1;

-- name: insert_segment(tenant_id, run_id)!
INSERT INTO atom.run_segments (tenant_id, run_id, number, state)
SELECT :tenant_id, :run_id, coalesce(max(number), 0) + 1, 'READY'
FROM atom.run_segments WHERE tenant_id = :tenant_id AND run_id = :run_id;

-- name: announce_segment()!
SELECT pg_notify('atom_segments', '');

-- name: take_ready_segments(count)
SELECT * FROM atom.take_ready_segments(:count);

-- name: mark_enqueued(tenant_id, run_id, number)!
UPDATE atom.run_segments SET state = 'ENQUEUED', changed_at = now()
WHERE tenant_id = :tenant_id AND run_id = :run_id AND number = :number AND state = 'READY';

-- name: claim_segment(worker_id, tenant_id, run_id, number)$
UPDATE atom.run_segments
SET state = 'RUNNING', token = token + 1, worker_id = :worker_id, changed_at = now()
WHERE tenant_id = :tenant_id AND run_id = :run_id AND number = :number AND state IN ('READY', 'ENQUEUED', 'RUNNING')
RETURNING token;

-- name: held_run(tenant_id, run_id, number, token)^
-- Both rows are locked. A takeover that commits while this waits changes the token, and there is no row.
SELECT r.*
FROM atom.run_segments AS s
JOIN atom.workflow_runs AS r ON r.tenant_id = s.tenant_id AND r.id = s.run_id
WHERE s.tenant_id = :tenant_id AND s.run_id = :run_id AND s.number = :number AND s.token = :token
  AND s.state = 'RUNNING'
FOR NO KEY UPDATE OF s, r;

-- name: close_segment(after, tenant_id, run_id, number, before)!
UPDATE atom.run_segments SET state = :after, changed_at = now()
WHERE tenant_id = :tenant_id AND run_id = :run_id AND number = :number AND state = ANY(:before);

-- name: close_waiting_segments(tenant_id, run_id)!
UPDATE atom.run_segments SET state = 'DONE', changed_at = now()
WHERE tenant_id = :tenant_id AND run_id = :run_id AND state IN ('READY', 'ENQUEUED');

-- name: count_lost_segments(tenant_id, run_id)$
SELECT count(*) FROM atom.run_segments WHERE tenant_id = :tenant_id AND run_id = :run_id AND state = 'LOST';

-- name: interrupted_segments(tenants, runs, numbers, tokens)
SELECT * FROM atom.interrupted_segments(:tenants, :runs, :numbers, :tokens);

-- name: quiet_segments(quiet, count)
SELECT * FROM atom.quiet_segments(:quiet, :count);

-- name: insert_steps(tenant_id, run_id, steps)!
INSERT INTO atom.run_steps (tenant_id, run_id, phase, name, position, type, state, outputs, completion)
SELECT :tenant_id, :run_id, s.phase, s.name, s.position, s.type, s.state, s.outputs, s.completion
FROM jsonb_to_recordset(:steps) AS s (
    phase text, name text, position integer, type text, state text, outputs jsonb, completion integer);

-- name: steps(tenant_id, run_id)
SELECT * FROM atom.run_steps WHERE tenant_id = :tenant_id AND run_id = :run_id ORDER BY phase, position;

-- name: step_by_approval(tenant_id, approval_id)^
SELECT * FROM atom.run_steps WHERE tenant_id = :tenant_id AND approval_id = :approval_id;

-- name: start_step(tenant_id, run_id, phase, name, before)!
UPDATE atom.run_steps
SET state = 'STARTING', attempts = attempts + 1, started_at = coalesce(started_at, now()), error = NULL, code = NULL
WHERE tenant_id = :tenant_id AND run_id = :run_id AND phase = :phase AND name = :name AND state = :before;

-- name: move_step(after, error, code, outputs, exit_code, approval_id, completes, tenant_id, run_id, phase, name, before)!
UPDATE atom.run_steps
SET state = :after,
    error = :error,
    code = :code,
    outputs = coalesce(:outputs, outputs),
    exit_code = :exit_code,
    approval_id = coalesce(:approval_id, approval_id),
    completion = CASE WHEN :completes AND completion IS NULL THEN (
        SELECT coalesce(max(s.completion), 0) + 1 FROM atom.run_steps AS s
        WHERE s.tenant_id = :tenant_id AND s.run_id = :run_id) ELSE completion END,
    ended_at = CASE WHEN :completes THEN now() ELSE ended_at END
WHERE tenant_id = :tenant_id AND run_id = :run_id AND phase = :phase AND name = :name AND state = :before;

-- name: reopen_step(tenant_id, run_id, phase, name, before)!
UPDATE atom.run_steps
SET state = 'PENDING', round = round + 1, error = NULL, code = NULL, ended_at = NULL, completion = NULL
WHERE tenant_id = :tenant_id AND run_id = :run_id AND phase = :phase AND name = :name AND state = :before;

-- name: latest_attempt(tenant_id, run_id, phase, step, round, try_number)^
SELECT * FROM atom.step_attempts
WHERE tenant_id = :tenant_id AND run_id = :run_id AND phase = :phase AND step = :step AND round = :round
  AND try_number = :try_number
ORDER BY number DESC
LIMIT 1;

-- name: attempt_states(tenant_id, ids)
SELECT id, state FROM atom.step_attempts WHERE tenant_id = :tenant_id AND id = ANY(:ids);

-- name: is_tenant(tenant_id)$
SELECT EXISTS (SELECT 1 FROM atom.tenants WHERE tenant_id = :tenant_id);

-- name: attempts(tenant_id, run_id)
SELECT * FROM atom.step_attempts WHERE tenant_id = :tenant_id AND run_id = :run_id ORDER BY started_at, id;

-- name: insert_attempt(tenant_id, id, run_id, phase, step, number, round, try_number, segment, token, worker_id)!
INSERT INTO atom.step_attempts (
    tenant_id, id, run_id, phase, step, number, round, try_number, segment, token, worker_id, state
) VALUES (
    :tenant_id, :id, :run_id, :phase, :step, :number, :round, :try_number, :segment, :token, :worker_id, 'STARTED'
);

-- name: end_attempt(after, exit_code, outputs, error, code, isolation, tenant_id, id)!
UPDATE atom.step_attempts
SET state = :after, exit_code = :exit_code, outputs = :outputs, error = :error, code = :code, isolation = :isolation,
    ended_at = now()
WHERE tenant_id = :tenant_id AND id = :id AND state = 'STARTED';

-- name: intend_object(tenant_id, attempt_id, run_id, phase, step, action, api_version, kind, namespace, name, kept, before_object, after_object, before_digest, after_digest)!
INSERT INTO atom.step_objects (
    tenant_id, attempt_id, run_id, phase, step, action, api_version, kind, namespace, name, kept, before_object,
    after_object, before_digest, after_digest
) VALUES (
    :tenant_id, :attempt_id, :run_id, :phase, :step, :action, :api_version, :kind, :namespace, :name, :kept,
    :before_object, :after_object, :before_digest, :after_digest
)
ON CONFLICT (tenant_id, attempt_id, action, api_version, kind, namespace, name) DO UPDATE
SET before_object = excluded.before_object, after_object = excluded.after_object,
    before_digest = excluded.before_digest, after_digest = excluded.after_digest, changed_at = now();

-- name: make_object(after_object, after_digest, tenant_id, attempt_id, action, api_version, kind, namespace, name)!
UPDATE atom.step_objects
SET state = 'MADE', after_object = :after_object, after_digest = :after_digest, changed_at = now()
WHERE tenant_id = :tenant_id AND attempt_id = :attempt_id AND action = :action AND api_version = :api_version
  AND kind = :kind AND namespace = :namespace AND name = :name;

-- name: refuse_objects(tenant_id, attempt_id)!
UPDATE atom.step_objects SET state = 'REFUSED', changed_at = now()
WHERE tenant_id = :tenant_id AND attempt_id = :attempt_id AND state = 'INTENDED';

-- name: objects_of_run(tenant_id, run_id)
SELECT * FROM atom.step_objects
WHERE tenant_id = :tenant_id AND run_id = :run_id AND state <> 'REFUSED'
ORDER BY ordinal;

-- name: insert_chunk(tenant_id, run_id, attempt_id, sequence, start_offset, length, digest)!
INSERT INTO atom.log_chunks (tenant_id, run_id, attempt_id, sequence, start_offset, length, digest)
VALUES (:tenant_id, :run_id, :attempt_id, :sequence, :start_offset, :length, :digest)
ON CONFLICT (tenant_id, attempt_id, sequence) DO NOTHING;

-- name: chunks_from(tenant_id, attempt_id, start, count)
SELECT c.* FROM atom.log_chunks AS c
WHERE c.tenant_id = :tenant_id AND c.attempt_id = :attempt_id AND c.start_offset + c.length > :start
ORDER BY c.sequence
LIMIT :count;

-- name: last_chunks(tenant_id, attempt_id, count)
SELECT c.* FROM atom.log_chunks AS c
WHERE c.tenant_id = :tenant_id AND c.attempt_id = :attempt_id
ORDER BY c.sequence DESC
LIMIT :count;

-- name: insert_worker(id, host, pid, version, isolation)!
INSERT INTO atom.workers (id, host, pid, version, isolation, state)
VALUES (:id, :host, :pid, :version, :isolation, 'ALIVE');

-- name: beat(id)!
UPDATE atom.workers SET beat = beat + 1, beat_at = now() WHERE id = :id AND state = 'ALIVE';

-- name: alive_workers()
SELECT id, beat FROM atom.workers WHERE state = 'ALIVE';

-- name: workers(count)
SELECT * FROM atom.workers ORDER BY started_at DESC LIMIT :count;

-- name: end_worker(state, id, beat)!
UPDATE atom.workers SET state = :state, ended_at = now() WHERE id = :id AND state = 'ALIVE' AND beat = :beat;

-- name: leave(id)!
UPDATE atom.workers SET state = 'LEFT', ended_at = now() WHERE id = :id AND state = 'ALIVE';

-- name: try_recovery_lock()$
SELECT pg_try_advisory_xact_lock(5713862049001);

-- name: due_tenants()
SELECT tenant_id FROM atom.tenants_with_due_approvals();
