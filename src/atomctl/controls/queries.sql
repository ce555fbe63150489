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
