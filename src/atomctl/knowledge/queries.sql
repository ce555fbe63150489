-- name: lock_shelves(tenant_id)$
-- One change of a tenant's knowledge at a time, so that the counts of words stay right.
SELECT pg_advisory_xact_lock(hashtextextended('knowledge ' || CAST(:tenant_id AS uuid)::text, 0));

-- name: has_vectors()$
SELECT to_regclass('atom.knowledge_vectors') IS NOT NULL;

-- name: document(tenant_id, collection, path)^
SELECT digest, model, chunks FROM atom.knowledge_documents
WHERE tenant_id = :tenant_id AND collection = :collection AND path = :path;

-- name: paths(tenant_id, collection)
SELECT path FROM atom.knowledge_documents WHERE tenant_id = :tenant_id AND collection = :collection ORDER BY path;

-- name: discount_words(tenant_id, collection, path)!
WITH gone AS (
    SELECT c.shelf, u.lexeme, count(*) AS chunks
    FROM atom.knowledge_chunks AS c, unnest(c.search) AS u
    WHERE c.tenant_id = :tenant_id AND c.collection = :collection AND c.path = :path
    GROUP BY c.shelf, u.lexeme
), less AS (
    UPDATE atom.knowledge_terms AS t SET chunks = t.chunks - gone.chunks FROM gone
    WHERE t.tenant_id = :tenant_id AND t.shelf = gone.shelf AND t.term = gone.lexeme AND t.chunks > gone.chunks
    RETURNING t.shelf, t.term
)
DELETE FROM atom.knowledge_terms AS t USING gone
WHERE t.tenant_id = :tenant_id AND t.shelf = gone.shelf AND t.term = gone.lexeme AND t.chunks <= gone.chunks;

-- name: count_words(tenant_id, collection, path)!
INSERT INTO atom.knowledge_terms AS t (tenant_id, shelf, term, chunks)
SELECT c.tenant_id, c.shelf, u.lexeme, count(*)
FROM atom.knowledge_chunks AS c, unnest(c.search) AS u
WHERE c.tenant_id = :tenant_id AND c.collection = :collection AND c.path = :path
GROUP BY c.tenant_id, c.shelf, u.lexeme
ON CONFLICT (tenant_id, shelf, term) DO UPDATE SET chunks = t.chunks + excluded.chunks;

-- name: delete_document(tenant_id, collection, path)!
-- Its chunks and their vectors go with it.
DELETE FROM atom.knowledge_documents WHERE tenant_id = :tenant_id AND collection = :collection AND path = :path;

-- name: insert_document(tenant_id, collection, path, shelf, digest, chunks, words, model)!
INSERT INTO atom.knowledge_documents (tenant_id, collection, path, shelf, digest, chunks, words, model)
VALUES (:tenant_id, :collection, :path, :shelf, :digest, :chunks, :words, :model);

-- name: insert_chunks(tenant_id, id, collection, path, position, shelf, heading, anchor, text, words, own, above, body)*!
INSERT INTO atom.knowledge_chunks (
    tenant_id, id, collection, path, position, shelf, heading, anchor, text, words, search
) VALUES (
    :tenant_id, :id, :collection, :path, :position, :shelf, :heading, :anchor, :text, :words,
    setweight(to_tsvector('pg_catalog.english', :own), 'A') || setweight(to_tsvector('pg_catalog.english', :above), 'B')
        || setweight(to_tsvector('pg_catalog.english', :body), 'D')
);

-- name: insert_vectors(tenant_id, chunk_id, shelf, model, embedding)*!
INSERT INTO atom.knowledge_vectors (tenant_id, chunk_id, shelf, model, embedding)
VALUES (:tenant_id, :chunk_id, :shelf, :model, :embedding);

-- name: insert_gist(tenant_id, collection, path, model, embedding)!
INSERT INTO atom.knowledge_gists (tenant_id, collection, path, model, embedding)
VALUES (:tenant_id, :collection, :path, :model, :embedding);

-- name: collections(tenant_id, model)
SELECT collection AS name, count(*) AS documents, sum(chunks)::bigint AS chunks,
    coalesce(sum(chunks) FILTER (WHERE model = :model), 0)::bigint AS vectors
FROM atom.knowledge_documents WHERE tenant_id = :tenant_id
GROUP BY collection ORDER BY collection;

-- name: size(tenant_id, shelf)^
SELECT coalesce(sum(chunks), 0)::bigint AS chunks, coalesce(sum(words), 0)::bigint AS words
FROM atom.knowledge_documents WHERE tenant_id = :tenant_id AND shelf = :shelf;

-- name: terms(tenant_id, shelf, words)
-- The question's words as the search knows them, and in how many chunks each stands.
SELECT u.lexeme AS term, coalesce(t.chunks, 0) AS chunks
FROM unnest(to_tsvector('pg_catalog.english', :words)) AS u
LEFT JOIN atom.knowledge_terms AS t ON t.tenant_id = :tenant_id AND t.shelf = :shelf AND t.term = u.lexeme
ORDER BY u.lexeme;

-- name: matches(shelf, query, terms, weights, average, depth, count)
SELECT id, score FROM atom.knowledge_matches(
    :shelf, :query, :terms::text[], :weights::real[], :average::real, :depth::integer, :count::integer);

-- name: nearest(shelf, model, vector, whole, count)
SELECT id, cosine FROM atom.nearest_chunks(:shelf, :model, :vector, :whole::boolean, :count::integer);

-- name: nearest_pages(model, vector, count)
SELECT collection, path FROM atom.nearest_pages(:model, :vector, :count::integer);

-- name: places(tenant_id, ids)
SELECT id, collection, path FROM atom.knowledge_chunks WHERE tenant_id = :tenant_id AND id = ANY(:ids);

-- name: unknown_names(tenant_id, shelf, names)
-- The names that stand nowhere on the shelf; what is no word at all is no name.
SELECT n.name FROM unnest(:names::text[]) WITH ORDINALITY AS n (name, place)
WHERE to_tsvector('pg_catalog.english', n.name) <> '' AND NOT EXISTS (
    SELECT FROM unnest(to_tsvector('pg_catalog.english', n.name)) AS u
    JOIN atom.knowledge_terms AS t ON t.tenant_id = :tenant_id AND t.shelf = :shelf AND t.term = u.lexeme)
ORDER BY n.place;

-- name: chunks(tenant_id, ids, terms)
SELECT id, collection, path, heading, anchor, text,
    ARRAY(SELECT unnest(tsvector_to_array(search)) INTERSECT SELECT unnest(:terms::text[])) AS terms
FROM atom.knowledge_chunks WHERE tenant_id = :tenant_id AND id = ANY(:ids);

-- name: runs_to_gather(tenant_id, model, within, count)
-- Runs that ended after something in them went wrong and are not in the index as they ended, the newest first; among
-- the newest `within` runs, or all.
SELECT r.id, x.digest
FROM (
    SELECT * FROM atom.workflow_runs WHERE tenant_id = :tenant_id ORDER BY id DESC LIMIT :within::bigint
) AS r
CROSS JOIN LATERAL (SELECT r.state || ' ' || extract(epoch FROM r.ended_at)::text AS digest) AS x
LEFT JOIN atom.knowledge_documents AS d
    ON d.tenant_id = r.tenant_id AND d.collection = 'runs' AND d.path = r.id::text
WHERE r.ended_at IS NOT NULL AND NOT r.dry_run AND r.started_at IS NOT NULL
  AND NOT EXISTS (
      SELECT FROM atom.dataset_tombstones AS t WHERE t.tenant_id = r.tenant_id AND t.run_id = r.id)
  AND (d.digest IS DISTINCT FROM x.digest OR (:model::text IS NOT NULL AND d.model IS DISTINCT FROM :model))
  AND EXISTS (
      SELECT FROM atom.step_attempts AS a
      WHERE a.tenant_id = r.tenant_id AND a.run_id = r.id
        AND a.state IN ('FAILED', 'TIMED_OUT', 'REFUSED', 'LOST'))
ORDER BY r.id DESC
LIMIT :count;

-- name: forgotten_runs(tenant_id)
SELECT d.path
FROM atom.knowledge_documents AS d
JOIN atom.dataset_tombstones AS t ON t.tenant_id = d.tenant_id AND t.run_id::text = d.path
WHERE d.tenant_id = :tenant_id AND d.collection = 'runs';

-- name: rerun_that_succeeded(tenant_id, run_id)^
WITH RECURSIVE again AS (
    SELECT r.id, r.state, 1 AS depth FROM atom.workflow_runs AS r
    WHERE r.tenant_id = :tenant_id AND r.rerun_of = :run_id
    UNION ALL
    SELECT r.id, r.state, again.depth + 1 FROM atom.workflow_runs AS r
    JOIN again ON r.tenant_id = :tenant_id AND r.rerun_of = again.id AND again.depth < 10
)
SELECT id FROM again WHERE state = 'SUCCEEDED' ORDER BY id LIMIT 1;

-- name: next_success(tenant_id, workflow, run_id, ended_at)^
SELECT id FROM atom.workflow_runs
WHERE tenant_id = :tenant_id AND workflow = :workflow AND state = 'SUCCEEDED' AND NOT dry_run AND id <> :run_id
  AND ended_at > :ended_at
ORDER BY ended_at, id
LIMIT 1;

-- name: answered(tenant_id, run_id)^
-- What a person last said became of a step of the run: `STEP: ANSWER (REASON)`.
SELECT convert_from(e.data, 'UTF8')::jsonb #>> '{entry,why}' AS said
FROM atom.audit_entries AS e
WHERE e.tenant_id = :tenant_id AND e.run_id = :run_id
  AND convert_from(e.data, 'UTF8')::jsonb #>> '{entry,detail,from}' = 'NEEDS_DECISION'
  AND convert_from(e.data, 'UTF8')::jsonb #>> '{entry,actor}' IS NOT NULL
ORDER BY e.entry_index DESC
LIMIT 1;
