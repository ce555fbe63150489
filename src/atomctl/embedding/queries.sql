-- name: known_vectors(tenant_id, model, digests)
SELECT text_digest, vector FROM atom.embeddings
WHERE tenant_id = :tenant_id AND model = :model AND text_digest = ANY(:digests::text[]);

-- name: keep_vectors(tenant_id, model, dimension, digests, vectors)!
-- In the order of the digests, so that two who keep the same texts wait for each other and not in a circle.
INSERT INTO atom.embeddings (tenant_id, model, text_digest, dimension, vector)
SELECT :tenant_id, :model, u.digest, :dimension, u.vector
FROM unnest(:digests::text[], :vectors::bytea[]) AS u (digest, vector)
ORDER BY u.digest
ON CONFLICT DO NOTHING;

-- name: forget_texts(tenant_id, digests)!
DELETE FROM atom.embeddings WHERE tenant_id = :tenant_id AND text_digest = ANY(:digests::text[]);
