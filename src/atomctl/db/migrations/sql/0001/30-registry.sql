-- What has been published, who may sign what, and with which keys.

CREATE TABLE atom.workflows (
    tenant_id  uuid        NOT NULL REFERENCES atom.tenants (tenant_id),
    id         uuid        NOT NULL,
    name       text        NOT NULL CHECK (name ~ '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$'),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
);
SELECT atom.protect('atom.workflows', 'SELECT, INSERT, UPDATE');

-- One immutable version of a workflow. Only its fate may change: it is yanked, or marked.
CREATE TABLE atom.packages (
    tenant_id       uuid        NOT NULL,
    id              uuid        NOT NULL,
    workflow_id     uuid        NOT NULL,
    name            text        NOT NULL,
    version         text        NOT NULL,
    major           integer     NOT NULL CHECK (major >= 0),
    digest          text        NOT NULL CHECK (digest ~ '^sha256:[0-9a-f]{64}$'),
    manifest_digest text        NOT NULL CHECK (manifest_digest ~ '^sha256:[0-9a-f]{64}$'),
    manifest        jsonb       NOT NULL,
    size            bigint      NOT NULL CHECK (size > 0),
    object_key      text        NOT NULL,
    outcome         text        NOT NULL CHECK (outcome IN ('allow', 'require_approval', 'block')),
    score           integer     NOT NULL CHECK (score BETWEEN 0 AND 100),
    verdict         jsonb       NOT NULL,
    -- The environment whose trust rules accepted it.
    environment     text        NOT NULL,
    marks           text[]      NOT NULL DEFAULT '{}' CHECK (marks <@ ARRAY['overridden', 'untrusted', 'exception']),
    pushed_by       uuid        NOT NULL,
    pushed_at       timestamptz NOT NULL,
    yanked_by       uuid,
    yanked_at       timestamptz,
    yank_reason     text,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name, version),
    UNIQUE (tenant_id, digest),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES atom.workflows (tenant_id, id),
    FOREIGN KEY (tenant_id, pushed_by) REFERENCES atom.principals (tenant_id, id),
    FOREIGN KEY (tenant_id, yanked_by) REFERENCES atom.principals (tenant_id, id),
    CONSTRAINT packages_yanked_whole CHECK (
        (yanked_at IS NULL) = (yanked_by IS NULL) AND (yanked_at IS NULL) = (yank_reason IS NULL)
    )
);
SELECT atom.protect('atom.packages');
CREATE INDEX packages_newest ON atom.packages (tenant_id, workflow_id, id DESC);

-- Who wrote it: whoever pushed it and whoever its signing keys belong to. They never vote on it.
CREATE TABLE atom.package_authors (
    tenant_id    uuid NOT NULL,
    package_id   uuid NOT NULL,
    principal_id uuid NOT NULL,
    how          text NOT NULL CHECK (how IN ('pushed', 'signed')),
    PRIMARY KEY (tenant_id, package_id, principal_id, how),
    FOREIGN KEY (tenant_id, package_id) REFERENCES atom.packages (tenant_id, id),
    FOREIGN KEY (tenant_id, principal_id) REFERENCES atom.principals (tenant_id, id)
);
SELECT atom.protect('atom.package_authors', 'SELECT, INSERT');

CREATE TABLE atom.package_bundles (
    tenant_id  uuid        NOT NULL,
    package_id uuid        NOT NULL,
    digest     text        NOT NULL CHECK (digest ~ '^sha256:[0-9a-f]{64}$'),
    data       bytea       NOT NULL,
    added_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, package_id, digest),
    FOREIGN KEY (tenant_id, package_id) REFERENCES atom.packages (tenant_id, id)
);
SELECT atom.protect('atom.package_bundles', 'SELECT, INSERT');

-- The canonical report of the validator, byte for byte.
CREATE TABLE atom.validation_reports (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    package_id uuid        NOT NULL,
    digest     text        NOT NULL CHECK (digest ~ '^sha256:[0-9a-f]{64}$'),
    data       bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, package_id) REFERENCES atom.packages (tenant_id, id)
);
SELECT atom.protect('atom.validation_reports', 'SELECT, INSERT');
CREATE INDEX validation_reports_by_package ON atom.validation_reports (tenant_id, package_id, id DESC);

-- What was decided about a package when it was pushed: from the package alone. A run's decision is in the run.
CREATE TABLE atom.decisions (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    package_id uuid        NOT NULL,
    report_id  uuid        NOT NULL,
    outcome    text        NOT NULL CHECK (outcome IN ('allow', 'require_approval', 'block')),
    digest     text        NOT NULL CHECK (digest ~ '^sha256:[0-9a-f]{64}$'),
    document   jsonb       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, package_id) REFERENCES atom.packages (tenant_id, id),
    FOREIGN KEY (tenant_id, report_id) REFERENCES atom.validation_reports (tenant_id, id)
);
SELECT atom.protect('atom.decisions', 'SELECT, INSERT');
CREATE INDEX decisions_by_package ON atom.decisions (tenant_id, package_id, id DESC);

-- The highest version accepted per major line: what a replayed old version is measured against. It only rises.
CREATE TABLE atom.accepted_versions (
    tenant_id   uuid        NOT NULL,
    workflow_id uuid        NOT NULL,
    major       integer     NOT NULL,
    version     text        NOT NULL,
    accepted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, workflow_id, major),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES atom.workflows (tenant_id, id)
);
SELECT atom.protect('atom.accepted_versions');

CREATE TABLE atom.signing_keys (
    tenant_id     uuid        NOT NULL REFERENCES atom.tenants (tenant_id),
    key_id        text        NOT NULL CHECK (key_id ~ '^sha256:[0-9a-f]{64}$'),
    spki          bytea       NOT NULL,
    algorithm     text        NOT NULL,
    origin        text        NOT NULL CHECK (length(origin) BETWEEN 1 AND 200),
    owner_id      uuid        NOT NULL,
    state         text        NOT NULL CHECK (state IN ('active', 'retired', 'revoked')),
    valid_from    timestamptz NOT NULL,
    valid_to      timestamptz,
    revoked_from  timestamptz,
    reason        text,
    registered_by uuid        NOT NULL,
    registered_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, key_id),
    FOREIGN KEY (tenant_id, owner_id) REFERENCES atom.principals (tenant_id, id),
    FOREIGN KEY (tenant_id, registered_by) REFERENCES atom.principals (tenant_id, id),
    -- A revoked key without this time was never to be trusted.
    CONSTRAINT signing_keys_revoked_from_when_revoked CHECK (revoked_from IS NULL OR state = 'revoked'),
    CONSTRAINT signing_keys_end_has_a_reason CHECK ((state = 'active') = (reason IS NULL))
);
SELECT atom.protect('atom.signing_keys');

-- A key keeps its bytes and its owner, and never comes back to life.
CREATE FUNCTION atom.keep_signing_key() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (NEW.tenant_id, NEW.key_id, NEW.spki, NEW.algorithm, NEW.owner_id)
            IS DISTINCT FROM (OLD.tenant_id, OLD.key_id, OLD.spki, OLD.algorithm, OLD.owner_id)
       OR (OLD.state = 'revoked') OR (OLD.state = 'retired' AND NEW.state = 'active') THEN
        RAISE EXCEPTION 'a signing key cannot be changed or brought back' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_signing_key BEFORE UPDATE ON atom.signing_keys
    FOR EACH ROW EXECUTE FUNCTION atom.keep_signing_key();

-- A package keeps what it is; a yank and a mark are for ever.
CREATE FUNCTION atom.keep_package() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (to_jsonb(NEW) - '{marks,yanked_by,yanked_at,yank_reason}'::text[])
            IS DISTINCT FROM (to_jsonb(OLD) - '{marks,yanked_by,yanked_at,yank_reason}'::text[])
       OR NOT NEW.marks @> OLD.marks
       OR (OLD.yanked_at IS NOT NULL AND (NEW.yanked_by, NEW.yanked_at, NEW.yank_reason)
            IS DISTINCT FROM (OLD.yanked_by, OLD.yanked_at, OLD.yank_reason)) THEN
        RAISE EXCEPTION 'a published package cannot be changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_package BEFORE UPDATE ON atom.packages
    FOR EACH ROW EXECUTE FUNCTION atom.keep_package();

-- Versions of the tenant's trust rules; one is active.
CREATE TABLE atom.trust_rules (
    tenant_id    uuid        NOT NULL REFERENCES atom.tenants (tenant_id),
    id           uuid        NOT NULL,
    version      integer     NOT NULL CHECK (version > 0),
    document     jsonb       NOT NULL,
    digest       text        NOT NULL CHECK (digest ~ '^sha256:[0-9a-f]{64}$'),
    state        text        NOT NULL CHECK (state IN ('proposed', 'active', 'superseded', 'rejected')),
    reason       text        NOT NULL,
    proposed_by  uuid        NOT NULL,
    proposed_at  timestamptz NOT NULL DEFAULT now(),
    activated_at timestamptz,
    bootstrap    boolean     NOT NULL DEFAULT false,
    approval_id  uuid,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, version),
    FOREIGN KEY (tenant_id, proposed_by) REFERENCES atom.principals (tenant_id, id)
);
SELECT atom.protect('atom.trust_rules');
CREATE UNIQUE INDEX trust_rules_one_active ON atom.trust_rules (tenant_id) WHERE state = 'active';

-- Rules become active by an approval of exactly this document, or alone as long as the tenant never had two deciders.
CREATE FUNCTION atom.keep_trust_rules() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.state <> 'proposed' THEN
        RAISE EXCEPTION 'trust rules begin as a proposal' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND (
        (NEW.tenant_id, NEW.id, NEW.version, NEW.document, NEW.digest, NEW.proposed_by)
            IS DISTINCT FROM (OLD.tenant_id, OLD.id, OLD.version, OLD.document, OLD.digest, OLD.proposed_by)
        OR OLD.state IN ('superseded', 'rejected')
        OR (OLD.state = 'active' AND NEW.state NOT IN ('active', 'superseded'))
    ) THEN
        RAISE EXCEPTION 'proposed trust rules cannot be changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    PERFORM FROM atom.tenants WHERE tenant_id = NEW.tenant_id FOR NO KEY UPDATE;
    IF TG_OP = 'UPDATE' AND NEW.state = 'active' AND OLD.state = 'proposed' AND NOT (
        (NEW.bootstrap AND atom.decider_count(NEW.tenant_id) = 1 AND EXISTS (
            SELECT FROM atom.tenants WHERE tenant_id = NEW.tenant_id AND two_deciders_since IS NULL))
        OR EXISTS (
            SELECT FROM atom.approvals
            WHERE tenant_id = NEW.tenant_id AND id = NEW.approval_id AND subject_kind = 'trust_rules'
              AND subject_ref = NEW.id AND state = 'approved')
    ) THEN
        RAISE EXCEPTION 'trust rules need a second person' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_trust_rules BEFORE INSERT OR UPDATE ON atom.trust_rules
    FOR EACH ROW EXECUTE FUNCTION atom.keep_trust_rules();

-- Of the deployment: the widest that any tenant's rules may be. No tenant, on the reviewed list; the migrator writes it.
CREATE TABLE atom.platform_trust_rules (
    version    integer     PRIMARY KEY CHECK (version > 0),
    document   jsonb       NOT NULL,
    digest     text        NOT NULL CHECK (digest ~ '^sha256:[0-9a-f]{64}$'),
    created_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT ON atom.platform_trust_rules TO atom_app, atom_worker;
GRANT SELECT, INSERT ON atom.platform_trust_rules TO atom_migrator;
