-- Answers to POST requests that carried an Idempotency-Key, so that a repeat gets the same answer and changes nothing.
-- The row is written in the transaction of the change it answers; status and response are null only inside it. There is
-- no reference to principals: a key outlives neither its day nor anything that needs it.
CREATE TABLE atom.idempotency_keys (
    tenant_id      uuid        NOT NULL REFERENCES atom.tenants,
    principal_id   uuid        NOT NULL,
    key            text        NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 255),
    route          text        NOT NULL,
    request_digest text        NOT NULL CHECK (request_digest ~ '^sha256:[0-9a-f]{64}$'),
    status         smallint    CHECK (status BETWEEN 200 AND 599),
    response       bytea,
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, principal_id, key, route),
    CONSTRAINT idempotency_keys_answered_whole CHECK ((status IS NULL) = (response IS NULL))
);
CREATE INDEX idempotency_keys_by_age ON atom.idempotency_keys (tenant_id, created_at);
SELECT atom.protect('atom.idempotency_keys', 'SELECT, INSERT, UPDATE, DELETE');
