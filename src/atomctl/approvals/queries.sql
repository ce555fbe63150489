-- name: insert_approval(tenant_id, id, subject_kind, subject_digest, subject_ref, bound, requirement, votes_needed, reason, requested_by, lifetime)^
-- Nothing is returned when the subject has an open approval already.
INSERT INTO atom.approvals (tenant_id, id, subject_kind, subject_digest, subject_ref, bound, requirement, votes_needed,
                            state, reason, requested_by, requested_at, expires_at)
VALUES (:tenant_id, :id, :subject_kind, :subject_digest, :subject_ref, :bound, :requirement, :votes_needed,
        'pending', :reason, :requested_by, clock_timestamp(), clock_timestamp() + CAST(:lifetime AS interval))
ON CONFLICT (tenant_id, subject_kind, subject_digest) WHERE state = 'pending' DO NOTHING
RETURNING id;

-- name: insert_exclusions(tenant_id, approval_id, principals)!
INSERT INTO atom.approval_exclusions (tenant_id, approval_id, principal_id)
SELECT :tenant_id, :approval_id, principal_id FROM unnest(CAST(:principals AS uuid[])) AS excluded (principal_id);

-- name: lock_approval(tenant_id, id)^
SELECT id, clock_timestamp() AS now FROM atom.approvals WHERE tenant_id = :tenant_id AND id = :id FOR NO KEY UPDATE;

-- name: approvals(tenant_id, ids)
SELECT a.*,
       ARRAY(SELECT e.principal_id FROM atom.approval_exclusions AS e
             WHERE e.tenant_id = a.tenant_id AND e.approval_id = a.id ORDER BY e.principal_id) AS excluded,
       (SELECT coalesce(jsonb_agg(to_jsonb(v) || jsonb_build_object('held', ARRAY(
                    SELECT DISTINCT b.role FROM atom.role_bindings AS b
                    WHERE b.tenant_id = v.tenant_id AND b.principal_id = v.principal_id AND b.role = ANY (v.roles)
                )) ORDER BY v.voted_at, v.principal_id), '[]')
        FROM atom.approval_votes AS v
        WHERE v.tenant_id = a.tenant_id AND v.approval_id = a.id) AS votes
FROM atom.approvals AS a
WHERE a.tenant_id = :tenant_id AND a.id = ANY (CAST(:ids AS uuid[]))
ORDER BY a.id DESC;

-- name: newest_of_subject(tenant_id, subject_kind, subject_digest)^
SELECT id FROM atom.approvals
WHERE tenant_id = :tenant_id AND subject_kind = :subject_kind AND subject_digest = :subject_digest
ORDER BY id DESC LIMIT 1;

-- name: open_of_ref(tenant_id, subject_kind, subject_ref)
SELECT id FROM atom.approvals
WHERE tenant_id = :tenant_id AND subject_kind = :subject_kind AND subject_ref = :subject_ref
  AND state IN ('pending', 'approved')
ORDER BY id;

-- name: page(tenant_id, state, subject_kind, after, limit)
SELECT id FROM atom.approvals
WHERE tenant_id = :tenant_id
  AND (CAST(:state AS text) IS NULL OR state = :state)
  AND (CAST(:subject_kind AS text) IS NULL OR subject_kind = :subject_kind)
  AND (CAST(:after AS uuid) IS NULL OR id < :after)
ORDER BY id DESC
LIMIT :limit;

-- name: insert_vote(tenant_id, approval_id, principal_id, choice, roles, comment)!
INSERT INTO atom.approval_votes (tenant_id, approval_id, principal_id, choice, roles, comment, voted_at)
VALUES (:tenant_id, :approval_id, :principal_id, :choice, :roles, :comment, clock_timestamp());

-- name: decide(state, outcome, tenant_id, id)!
UPDATE atom.approvals SET state = :state, outcome = :outcome, decided_at = clock_timestamp()
WHERE tenant_id = :tenant_id AND id = :id;

-- name: void(outcome, tenant_id, id)!
UPDATE atom.approvals SET state = 'void', outcome = :outcome, decided_at = coalesce(decided_at, clock_timestamp())
WHERE tenant_id = :tenant_id AND id = :id AND state IN ('pending', 'approved');

-- name: expire_due(now, tenant_id)
-- Skips what is being voted on at this moment; the next round sees how that ended.
UPDATE atom.approvals SET state = 'expired', decided_at = :now
WHERE (tenant_id, id) IN (
    SELECT tenant_id, id FROM atom.approvals
    WHERE tenant_id = :tenant_id AND state = 'pending' AND expires_at <= :now
    FOR NO KEY UPDATE SKIP LOCKED
)
RETURNING id;
