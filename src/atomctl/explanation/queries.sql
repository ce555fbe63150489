-- name: last_success(tenant_id, workflow, run_id, count)$
-- The newest success among the `count` runs of the workflow before this one.
SELECT id FROM (
    SELECT id, state, dry_run FROM atom.workflow_runs
    WHERE tenant_id = :tenant_id AND workflow = :workflow AND id < :run_id
    ORDER BY id DESC
    LIMIT :count
) AS before
WHERE state = 'SUCCEEDED' AND NOT dry_run
ORDER BY id DESC
LIMIT 1;

-- name: decided(tenant_id, package_id)^
-- What the package was looked at with when it was pushed, and the image that its Jobs run in.
SELECT convert_from(r.data, 'UTF8')::jsonb -> 'digests' AS digests,
       p.manifest -> 'spec' -> 'runtime' ->> 'image' AS image
FROM atom.packages AS p
LEFT JOIN LATERAL (
    SELECT data FROM atom.validation_reports AS v
    WHERE v.tenant_id = p.tenant_id AND v.package_id = p.id
    ORDER BY v.id
    LIMIT 1
) AS r ON true
WHERE p.tenant_id = :tenant_id AND p.id = :package_id;

-- name: decision_of(tenant_id, run_id)^
SELECT decision ->> 'outcome' AS outcome, decision ->> 'category' AS category FROM atom.run_plans
WHERE tenant_id = :tenant_id AND run_id = :run_id;

-- name: objects_left(tenant_id, run_id, count)
-- The newest objects as the run left them in the cluster; of Secrets nothing is kept.
SELECT object FROM (
    SELECT after_object AS object, ordinal FROM atom.step_objects
    WHERE tenant_id = :tenant_id AND run_id = :run_id AND phase = 'FORWARD' AND state <> 'REFUSED'
      AND after_object IS NOT NULL
    ORDER BY ordinal DESC
    LIMIT :count
) AS newest ORDER BY ordinal;

-- name: workers_of(ids)
SELECT DISTINCT version, host FROM atom.workers WHERE id = ANY(:ids) ORDER BY version, host;

-- name: alive_workers()$
SELECT count(*) FROM atom.workers WHERE state = 'ALIVE';
