-- name: requested_by_bucket(tenant_id, since, until, seconds)
SELECT floor(extract(epoch FROM created_at - :since::timestamptz) / :seconds::double precision)::integer AS bucket,
       count(*) AS runs
FROM atom.workflow_runs
WHERE tenant_id = :tenant_id AND created_at >= :since AND created_at < :until AND NOT dry_run
GROUP BY bucket;

-- name: ended_by_bucket(tenant_id, since, until, seconds)
SELECT floor(extract(epoch FROM ended_at - :since::timestamptz) / :seconds::double precision)::integer AS bucket,
       state, count(*) AS runs
FROM atom.workflow_runs
WHERE tenant_id = :tenant_id AND ended_at >= :since AND ended_at < :until AND NOT dry_run
GROUP BY bucket, state;

-- name: step_seconds_by_bucket(tenant_id, since, until, seconds)
-- The row without a bucket is about the whole time; quantiles cannot be added up.
WITH ended AS (
    SELECT floor(extract(epoch FROM ended_at - :since::timestamptz) / :seconds::double precision)::integer AS bucket,
           greatest(extract(epoch FROM ended_at - started_at), 0)::double precision AS took
    FROM atom.step_attempts
    WHERE tenant_id = :tenant_id AND ended_at >= :since AND ended_at < :until
)
SELECT bucket,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY took) AS half,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY took) AS most
FROM ended
GROUP BY GROUPING SETS ((bucket), ());

-- name: approvals_requested_by_bucket(tenant_id, since, until, seconds)
SELECT floor(extract(epoch FROM requested_at - :since::timestamptz) / :seconds::double precision)::integer AS bucket,
       count(*) AS approvals
FROM atom.approvals
WHERE tenant_id = :tenant_id AND requested_at >= :since AND requested_at < :until
GROUP BY bucket;

-- name: audit_size(tenant_id)$
SELECT size FROM atom.audit_heads WHERE tenant_id = :tenant_id;

-- name: entry_time(tenant_id, entry_index)$
SELECT sequenced_at FROM atom.audit_entries WHERE tenant_id = :tenant_id AND entry_index = :entry_index;

-- name: refused_uploads_by_bucket(tenant_id, first, since, until, seconds)
SELECT floor(extract(epoch FROM sequenced_at - :since::timestamptz) / :seconds::double precision)::integer AS bucket,
       count(*) AS uploads
FROM atom.audit_entries
WHERE tenant_id = :tenant_id AND entry_index >= :first AND sequenced_at >= :since AND sequenced_at < :until
  AND starts_with(subject, 'package/')
  AND (convert_from(data, 'UTF8')::jsonb -> 'entry') @> jsonb_build_object('action', 'package.publish', 'result', 'refused')
GROUP BY bucket;

-- name: open_states(tenant_id)
SELECT state, count(*) AS runs FROM atom.workflow_runs
WHERE tenant_id = :tenant_id AND ended_at IS NULL AND NOT dry_run
GROUP BY state ORDER BY state;

-- name: waiting_now(tenant_id, now)^
SELECT (SELECT count(*) FROM atom.approvals WHERE tenant_id = :tenant_id AND state = 'pending') AS approvals,
       (SELECT extract(epoch FROM :now::timestamptz - min(requested_at))::double precision FROM atom.approvals
        WHERE tenant_id = :tenant_id AND state = 'pending') AS approval_seconds,
       (SELECT count(*) FROM atom.audit_inbox WHERE tenant_id = :tenant_id) AS entries,
       (SELECT extract(epoch FROM :now::timestamptz - min(recorded_at))::double precision FROM atom.audit_inbox
        WHERE tenant_id = :tenant_id) AS entry_seconds,
       (SELECT count(*) FROM atom.insight_signals WHERE tenant_id = :tenant_id AND state = 'open') AS signals;
