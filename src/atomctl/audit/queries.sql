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
