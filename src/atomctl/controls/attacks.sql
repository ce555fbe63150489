-- name: choose_tenant(tenant)!
SELECT set_config('app.tenant', :tenant, false);

-- name: superuser()!
-- As only a superuser can: without a trigger, past every policy.
SET LOCAL session_replication_role = replica;

-- name: update_audit_inbox()!
UPDATE atom.audit_inbox SET tenant_id = tenant_id;

-- name: delete_audit_inbox()!
DELETE FROM atom.audit_inbox;

-- name: truncate_audit_inbox()!
TRUNCATE atom.audit_inbox;

-- name: upsert_audit_inbox()!
INSERT INTO atom.audit_inbox OVERRIDING SYSTEM VALUE SELECT * FROM atom.audit_inbox
ON CONFLICT (tenant_id, entry_id) DO UPDATE SET tenant_id = excluded.tenant_id;

-- name: drop_audit_inbox()!
DROP TABLE atom.audit_inbox;

-- name: trigger_off_audit_inbox()!
ALTER TABLE atom.audit_inbox DISABLE TRIGGER ALL;

-- name: update_audit_entries()!
UPDATE atom.audit_entries SET tenant_id = tenant_id;

-- name: delete_audit_entries()!
DELETE FROM atom.audit_entries;

-- name: truncate_audit_entries()!
TRUNCATE atom.audit_entries;

-- name: upsert_audit_entries()!
INSERT INTO atom.audit_entries SELECT * FROM atom.audit_entries
ON CONFLICT (tenant_id, entry_index) DO UPDATE SET tenant_id = excluded.tenant_id;

-- name: drop_audit_entries()!
DROP TABLE atom.audit_entries;

-- name: trigger_off_audit_entries()!
ALTER TABLE atom.audit_entries DISABLE TRIGGER ALL;

-- name: update_audit_tiles()!
UPDATE atom.audit_tiles SET tenant_id = tenant_id;

-- name: delete_audit_tiles()!
DELETE FROM atom.audit_tiles;

-- name: truncate_audit_tiles()!
TRUNCATE atom.audit_tiles;

-- name: upsert_audit_tiles()!
INSERT INTO atom.audit_tiles SELECT * FROM atom.audit_tiles
ON CONFLICT (tenant_id, level, tile) DO UPDATE SET tenant_id = excluded.tenant_id;

-- name: drop_audit_tiles()!
DROP TABLE atom.audit_tiles;

-- name: trigger_off_audit_tiles()!
ALTER TABLE atom.audit_tiles DISABLE TRIGGER ALL;

-- name: update_audit_heads()!
UPDATE atom.audit_heads SET tenant_id = tenant_id;

-- name: delete_audit_heads()!
DELETE FROM atom.audit_heads;

-- name: truncate_audit_heads()!
TRUNCATE atom.audit_heads;

-- name: upsert_audit_heads()!
INSERT INTO atom.audit_heads SELECT * FROM atom.audit_heads
ON CONFLICT (tenant_id) DO UPDATE SET tenant_id = excluded.tenant_id;

-- name: drop_audit_heads()!
DROP TABLE atom.audit_heads;

-- name: trigger_off_audit_heads()!
ALTER TABLE atom.audit_heads DISABLE TRIGGER ALL;

-- name: update_audit_checkpoints()!
UPDATE atom.audit_checkpoints SET tenant_id = tenant_id;

-- name: delete_audit_checkpoints()!
DELETE FROM atom.audit_checkpoints;

-- name: truncate_audit_checkpoints()!
TRUNCATE atom.audit_checkpoints;

-- name: upsert_audit_checkpoints()!
INSERT INTO atom.audit_checkpoints SELECT * FROM atom.audit_checkpoints
ON CONFLICT (tenant_id, size) DO UPDATE SET tenant_id = excluded.tenant_id;

-- name: drop_audit_checkpoints()!
DROP TABLE atom.audit_checkpoints;

-- name: trigger_off_audit_checkpoints()!
ALTER TABLE atom.audit_checkpoints DISABLE TRIGGER ALL;

-- name: update_personal_values()!
UPDATE atom.personal_values SET tenant_id = tenant_id;

-- name: delete_personal_values()!
DELETE FROM atom.personal_values;

-- name: truncate_personal_values()!
TRUNCATE atom.personal_values;

-- name: upsert_personal_values()!
INSERT INTO atom.personal_values SELECT * FROM atom.personal_values
ON CONFLICT (tenant_id, entry_id, field) DO UPDATE SET tenant_id = excluded.tenant_id;

-- name: drop_personal_values()!
DROP TABLE atom.personal_values;

-- name: trigger_off_personal_values()!
ALTER TABLE atom.personal_values DISABLE TRIGGER ALL;

-- name: replica_role()!
SET session_replication_role = replica;

-- name: change_entry(tenant_id)!
UPDATE atom.audit_entries SET data = convert_to(replace(convert_from(data, 'UTF8'), '"result":"ok"', '"result":"no"'), 'UTF8')
WHERE tenant_id = :tenant_id AND entry_index = 2;

-- name: remove_entry(tenant_id)!
DELETE FROM atom.audit_entries WHERE tenant_id = :tenant_id AND entry_index = 2;

-- name: cut_off(tenant_id)!
DELETE FROM atom.audit_entries
WHERE tenant_id = :tenant_id
  AND entry_index >= (SELECT max(entry_index) - 1 FROM atom.audit_entries WHERE tenant_id = :tenant_id);

-- name: swap_entries(tenant_id)!
UPDATE atom.audit_entries AS a SET data = b.data, entry_id = b.entry_id, subject = b.subject
FROM atom.audit_entries AS b
WHERE a.tenant_id = :tenant_id AND b.tenant_id = :tenant_id
  AND a.entry_index IN (1, 3) AND b.entry_index IN (1, 3) AND a.entry_index <> b.entry_index;

-- name: repeat_entry(tenant_id)!
UPDATE atom.audit_entries AS a SET data = b.data FROM atom.audit_entries AS b
WHERE a.tenant_id = :tenant_id AND b.tenant_id = :tenant_id AND a.entry_index = 3 AND b.entry_index = 2;

-- name: checkpoints(tenant_id)
SELECT size, note FROM atom.audit_checkpoints WHERE tenant_id = :tenant_id ORDER BY size;

-- name: replace_note(tenant_id, size, note)!
UPDATE atom.audit_checkpoints SET note = :note WHERE tenant_id = :tenant_id AND size = :size;
