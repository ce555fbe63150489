-- name: insert_inbox(tenant_id, entry_id, run_id, subject, data)!
INSERT INTO atom.audit_inbox (tenant_id, entry_id, run_id, subject, data)
VALUES (:tenant_id, :entry_id, :run_id, :subject, :data);

-- name: insert_personal(tenant_id, entry_id, field, value, salt, commitment)!
INSERT INTO atom.personal_values (tenant_id, entry_id, field, value, salt, commitment)
VALUES (:tenant_id, :entry_id, :field, :value, :salt, :commitment);

-- name: try_lead(key)$
SELECT pg_try_advisory_lock(:key);

-- name: take_batch(limit)
-- The oldest rows that are there, whichever transaction they came from: a row that commits late is taken late, not lost.
WITH taken AS (
    DELETE FROM atom.audit_inbox
    WHERE position IN (SELECT position FROM atom.audit_inbox ORDER BY position LIMIT :limit)
    RETURNING tenant_id, position, entry_id, run_id, subject, data, recorded_at
)
SELECT tenant_id, entry_id, run_id, subject, data, recorded_at, clock_timestamp() AS now
FROM taken ORDER BY tenant_id, position;

-- name: heads_of(tenants)
SELECT tenant_id, origin, size, nodes, sequenced_at FROM atom.audit_heads WHERE tenant_id = ANY(:tenants);

-- name: insert_entries(tenant_id, first_index, sequenced_at, entry_ids, run_ids, subjects, leaves)!
INSERT INTO atom.audit_entries (tenant_id, entry_index, entry_id, run_id, subject, sequenced_at, data)
SELECT :tenant_id, :first_index + place - 1, entry_id, run_id, subject, :sequenced_at, leaf
FROM unnest(:entry_ids::uuid[], :run_ids::uuid[], :subjects::text[], :leaves::bytea[])
    WITH ORDINALITY AS row (entry_id, run_id, subject, leaf, place)
ON CONFLICT (tenant_id, entry_index) DO NOTHING;

-- name: insert_head(tenant_id, origin, size, root, nodes, sequenced_at)!
INSERT INTO atom.audit_heads (tenant_id, origin, size, root, nodes, sequenced_at)
VALUES (:tenant_id, :origin, :size, :root, :nodes, :sequenced_at)
ON CONFLICT (tenant_id) DO NOTHING;

-- name: move_head(size, root, nodes, sequenced_at, tenant_id, old_size, old_root)!
UPDATE atom.audit_heads SET size = :size, root = :root, nodes = :nodes, sequenced_at = :sequenced_at
WHERE tenant_id = :tenant_id AND size = :old_size AND root = :old_root;

-- name: insert_tile(tenant_id, level, tile, hashes)!
INSERT INTO atom.audit_tiles (tenant_id, level, tile, hashes) VALUES (:tenant_id, :level, :tile, :hashes)
ON CONFLICT (tenant_id, level, tile) DO NOTHING;

-- name: extend_tile(hashes, tenant_id, level, tile, length)!
UPDATE atom.audit_tiles SET hashes = hashes || :hashes
WHERE tenant_id = :tenant_id AND level = :level AND tile = :tile AND octet_length(hashes) = :length;

-- name: unsigned_heads()
SELECT h.tenant_id, h.origin, h.size, h.root, c.size AS signed_size, c.root AS signed_root
FROM atom.audit_heads h
LEFT JOIN LATERAL (
    SELECT size, root FROM atom.audit_checkpoints WHERE tenant_id = h.tenant_id ORDER BY size DESC LIMIT 1
) c ON true
WHERE c.size IS NULL OR c.size <> h.size OR c.root <> h.root
ORDER BY h.tenant_id;

-- name: insert_checkpoint(tenant_id, size, root, note, vkey)!
INSERT INTO atom.audit_checkpoints (tenant_id, size, root, note, vkey)
VALUES (:tenant_id, :size, :root, :note, :vkey)
ON CONFLICT (tenant_id, size) DO NOTHING;

-- name: tile(tenant_id, level, tile)^
SELECT hashes FROM atom.audit_tiles WHERE tenant_id = :tenant_id AND level = :level AND tile = :tile;

-- name: last_checkpoint(tenant_id)^
SELECT size, root, note, vkey, signed_at FROM atom.audit_checkpoints
WHERE tenant_id = :tenant_id ORDER BY size DESC LIMIT 1;

-- name: checkpoints(tenant_id)
SELECT size, root, note, vkey FROM atom.audit_checkpoints WHERE tenant_id = :tenant_id ORDER BY size;

-- name: head(tenant_id)^
SELECT origin, size, root FROM atom.audit_heads WHERE tenant_id = :tenant_id;

-- name: waiting(tenant_id, run_id)$
SELECT count(*) FROM atom.audit_inbox
WHERE tenant_id = :tenant_id AND (:run_id::uuid IS NULL OR run_id = :run_id);

-- name: entries_from(tenant_id, first, end, limit)
SELECT entry_index, entry_id, run_id, subject, sequenced_at, data FROM atom.audit_entries
WHERE tenant_id = :tenant_id AND entry_index >= :first AND entry_index < :end
ORDER BY entry_index LIMIT :limit;

-- name: run_entries_from(tenant_id, run_id, first, limit)
SELECT entry_index, data FROM atom.audit_entries
WHERE tenant_id = :tenant_id AND run_id = :run_id AND entry_index >= :first
ORDER BY entry_index LIMIT :limit;

-- name: count_of_run(tenant_id, run_id)^
SELECT count(*) AS entries, coalesce(max(entry_index) + 1, 0) AS size FROM atom.audit_entries
WHERE tenant_id = :tenant_id AND run_id = :run_id;

-- name: newest(tenant_id, before, run_id, subject, limit)
SELECT entry_index, entry_id, sequenced_at, data FROM atom.audit_entries
WHERE tenant_id = :tenant_id
  AND (:before::bigint IS NULL OR entry_index < :before)
  AND (:run_id::uuid IS NULL OR run_id = :run_id)
  AND (:subject::text IS NULL OR subject = :subject)
ORDER BY entry_index DESC LIMIT :limit;

-- name: entry_by_id(tenant_id, entry_id)^
SELECT entry_index, entry_id, sequenced_at, data FROM atom.audit_entries
WHERE tenant_id = :tenant_id AND entry_id = :entry_id ORDER BY entry_index LIMIT 1;

-- name: is_waiting(tenant_id, entry_id)$
SELECT EXISTS (SELECT FROM atom.audit_inbox WHERE tenant_id = :tenant_id AND entry_id = :entry_id);

-- name: personal_of(tenant_id, entry_ids)
SELECT entry_id, field, value, erased_at FROM atom.personal_values
WHERE tenant_id = :tenant_id AND entry_id = ANY(:entry_ids);

-- name: personal_with_entries(tenant_id, after_entry, after_field, limit)
SELECT p.entry_id, p.field, p.value, p.salt, p.commitment, e.entry_index, e.data
FROM atom.personal_values p
JOIN atom.audit_entries e ON e.tenant_id = p.tenant_id AND e.entry_id = p.entry_id
WHERE p.tenant_id = :tenant_id AND (p.entry_id, p.field) > (:after_entry, :after_field)
ORDER BY p.entry_id, p.field LIMIT :limit;

-- name: erase_personal(value)
SELECT atom.erase_personal_value(:value) AS entry_id;

-- name: lock_heads()
SELECT tenant_id, origin, size, nodes, sequenced_at FROM atom.audit_heads ORDER BY tenant_id FOR NO KEY UPDATE;

-- name: rename_head(origin, tenant_id, size, root)!
UPDATE atom.audit_heads SET origin = :origin WHERE tenant_id = :tenant_id AND size = :size AND root = :root;

-- name: clock()$
SELECT clock_timestamp();

-- name: unlead(key)$
SELECT pg_advisory_unlock(:key);

-- name: last_anchor(tenant_id, origin)^
SELECT size, root, entries, anchored_at FROM atom.audit_anchors
WHERE tenant_id = :tenant_id AND origin = :origin ORDER BY size DESC LIMIT 1;

-- name: insert_anchor(tenant_id, size, root, origin, entries, object_key, retain_until)!
INSERT INTO atom.audit_anchors (tenant_id, size, root, origin, entries, object_key, retain_until)
VALUES (:tenant_id, :size, :root, :origin, :entries, :object_key, :retain_until)
ON CONFLICT (tenant_id, size) DO NOTHING;

-- name: oldest_unanchored(tenant_id, size)$
SELECT min(signed_at) FROM atom.audit_checkpoints WHERE tenant_id = :tenant_id AND size > :size;

-- name: entries_in_all_logs()$
SELECT coalesce(sum(size), 0)::bigint FROM atom.audit_heads;
