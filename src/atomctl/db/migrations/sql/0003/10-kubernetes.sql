-- What the cluster said a run would do to its objects, and its digest, which the run's approval is bound to. NULL: the
-- run has no k8s steps, or is older than previews.
ALTER TABLE atom.run_plans ADD COLUMN preview jsonb;
ALTER TABLE atom.workflow_runs ADD COLUMN preview_digest text;

-- One row for each object that a step attempt changes, written before it is changed: what was there survives the worker.
-- INTENDED without an end of its attempt means that nobody knows whether it was changed; `after` is then what the
-- cluster's dry run said. Of a Secret no object is kept, and the digests name its resource version.
CREATE TABLE atom.step_objects (
    tenant_id     uuid        NOT NULL,
    attempt_id    uuid        NOT NULL,
    ordinal       bigint      GENERATED ALWAYS AS IDENTITY,
    run_id        uuid        NOT NULL,
    phase         text        NOT NULL CHECK (phase IN ('FORWARD', 'ROLLBACK')),
    step          text        NOT NULL,
    action        text        NOT NULL,
    api_version   text        NOT NULL,
    kind          text        NOT NULL,
    namespace     text        NOT NULL,  -- empty for cluster-wide kinds
    name          text        NOT NULL,
    state         text        NOT NULL DEFAULT 'INTENDED' CHECK (state IN ('INTENDED', 'MADE', 'REFUSED')),
    kept          boolean     NOT NULL,
    before_object jsonb,
    after_object  jsonb,
    before_digest text        CHECK (before_digest ~ '^sha256:[0-9a-f]{64}$'),
    after_digest  text        CHECK (after_digest ~ '^sha256:[0-9a-f]{64}$'),
    created_at    timestamptz NOT NULL DEFAULT now(),
    changed_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, attempt_id, action, api_version, kind, namespace, name),
    FOREIGN KEY (tenant_id, attempt_id) REFERENCES atom.step_attempts (tenant_id, id),
    FOREIGN KEY (tenant_id, run_id, phase, step) REFERENCES atom.run_steps (tenant_id, run_id, phase, name),
    CONSTRAINT step_objects_keep_no_secret CHECK (kept OR (before_object IS NULL AND after_object IS NULL)),
    CONSTRAINT step_objects_secrets_are_not_kept CHECK (NOT (kept AND kind = 'Secret' AND api_version = 'v1'))
);
SELECT atom.protect('atom.step_objects');
CREATE INDEX step_objects_by_run ON atom.step_objects (tenant_id, run_id, ordinal);
