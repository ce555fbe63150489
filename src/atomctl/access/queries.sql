-- name: tenant(tenant_id)^
SELECT tenant_id, name, created_at, two_deciders_since FROM atom.tenants WHERE tenant_id = :tenant_id;

-- name: insert_tenant(tenant_id, name)!
INSERT INTO atom.tenants (tenant_id, name) VALUES (:tenant_id, :name) ON CONFLICT (tenant_id) DO NOTHING;

-- name: principal_by_person(tenant_id, issuer, subject)^
SELECT p.id, p.claims_at,
       ARRAY(SELECT b.role FROM atom.role_bindings AS b
             WHERE b.tenant_id = p.tenant_id AND b.principal_id = p.id AND b.source = 'claims') AS claimed,
       ARRAY(SELECT b.role FROM atom.role_bindings AS b
             WHERE b.tenant_id = p.tenant_id AND b.principal_id = p.id AND b.source = 'granted') AS granted
FROM atom.principals AS p
WHERE p.tenant_id = :tenant_id AND p.issuer = :issuer AND p.subject = :subject;

-- name: insert_principal(tenant_id, id, issuer, subject)!
INSERT INTO atom.principals (tenant_id, id, issuer, subject, claims_at)
VALUES (:tenant_id, :id, :issuer, :subject, 'epoch')
ON CONFLICT (tenant_id, issuer, subject) DO NOTHING;

-- name: lock_principal_for_login(issued_at, tenant_id, id)^
-- One login at a time; nothing is returned when a newer token has been seen meanwhile.
UPDATE atom.principals SET claims_at = :issued_at
WHERE tenant_id = :tenant_id AND id = :id AND claims_at < :issued_at
RETURNING id;

-- name: delete_claimed_roles(tenant_id, principal_id, roles)!
DELETE FROM atom.role_bindings
WHERE tenant_id = :tenant_id AND principal_id = :principal_id AND source = 'claims' AND role <> ALL (:roles);

-- name: insert_claimed_roles(tenant_id, principal_id, roles)!
INSERT INTO atom.role_bindings (tenant_id, principal_id, role, source)
SELECT :tenant_id, :principal_id, role, 'claims' FROM unnest(CAST(:roles AS text[])) AS wanted (role)
ON CONFLICT DO NOTHING;

-- name: principal(tenant_id, id)^
SELECT p.id, p.issuer, p.subject,
       ARRAY(SELECT DISTINCT b.role FROM atom.role_bindings AS b
             WHERE b.tenant_id = p.tenant_id AND b.principal_id = p.id) AS roles
FROM atom.principals AS p
WHERE p.tenant_id = :tenant_id AND p.id = :id;

-- name: principals(tenant_id, after, limit)
SELECT p.id, p.issuer, p.subject,
       ARRAY(SELECT DISTINCT b.role FROM atom.role_bindings AS b
             WHERE b.tenant_id = p.tenant_id AND b.principal_id = p.id) AS roles
FROM atom.principals AS p
WHERE p.tenant_id = :tenant_id AND (CAST(:after AS uuid) IS NULL OR p.id > :after)
ORDER BY p.id
LIMIT :limit;

-- name: grant_role(tenant_id, principal_id, role, granted_by)!
INSERT INTO atom.role_bindings (tenant_id, principal_id, role, source, granted_by)
VALUES (:tenant_id, :principal_id, :role, 'granted', :granted_by)
ON CONFLICT DO NOTHING;

-- name: revoke_role(tenant_id, principal_id, role)!
DELETE FROM atom.role_bindings
WHERE tenant_id = :tenant_id AND principal_id = :principal_id AND role = :role AND source = 'granted';

-- name: deciders(tenant_id)
SELECT DISTINCT principal_id FROM atom.role_bindings
WHERE tenant_id = :tenant_id AND role IN ('admin', 'security');
