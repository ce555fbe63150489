-- name: watermark(tenant_id, start, end)$
-- The last entry of any run that ended in these days.
SELECT max(s.last_index) FROM atom.settled_runs(:tenant_id, :start, :end) AS s;

-- name: log_size(tenant_id)$
SELECT size FROM atom.audit_heads WHERE tenant_id = :tenant_id;

-- name: census(tenant_id, start, end, watermark)
-- Which runs each day has up to the watermark; of those that were forgotten the ids.
SELECT (r.ended_at AT TIME ZONE 'UTC')::date AS day, count(*) AS runs, max(s.last_index) AS last_entry,
    count(*) FILTER (WHERE r.dry_run AND t.run_id IS NULL) AS dry_runs,
    array_remove(array_agg(t.run_id ORDER BY t.run_id), NULL) AS forgotten
FROM atom.settled_runs(:tenant_id, :start, :end) AS s
JOIN atom.workflow_runs AS r ON r.tenant_id = :tenant_id AND r.id = s.run_id
LEFT JOIN atom.dataset_tombstones AS t ON t.tenant_id = r.tenant_id AND t.run_id = r.id
WHERE s.last_index <= :watermark
GROUP BY 1
ORDER BY 1;

-- name: risks(tenant_id, start, end)
-- The risk of each package that ran on the day, as its first report has it: what was known when it was published.
SELECT p.package_id, v.risk
FROM (
    SELECT DISTINCT r.package_id FROM atom.workflow_runs AS r
    WHERE r.tenant_id = :tenant_id AND r.ended_at >= :start AND r.ended_at < :end
) AS p
CROSS JOIN LATERAL (
    SELECT convert_from(x.data, 'UTF8')::jsonb -> 'risk' AS risk FROM atom.validation_reports AS x
    WHERE x.tenant_id = :tenant_id AND x.package_id = p.package_id
    ORDER BY x.id
    LIMIT 1
) AS v;

-- name: durations_before(tenant_id, start, end, watermark, count)
-- Of each workflow that succeeded on the day: the last successful runs before it, the oldest first.
SELECT w.workflow, array_agg(b.duration_ms ORDER BY b.ended_at, b.id) AS durations
FROM (
    SELECT DISTINCT r.workflow FROM atom.workflow_runs AS r
    WHERE r.tenant_id = :tenant_id AND r.ended_at >= :start AND r.ended_at < :end AND r.state = 'SUCCEEDED'
) AS w
CROSS JOIN LATERAL (
    SELECT r.id, r.ended_at, floor(extract(epoch FROM r.ended_at - r.started_at) * 1000)::bigint AS duration_ms
    FROM atom.workflow_runs AS r
    JOIN LATERAL (
        SELECT s.last_index FROM atom.settled_runs(:tenant_id, r.ended_at, r.ended_at + interval '1 microsecond') AS s
        WHERE s.run_id = r.id AND s.last_index <= :watermark
    ) AS settled ON true
    WHERE r.tenant_id = :tenant_id AND r.workflow = w.workflow AND r.state = 'SUCCEEDED' AND NOT r.dry_run
      AND r.started_at IS NOT NULL AND r.ended_at < :start
    ORDER BY r.ended_at DESC, r.id DESC
    LIMIT :count
) AS b
GROUP BY w.workflow;

-- name: runs_of_day(tenant_id, start, end, watermark, side)
-- In the order in which they ended. Of the log only the chunks that hold its first or last `side` bytes.
SELECT
    r.id, r.package_id, r.workflow, r.version, r.environment, r.state, r.parameters, p.decision::text AS decision, t.steps,
    l.chunks, l.log_size, coalesce(r.started_at, r.created_at) AS began_at,
    floor(extract(epoch FROM r.ended_at - r.started_at) * 1000)::bigint AS duration_ms, s.last_index AS last_entry
FROM atom.settled_runs(:tenant_id, :start, :end) AS s
JOIN atom.workflow_runs AS r ON r.tenant_id = :tenant_id AND r.id = s.run_id
JOIN atom.run_plans AS p ON p.tenant_id = r.tenant_id AND p.run_id = r.id
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object(
        'phase', x.phase, 'name', x.name, 'type', x.type, 'state', x.state, 'attempts', x.attempts,
        'offset_ms', floor(extract(epoch FROM x.started_at - coalesce(r.started_at, r.created_at)) * 1000)::bigint,
        'duration_ms', floor(extract(epoch FROM x.ended_at - x.started_at) * 1000)::bigint,
        'exit_code', x.exit_code, 'code', x.code, 'error', x.error
    ) ORDER BY x.phase, x.position) AS steps
    FROM atom.run_steps AS x WHERE x.tenant_id = r.tenant_id AND x.run_id = r.id
) AS t ON true
LEFT JOIN LATERAL (
    SELECT max(c.log_size) AS log_size, jsonb_agg(jsonb_build_object(
        'attempt_id', c.attempt_id, 'sequence', c.sequence, 'start', c.start, 'length', c.length, 'digest', c.digest
    ) ORDER BY c.start) AS chunks
    FROM (
        SELECT x.attempt_id, x.sequence, x.length, x.digest, sum(x.length) OVER () AS log_size,
            sum(x.length) OVER (ORDER BY a.started_at, a.id, x.sequence) - x.length AS start
        FROM atom.log_chunks AS x
        JOIN atom.step_attempts AS a ON a.tenant_id = x.tenant_id AND a.id = x.attempt_id
        WHERE x.tenant_id = r.tenant_id AND x.run_id = r.id
    ) AS c
    WHERE c.log_size <= 2 * :side OR c.start < :side OR c.start + c.length > c.log_size - :side
) AS l ON true
WHERE NOT r.dry_run AND s.last_index <= :watermark
  AND NOT EXISTS (SELECT FROM atom.dataset_tombstones AS f WHERE f.tenant_id = r.tenant_id AND f.run_id = r.id)
ORDER BY r.ended_at, r.id;

-- name: earlier_contents(tenant_id, day, row_schema, scrub, embedding, watermark, forgotten)
SELECT content FROM atom.dataset_partitions
WHERE tenant_id = :tenant_id AND day = :day AND row_schema = :row_schema AND scrub = :scrub
  AND embedding = :embedding AND watermark = :watermark AND forgotten = :forgotten;

-- name: insert_partition(tenant_id, day, row_schema, scrub, embedding, watermark, runs, last_entry, forgotten, rows, content, exported_by)!
INSERT INTO atom.dataset_partitions (
    tenant_id, day, row_schema, scrub, embedding, watermark, runs, last_entry, forgotten, rows, content, exported_by
) VALUES (
    :tenant_id, :day, :row_schema, :scrub, :embedding, :watermark, :runs, :last_entry, :forgotten, :rows, :content,
    :exported_by
) ON CONFLICT DO NOTHING;

-- name: last_exported(tenant_id, start, end, row_schema)
-- Of each day what was handed out last.
SELECT DISTINCT ON (day) day, watermark, runs, last_entry, forgotten, rows, content, exported_at
FROM atom.dataset_partitions
WHERE tenant_id = :tenant_id AND day >= :start AND (:end::date IS NULL OR day < :end) AND row_schema = :row_schema
ORDER BY day, exported_at DESC, watermark DESC;

-- name: insert_tombstone(tenant_id, run_id, reason, forgotten_by)!
INSERT INTO atom.dataset_tombstones (tenant_id, run_id, reason, forgotten_by)
VALUES (:tenant_id, :run_id, :reason, :forgotten_by)
ON CONFLICT DO NOTHING;

-- name: times_handed_out(tenant_id, day)$
SELECT count(*) FROM atom.dataset_partitions WHERE tenant_id = :tenant_id AND day = :day;
