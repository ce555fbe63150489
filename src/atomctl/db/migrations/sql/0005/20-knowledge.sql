-- Knowledge: pages and past runs in chunks that are found by words, and by meaning where the extension pgvector is.

-- One row for each page (`collection`/`path`) or run (collection `runs`, path its id). It and its chunks change together.
CREATE TABLE atom.knowledge_documents (
    tenant_id  uuid        NOT NULL REFERENCES atom.tenants (tenant_id),
    collection text        NOT NULL CHECK (char_length(collection) BETWEEN 1 AND 500),
    path       text        NOT NULL CHECK (char_length(path) BETWEEN 1 AND 500),
    shelf      text        NOT NULL CHECK (shelf IN ('page', 'run')),
    digest     text        NOT NULL,
    chunks     integer     NOT NULL CHECK (chunks > 0),
    words      integer     NOT NULL CHECK (words >= 0),
    model      text,       -- whose vectors all its chunks have; NULL: none have any
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, collection, path)
);
SELECT atom.protect('atom.knowledge_documents', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE atom.knowledge_chunks (
    tenant_id  uuid     NOT NULL,
    id         uuid     NOT NULL,
    collection text     NOT NULL,
    path       text     NOT NULL,
    position   integer  NOT NULL CHECK (position >= 0),
    shelf      text     NOT NULL CHECK (shelf IN ('page', 'run')),
    heading    text     NOT NULL,
    anchor     text     NOT NULL,
    text       text     NOT NULL,
    words      integer  NOT NULL CHECK (words >= 0),
    search     tsvector NOT NULL,  -- A: its own heading, B: those above it, D: its text
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, collection, path, position),
    FOREIGN KEY (tenant_id, collection, path) REFERENCES atom.knowledge_documents (tenant_id, collection, path)
        ON DELETE CASCADE
);
SELECT atom.protect('atom.knowledge_chunks', 'SELECT, INSERT');
CREATE INDEX knowledge_chunks_by_word ON atom.knowledge_chunks USING gin (search);

-- In how many chunks of a shelf a word stands; changes with the chunks. A rare word says more than a common one.
CREATE TABLE atom.knowledge_terms (
    tenant_id uuid    NOT NULL REFERENCES atom.tenants (tenant_id),
    shelf     text    NOT NULL CHECK (shelf IN ('page', 'run')),
    term      text    NOT NULL,
    chunks    integer NOT NULL CHECK (chunks >= 0),
    PRIMARY KEY (tenant_id, shelf, term)
);
SELECT atom.protect('atom.knowledge_terms', 'SELECT, INSERT, UPDATE, DELETE');

-- PostgreSQL uses the index of words only where no row level security stands before it: `@@` is not leakproof. So this
-- runs as the relay, binds the tenant itself, and answers ids and scores; whoever calls it reads the chunks under row
-- level security. A term scores its weight times how strongly it stands in a chunk, less in a long one (BM25's shape).
GRANT SELECT (tenant_id, id, shelf, words, search) ON atom.knowledge_chunks TO atom_relay;
CREATE POLICY relay ON atom.knowledge_chunks FOR SELECT TO atom_relay USING (true);
CREATE FUNCTION atom.knowledge_matches(
    _shelf text, _query text, _terms text[], _weights real[], _average real, _depth integer, _limit integer
) RETURNS TABLE (id uuid, score real)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH found AS MATERIALIZED (
        SELECT c.id, c.search, 0.6 + 0.4 * c.words / greatest(_average, 1) AS length
        FROM atom.knowledge_chunks AS c
        WHERE c.tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid
          AND c.shelf = _shelf AND c.search @@ _query::tsquery
        LIMIT _depth
    )
    SELECT f.id, sum(t.weight * s.strength * 2.2 / (s.strength + 1.2 * f.length))::real AS score
    FROM found AS f
    CROSS JOIN unnest(_terms, _weights) AS t (term, weight)
    CROSS JOIN LATERAL (SELECT ts_rank('{0.5, 0.5, 0.8, 1.0}', f.search, t.term::tsquery) AS strength) AS s
    WHERE s.strength > 0
    GROUP BY f.id
    ORDER BY score DESC, f.id
    LIMIT _limit
$$;
GRANT CREATE ON SCHEMA atom TO atom_relay;
ALTER FUNCTION atom.knowledge_matches(text, text, text[], real[], real, integer, integer) OWNER TO atom_relay;
REVOKE CREATE ON SCHEMA atom FROM atom_relay;
REVOKE ALL ON FUNCTION atom.knowledge_matches(text, text, text[], real[], real, integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION atom.knowledge_matches(text, text, text[], real[], real, integer, integer)
    TO atom_app, atom_worker;

-- Makes the table of vectors and the search in it, if the database has the extension pgvector (0.8) by now.
-- Every `atomctl db migrate` asks it; only a superuser can add the extension itself.
CREATE FUNCTION atom.add_knowledge_vectors() RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    place CONSTANT text := (
        SELECT quote_ident(n.nspname) FROM pg_extension AS e
        JOIN pg_namespace AS n ON n.oid = e.extnamespace
        JOIN pg_type AS t ON t.typnamespace = n.oid AND t.typname = 'halfvec'
        WHERE e.extname = 'vector' AND string_to_array(e.extversion, '.')::integer[] >= '{0,8}'
          AND has_schema_privilege(current_user, n.oid, 'USAGE')
          AND has_schema_privilege('atom_app', n.oid, 'USAGE') AND has_schema_privilege('atom_worker', n.oid, 'USAGE'));
BEGIN
    IF to_regclass('atom.knowledge_vectors') IS NOT NULL THEN
        RETURN true;
    ELSIF place IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE format($sql$
        CREATE TABLE atom.knowledge_vectors (
            tenant_id uuid             NOT NULL,
            chunk_id  uuid             NOT NULL,
            shelf     text             NOT NULL CHECK (shelf IN ('page', 'run')),
            model     text             NOT NULL CHECK (char_length(model) BETWEEN 1 AND 300),
            embedding %1$s.halfvec(384) NOT NULL,
            PRIMARY KEY (tenant_id, chunk_id, model),
            FOREIGN KEY (tenant_id, chunk_id) REFERENCES atom.knowledge_chunks (tenant_id, id) ON DELETE CASCADE
        );
        SELECT atom.protect('atom.knowledge_vectors', 'SELECT, INSERT, DELETE');
        CREATE INDEX knowledge_vectors_by_model ON atom.knowledge_vectors (tenant_id, shelf, model);
        CREATE INDEX knowledge_vectors_by_meaning ON atom.knowledge_vectors
            USING hnsw (embedding %1$s.halfvec_cosine_ops);

        -- What a page is about as a whole: the direction in the middle of its chunks'.
        CREATE TABLE atom.knowledge_gists (
            tenant_id  uuid             NOT NULL,
            collection text             NOT NULL,
            path       text             NOT NULL,
            model      text             NOT NULL CHECK (char_length(model) BETWEEN 1 AND 300),
            embedding  %1$s.halfvec(384) NOT NULL,
            PRIMARY KEY (tenant_id, collection, path, model),
            FOREIGN KEY (tenant_id, collection, path)
                REFERENCES atom.knowledge_documents (tenant_id, collection, path) ON DELETE CASCADE
        );
        SELECT atom.protect('atom.knowledge_gists', 'SELECT, INSERT, DELETE');

        -- The chunks nearest to a vector among those of one tenant, shelf and model, under row level security. A small
        -- shelf is compared whole, which is exact; a large one by its graph, going on until enough rows are the tenant's.
        CREATE FUNCTION atom.nearest_chunks(_shelf text, _model text, _vector text, _whole boolean, _limit integer)
        RETURNS TABLE (id uuid, cosine real)
        LANGUAGE plpgsql STABLE SET search_path = pg_catalog, %1$s, pg_temp
        SET hnsw.ef_search = 100 SET hnsw.iterative_scan = 'strict_order' SET hnsw.max_scan_tuples = 100000 AS $$
        DECLARE
            tenant CONSTANT uuid := NULLIF(current_setting('app.tenant', true), '')::uuid;
            asked  CONSTANT %1$s.halfvec := _vector::%1$s.halfvec;
        BEGIN
            IF _whole THEN
                RETURN QUERY SELECT v.chunk_id, (1 - (v.embedding <=> asked))::real FROM atom.knowledge_vectors AS v
                    WHERE v.tenant_id = tenant AND v.shelf = _shelf AND v.model = _model
                    ORDER BY (v.embedding <=> asked) + 0, v.chunk_id LIMIT _limit;
            ELSE
                RETURN QUERY SELECT v.chunk_id, (1 - (v.embedding <=> asked))::real FROM atom.knowledge_vectors AS v
                    WHERE v.tenant_id = tenant AND v.shelf = _shelf AND v.model = _model
                    ORDER BY v.embedding <=> asked LIMIT _limit;
            END IF;
        END $$;
        CREATE FUNCTION atom.nearest_pages(_model text, _vector text, _limit integer)
        RETURNS TABLE (collection text, path text)
        LANGUAGE sql STABLE SET search_path = pg_catalog, %1$s, pg_temp AS $$
            SELECT g.collection, g.path FROM atom.knowledge_gists AS g
            WHERE g.tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid AND g.model = _model
            ORDER BY g.embedding <=> _vector::%1$s.halfvec, g.collection, g.path LIMIT _limit
        $$;
        REVOKE ALL ON FUNCTION atom.nearest_chunks(text, text, text, boolean, integer),
            atom.nearest_pages(text, text, integer) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION atom.nearest_chunks(text, text, text, boolean, integer),
            atom.nearest_pages(text, text, integer) TO atom_app, atom_worker;
    $sql$, place);
    RETURN true;
END
$body$;
REVOKE ALL ON FUNCTION atom.add_knowledge_vectors() FROM PUBLIC;
SELECT atom.add_knowledge_vectors();
