-- name: insert_workflow(tenant_id, id, name)!
INSERT INTO atom.workflows (tenant_id, id, name) VALUES (:tenant_id, :id, :name)
ON CONFLICT (tenant_id, name) DO NOTHING;

-- name: lock_workflow(tenant_id, name)$
-- Pushes of one name come one after another.
SELECT id FROM atom.workflows WHERE tenant_id = :tenant_id AND name = :name FOR NO KEY UPDATE;

-- name: workflows(tenant_id, name, after, limit)
SELECT id, name, created_at FROM atom.workflows
WHERE tenant_id = :tenant_id
  AND (CAST(:name AS text) IS NULL OR name = :name)
  AND (CAST(:after AS text) IS NULL OR name > :after)
ORDER BY name
LIMIT :limit;

-- name: versions_of(tenant_id, workflow_id)
SELECT version, yanked_at IS NOT NULL AS yanked FROM atom.packages
WHERE tenant_id = :tenant_id AND workflow_id = :workflow_id;

-- name: insert_package(tenant_id, id, workflow_id, name, version, major, digest, manifest_digest, manifest, size, object_key, outcome, score, verdict, environment, pushed_by, pushed_at)!
INSERT INTO atom.packages (tenant_id, id, workflow_id, name, version, major, digest, manifest_digest, manifest, size,
                           object_key, outcome, score, verdict, environment, pushed_by, pushed_at)
VALUES (:tenant_id, :id, :workflow_id, :name, :version, :major, :digest, :manifest_digest, :manifest, :size,
        :object_key, :outcome, :score, :verdict, :environment, :pushed_by, :pushed_at);

-- name: package_by_id(tenant_id, id)^
SELECT p.*, d.document AS decision, d.digest AS decision_digest
FROM atom.packages AS p
JOIN atom.decisions AS d ON d.tenant_id = p.tenant_id AND d.package_id = p.id
WHERE p.tenant_id = :tenant_id AND p.id = :id;

-- name: package_by_version(tenant_id, name, version)^
SELECT p.*, d.document AS decision, d.digest AS decision_digest
FROM atom.packages AS p
JOIN atom.decisions AS d ON d.tenant_id = p.tenant_id AND d.package_id = p.id
WHERE p.tenant_id = :tenant_id AND p.name = :name AND p.version = :version;

-- name: packages(tenant_id, name, after, limit)
SELECT p.*, d.document AS decision, d.digest AS decision_digest
FROM atom.packages AS p
JOIN atom.decisions AS d ON d.tenant_id = p.tenant_id AND d.package_id = p.id
WHERE p.tenant_id = :tenant_id
  AND (CAST(:name AS text) IS NULL OR p.name = :name)
  AND (CAST(:after AS uuid) IS NULL OR p.id < :after)
ORDER BY p.id DESC
LIMIT :limit;

-- name: insert_author(tenant_id, package_id, principal_id, how)!
INSERT INTO atom.package_authors (tenant_id, package_id, principal_id, how)
VALUES (:tenant_id, :package_id, :principal_id, :how)
ON CONFLICT DO NOTHING;

-- name: authors(tenant_id, package_id)
SELECT DISTINCT principal_id FROM atom.package_authors WHERE tenant_id = :tenant_id AND package_id = :package_id;

-- name: insert_bundle(tenant_id, package_id, digest, data)!
INSERT INTO atom.package_bundles (tenant_id, package_id, digest, data)
VALUES (:tenant_id, :package_id, :digest, :data)
ON CONFLICT DO NOTHING;

-- name: bundles(tenant_id, package_id)
SELECT digest, data FROM atom.package_bundles
WHERE tenant_id = :tenant_id AND package_id = :package_id
ORDER BY added_at, digest;

-- name: insert_report(tenant_id, id, package_id, digest, data)!
INSERT INTO atom.validation_reports (tenant_id, id, package_id, digest, data)
VALUES (:tenant_id, :id, :package_id, :digest, :data);

-- name: report(tenant_id, package_id)$
SELECT data FROM atom.validation_reports
WHERE tenant_id = :tenant_id AND package_id = :package_id
ORDER BY id DESC LIMIT 1;

-- name: insert_decision(tenant_id, id, package_id, report_id, outcome, digest, document)!
INSERT INTO atom.decisions (tenant_id, id, package_id, report_id, outcome, digest, document)
VALUES (:tenant_id, :id, :package_id, :report_id, :outcome, :digest, :document);

-- name: accepted_versions(tenant_id, workflow_id)
SELECT major, version FROM atom.accepted_versions WHERE tenant_id = :tenant_id AND workflow_id = :workflow_id;

-- name: accept_version(tenant_id, workflow_id, major, version)!
INSERT INTO atom.accepted_versions (tenant_id, workflow_id, major, version)
VALUES (:tenant_id, :workflow_id, :major, :version)
ON CONFLICT (tenant_id, workflow_id, major) DO UPDATE SET version = excluded.version, accepted_at = now();

-- name: yank_package(yanked_by, reason, tenant_id, id)!
UPDATE atom.packages SET yanked_by = :yanked_by, yanked_at = now(), yank_reason = :reason
WHERE tenant_id = :tenant_id AND id = :id AND yanked_at IS NULL;

-- name: mark_package(mark, tenant_id, id)!
UPDATE atom.packages SET marks = array_append(marks, CAST(:mark AS text))
WHERE tenant_id = :tenant_id AND id = :id AND NOT marks @> ARRAY[CAST(:mark AS text)];

-- name: insert_key(tenant_id, key_id, spki, algorithm, origin, owner_id, valid_from, valid_to, registered_by)!
INSERT INTO atom.signing_keys (tenant_id, key_id, spki, algorithm, origin, owner_id, state, valid_from, valid_to,
                               registered_by)
VALUES (:tenant_id, :key_id, :spki, :algorithm, :origin, :owner_id, 'active', :valid_from, :valid_to, :registered_by)
ON CONFLICT DO NOTHING;

-- name: lock_key(tenant_id, key_id)$
SELECT key_id FROM atom.signing_keys WHERE tenant_id = :tenant_id AND key_id = :key_id FOR NO KEY UPDATE;

-- name: all_keys(tenant_id)
SELECT * FROM atom.signing_keys WHERE tenant_id = :tenant_id;

-- name: keys(tenant_id, key_id, after, limit)
SELECT * FROM atom.signing_keys
WHERE tenant_id = :tenant_id
  AND (CAST(:key_id AS text) IS NULL OR key_id = :key_id)
  AND (CAST(:after AS text) IS NULL OR key_id > :after)
ORDER BY key_id
LIMIT :limit;

-- name: retire_key(reason, now, tenant_id, key_id)!
UPDATE atom.signing_keys SET state = 'retired', reason = :reason, valid_to = least(valid_to, CAST(:now AS timestamptz))
WHERE tenant_id = :tenant_id AND key_id = :key_id AND state = 'active';

-- name: revoke_key(reason, revoked_from, tenant_id, key_id)!
UPDATE atom.signing_keys SET state = 'revoked', reason = :reason, revoked_from = :revoked_from
WHERE tenant_id = :tenant_id AND key_id = :key_id AND state <> 'revoked';

-- name: lock_tenant(tenant_id)$
SELECT tenant_id FROM atom.tenants WHERE tenant_id = :tenant_id FOR NO KEY UPDATE;

-- name: insert_rules(tenant_id, id, document, digest, reason, proposed_by)!
INSERT INTO atom.trust_rules (tenant_id, id, version, document, digest, state, reason, proposed_by)
SELECT :tenant_id, :id, coalesce(max(version), 0) + 1, :document, :digest, 'proposed', :reason, :proposed_by
FROM atom.trust_rules WHERE tenant_id = :tenant_id;

-- name: rules_by_id(tenant_id, id)^
SELECT * FROM atom.trust_rules WHERE tenant_id = :tenant_id AND id = :id;

-- name: active_rules(tenant_id)^
SELECT * FROM atom.trust_rules WHERE tenant_id = :tenant_id AND state = 'active';

-- name: rules_versions(tenant_id, after, limit)
SELECT * FROM atom.trust_rules
WHERE tenant_id = :tenant_id AND (CAST(:after AS integer) IS NULL OR version < :after)
ORDER BY version DESC
LIMIT :limit;

-- name: ask_for_rules(approval_id, tenant_id, id)!
UPDATE atom.trust_rules SET approval_id = :approval_id WHERE tenant_id = :tenant_id AND id = :id;

-- name: supersede_rules(tenant_id)!
UPDATE atom.trust_rules SET state = 'superseded' WHERE tenant_id = :tenant_id AND state = 'active';

-- name: activate_rules(bootstrap, tenant_id, id)!
UPDATE atom.trust_rules SET state = 'active', activated_at = now(), bootstrap = :bootstrap
WHERE tenant_id = :tenant_id AND id = :id AND state = 'proposed';

-- name: reject_rules(tenant_id, id)!
UPDATE atom.trust_rules SET state = 'rejected' WHERE tenant_id = :tenant_id AND id = :id AND state = 'proposed';

-- name: other_proposals(tenant_id, id)
SELECT id FROM atom.trust_rules WHERE tenant_id = :tenant_id AND state = 'proposed' AND id <> :id;

-- name: platform_rules()^
SELECT version, document FROM atom.platform_trust_rules ORDER BY version DESC LIMIT 1;
