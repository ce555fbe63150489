-- name: raise_signal(tenant_id, id, kind, subject, detector, detector_version, window_start, window_end, observed, baseline, score, severity, summary, position, evidence, dedup_key)^
-- A repeat is an occurrence only if it rests on something newer; what was closed opens again. No row: nothing is new.
INSERT INTO atom.insight_signals AS s (
    tenant_id, id, kind, subject, detector, detector_version, window_start, window_end, observed, baseline, score,
    severity, summary, position, evidence, dedup_key
) VALUES (
    :tenant_id, :id, :kind, :subject, :detector, :detector_version, :window_start, :window_end, :observed, :baseline,
    :score, :severity, :summary, :position, :evidence::uuid[], :dedup_key
)
ON CONFLICT (tenant_id, dedup_key) DO UPDATE SET
    window_end = excluded.window_end,
    position = excluded.position,
    observed = excluded.observed,
    baseline = excluded.baseline,
    score = excluded.score,
    severity = CASE WHEN 'critical' IN (s.severity, excluded.severity) THEN 'critical' ELSE excluded.severity END,
    summary = excluded.summary,
    evidence = ARRAY(
        SELECT run FROM (
            SELECT run, max(place) AS place FROM unnest(s.evidence || excluded.evidence) WITH ORDINALITY AS u (run, place)
            GROUP BY run ORDER BY place DESC LIMIT 50
        ) AS kept ORDER BY place
    ),
    occurrences = s.occurrences + 1,
    state = CASE WHEN s.state = 'closed' THEN 'open' ELSE s.state END,
    handled_by = CASE WHEN s.state = 'closed' THEN NULL ELSE s.handled_by END,
    changed_at = now()
WHERE excluded.position > s.position
RETURNING *, (xmax = 0) AS is_new;

-- name: list_signals(tenant_id, before, state, kind, count)
SELECT * FROM atom.insight_signals
WHERE tenant_id = :tenant_id
  AND (:before::uuid IS NULL OR id < :before)
  AND (:state::text IS NULL OR state = :state)
  AND (:kind::text IS NULL OR kind = :kind)
ORDER BY id DESC
LIMIT :count;

-- name: signal(tenant_id, id)^
SELECT * FROM atom.insight_signals WHERE tenant_id = :tenant_id AND id = :id;

-- name: signals_around(tenant_id, run_id, workflow, first, last, count)
-- Those that name the run come first, then those about its workflow whose window meets its time; newest first.
SELECT * FROM atom.insight_signals
WHERE tenant_id = :tenant_id
  AND (:run_id::uuid = ANY(evidence)
       OR (subject = 'workflow/' || :workflow AND window_start <= :last AND window_end >= :first))
ORDER BY :run_id::uuid = ANY(evidence) DESC, window_end DESC, id DESC
LIMIT :count;

-- name: lock_signal(tenant_id, id)^
SELECT * FROM atom.insight_signals WHERE tenant_id = :tenant_id AND id = :id FOR NO KEY UPDATE;

-- name: handle_signal(state, handled_by, comment, tenant_id, id)^
UPDATE atom.insight_signals
SET state = :state, handled_by = :handled_by, comment = coalesce(:comment, comment), changed_at = now()
WHERE tenant_id = :tenant_id AND id = :id
RETURNING *;

-- name: label_signal(label, labelled_by, comment, tenant_id, id)^
UPDATE atom.insight_signals
SET label = :label, labelled_by = :labelled_by, comment = coalesce(:comment, comment), changed_at = now()
WHERE tenant_id = :tenant_id AND id = :id
RETURNING *;

-- name: tenant_ids()
SELECT tenant_id FROM atom.tenant_ids() AS tenant_id;

-- name: watch(tenant_id, name)^
SELECT position, document FROM atom.insight_watches WHERE tenant_id = :tenant_id AND name = :name;

-- name: move_watch(tenant_id, name, position, document, before)^
-- No row: another worker judged these points meanwhile. `before` is -1 where there was no row.
INSERT INTO atom.insight_watches AS w (tenant_id, name, position, document)
VALUES (:tenant_id, :name, :position, :document)
ON CONFLICT (tenant_id, name) DO UPDATE
SET position = excluded.position, document = excluded.document, judged_at = now()
WHERE w.position = :before
RETURNING position;

-- name: runs_between(tenant_id, first, last, workflow, count)
-- The newest runs that were at work at some time between the two, oldest first.
SELECT id FROM (
    SELECT id, started_at FROM atom.workflow_runs
    WHERE tenant_id = :tenant_id AND NOT dry_run AND started_at <= :last AND (ended_at IS NULL OR ended_at >= :first)
      AND (:workflow::text IS NULL OR workflow = :workflow)
    ORDER BY started_at DESC, id DESC
    LIMIT :count
) AS newest ORDER BY started_at, id;

-- name: try_lead()$
-- One patrol at a time in a database; the number is "ATOM_INS" in ASCII.
SELECT pg_try_advisory_xact_lock(4707474704238726739);

-- name: cursor(tenant_id, reader)$
SELECT position FROM atom.insight_cursors WHERE tenant_id = :tenant_id AND reader = :reader;

-- name: move_cursor(tenant_id, reader, position)!
INSERT INTO atom.insight_cursors (tenant_id, reader, position) VALUES (:tenant_id, :reader, :position)
ON CONFLICT (tenant_id, reader) DO UPDATE SET position = excluded.position, read_at = now();

-- name: cursor_age(tenant_id, reader)$
SELECT extract(epoch FROM now() - read_at)::double precision FROM atom.insight_cursors
WHERE tenant_id = :tenant_id AND reader = :reader;

-- name: entries_from(tenant_id, first, count)
SELECT entry_index, sequenced_at, run_id, data FROM atom.audit_entries
WHERE tenant_id = :tenant_id AND entry_index >= :first
ORDER BY entry_index
LIMIT :count;

-- name: workflows_ended_since(tenant_id, since)
SELECT DISTINCT workflow FROM atom.workflow_runs
WHERE tenant_id = :tenant_id AND ended_at >= :since AND NOT dry_run;

-- name: ended_runs(tenant_id, workflow, count)
SELECT id, workflow, state, started_at, ended_at FROM atom.workflow_runs
WHERE tenant_id = :tenant_id AND workflow = :workflow AND ended_at IS NOT NULL AND NOT dry_run
  AND state IN ('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ROLLED_BACK', 'ROLLBACK_INCOMPLETE')
ORDER BY ended_at DESC, id DESC
LIMIT :count;

-- name: old_approvals(tenant_id, age)
SELECT id, subject_kind, subject_ref, requested_at FROM atom.approvals
WHERE tenant_id = :tenant_id AND state = 'pending' AND requested_at < now() - :age::interval
ORDER BY requested_at
LIMIT 100;

-- name: open_runs()
SELECT * FROM atom.open_runs();

-- name: pending_approvals()
SELECT * FROM atom.pending_approvals();

-- name: audit_backlog()^
SELECT * FROM atom.audit_backlog();

-- name: worker_counts()
SELECT state, count(*) AS workers, max(beat_at) AS beat_at FROM atom.workers GROUP BY state;

-- name: single_figures()^
SELECT atom.audit_verified_at() AS audit_verified_at,
       atom.next_key_end() AS next_key_end,
       atom.cross_tenant_attempt_count() AS cross_tenant_attempts;

-- name: signal_counts()
SELECT * FROM atom.signal_counts();
