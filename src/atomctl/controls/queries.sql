-- name: audit_entry_ids(tenant_id)
-- What is recorded in a tenant's log, sequenced or not.
SELECT entry_id FROM atom.audit_inbox WHERE tenant_id = :tenant_id
UNION
SELECT entry_id FROM atom.audit_entries WHERE tenant_id = :tenant_id;

-- name: remove_probe_tenant()$
SELECT atom.remove_probe_tenant();

-- name: change_approved_run(tenant_id, id)!
-- What a superuser could do to a run that waits for its vote.
UPDATE atom.workflow_runs SET parameters_digest = 'sha256:' || repeat('0', 64) WHERE tenant_id = :tenant_id AND id = :id;

-- name: hide_packages()!
REVOKE SELECT ON atom.packages FROM atom_app;

-- name: show_packages()!
GRANT SELECT ON atom.packages TO atom_app;

-- name: runs_of(tenant_id)$
SELECT count(*) FROM atom.workflow_runs WHERE tenant_id = :tenant_id;

-- name: places_of(tenant_id, needles)
-- Every table of the schemas with how many rows hold a needle: the tenant's rows, or all where a table has no tenant.
SELECT c.oid::regclass::text AS relation,
       (xpath('/row/n/text()', query_to_xml(format(
           'SELECT count(*) AS n FROM %%s AS t WHERE %%s AND EXISTS (SELECT FROM unnest(%%L::text[]) AS needle'
           ' WHERE position(needle IN t::text) > 0)',
           c.oid::regclass,
           CASE WHEN EXISTS (SELECT FROM pg_attribute AS a
                             WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped)
                THEN format('tenant_id = %%L', :tenant_id::uuid) ELSE 'true' END,
           :needles::text[]), false, true, '')))[1]::text AS found
FROM pg_class AS c
WHERE c.relnamespace IN ('atom'::regnamespace, 'engine'::regnamespace) AND c.relkind IN ('r', 'p')
ORDER BY relation;

-- name: try_lock(key)$
SELECT pg_try_advisory_lock(:key);
