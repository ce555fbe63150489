-- name: insert_inbox!
INSERT INTO atom.audit_inbox (tenant_id, entry_id, run_id, subject, data)
VALUES (:tenant_id, :entry_id, :run_id, :subject, :data);

-- name: insert_personal!
INSERT INTO atom.personal_values (tenant_id, entry_id, field, value, salt, commitment)
VALUES (:tenant_id, :entry_id, :field, :value, :salt, :commitment);
