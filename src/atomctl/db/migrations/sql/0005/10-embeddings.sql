-- Vectors of texts, kept because they cost time or money, and because floats differ between processors: what was
-- computed once is the same for ever.

-- `model` is what the vectors of one space share: model and version. The text itself is not here, only its digest.
-- `vector` holds `dimension` floats of 32 bits, little endian. A row never changes; it can be forgotten.
CREATE TABLE atom.embeddings (
    tenant_id   uuid        NOT NULL REFERENCES atom.tenants (tenant_id),
    model       text        NOT NULL CHECK (char_length(model) BETWEEN 1 AND 300),
    text_digest text        NOT NULL CHECK (text_digest ~ '^sha256:[0-9a-f]{64}$'),
    dimension   integer     NOT NULL CHECK (dimension BETWEEN 1 AND 4096),
    vector      bytea       NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, model, text_digest),
    CHECK (octet_length(vector) = 4 * dimension)
);
-- Almost random bytes: compressing them takes time and saves nothing.
ALTER TABLE atom.embeddings ALTER COLUMN vector SET STORAGE EXTERNAL;
SELECT atom.protect('atom.embeddings', 'SELECT, INSERT, DELETE');
