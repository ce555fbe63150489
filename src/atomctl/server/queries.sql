-- name: forget_old(tenant_id)!
-- A few at a time, and none that another request is removing.
DELETE FROM atom.idempotency_keys WHERE (tenant_id, principal_id, key, route) IN (
    SELECT tenant_id, principal_id, key, route FROM atom.idempotency_keys
    WHERE tenant_id = :tenant_id AND created_at < now() - interval '1 day'
    LIMIT 100
    FOR NO KEY UPDATE SKIP LOCKED
);

-- name: claim(tenant_id, principal_id, key, route, request_digest)!
-- Waits while another transaction holds the same key.
INSERT INTO atom.idempotency_keys (tenant_id, principal_id, key, route, request_digest)
VALUES (:tenant_id, :principal_id, :key, :route, :request_digest)
ON CONFLICT DO NOTHING;

-- name: kept_answer(tenant_id, principal_id, key, route)^
SELECT request_digest, status, response FROM atom.idempotency_keys
WHERE tenant_id = :tenant_id AND principal_id = :principal_id AND key = :key AND route = :route;

-- name: keep_answer(tenant_id, principal_id, key, route, status, response)!
UPDATE atom.idempotency_keys SET status = :status, response = :response
WHERE tenant_id = :tenant_id AND principal_id = :principal_id AND key = :key AND route = :route;

-- name: answers()$
SELECT 1;

-- name: live_workers()$
SELECT count(*) FROM atom.workers WHERE state = 'ALIVE';

-- name: note_unknown_id(tenant, principal, id)$
SELECT atom.note_unknown_id(:tenant, :principal, :id);
