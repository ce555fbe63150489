-- name: audit_entry_ids(tenant_id)
-- What is recorded in a tenant's log, sequenced or not.
SELECT entry_id FROM atom.audit_inbox WHERE tenant_id = :tenant_id
UNION
SELECT entry_id FROM atom.audit_entries WHERE tenant_id = :tenant_id;

-- name: remove_probe_tenant()$
SELECT atom.remove_probe_tenant();
