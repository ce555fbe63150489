-- Tenants, the people in them, and the roles those people have.

-- A tenant sees its own row and no other, so a name is not unique: a unique one would tell who else is here.
CREATE TABLE atom.tenants (
    tenant_id          uuid        PRIMARY KEY,
    name               text        NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    created_at         timestamptz NOT NULL DEFAULT now(),
    -- When the tenant first had two people who may decide on trust rules. From then on none of them decides alone.
    two_deciders_since timestamptz,
    -- The nil UUID is the deployment's own log (60-audit.sql), which no tenant may read or write as its own.
    CONSTRAINT a_tenant_is_not_the_deployment CHECK (tenant_id <> '00000000-0000-0000-0000-000000000000')
);
SELECT atom.protect('atom.tenants');

-- `(issuer, subject)` is the person; four eyes are two of these rows. The subject is personal.
CREATE TABLE atom.principals (
    tenant_id   uuid        NOT NULL REFERENCES atom.tenants (tenant_id),
    id          uuid        NOT NULL,
    issuer      text        NOT NULL,
    subject     text        NOT NULL,
    -- When the newest token seen was issued; an older token cannot bring back roles that were taken away since.
    claims_at   timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, issuer, subject)
);
SELECT atom.protect('atom.principals');

CREATE TABLE atom.role_bindings (
    tenant_id    uuid        NOT NULL,
    principal_id uuid        NOT NULL,
    role         text        NOT NULL CHECK (role IN (
        'viewer', 'author', 'operator', 'approver', 'security', 'admin', 'auditor')),
    source       text        NOT NULL CHECK (source IN ('claims', 'granted')),
    granted_by   uuid,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, principal_id, role, source),
    FOREIGN KEY (tenant_id, principal_id) REFERENCES atom.principals (tenant_id, id),
    FOREIGN KEY (tenant_id, granted_by) REFERENCES atom.principals (tenant_id, id),
    CONSTRAINT role_bindings_granted_by_somebody_else CHECK (
        (source = 'granted') = (granted_by IS NOT NULL) AND granted_by IS DISTINCT FROM principal_id
    )
);
SELECT atom.protect('atom.role_bindings', 'SELECT, INSERT, DELETE');
CREATE INDEX role_bindings_by_role ON atom.role_bindings (tenant_id, role);

-- A person is who they are: what tells two of them apart is never changed into another person.
CREATE FUNCTION atom.keep_principal() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (NEW.tenant_id, NEW.id, NEW.issuer, NEW.subject) IS DISTINCT FROM (OLD.tenant_id, OLD.id, OLD.issuer, OLD.subject) THEN
        RAISE EXCEPTION 'a principal cannot become another person' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_principal BEFORE UPDATE ON atom.principals
    FOR EACH ROW EXECUTE FUNCTION atom.keep_principal();

-- How many people may decide on trust rules now.
CREATE FUNCTION atom.decider_count(tenant uuid) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT count(DISTINCT principal_id) FROM atom.role_bindings
    WHERE tenant_id = tenant AND role IN ('admin', 'security')
$$;
GRANT EXECUTE ON FUNCTION atom.decider_count(uuid) TO atom_app, atom_worker;

-- Notes the moment a tenant has two deciders; `keep_tenant` keeps it.
CREATE FUNCTION atom.note_two_deciders() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Of two deciders who come at once, the second waits here and then counts both. NO KEY, here and wherever a row is
    -- locked: a stronger lock waits for everybody who has just referred to the row, and two who did wait for each other.
    PERFORM FROM atom.tenants WHERE tenant_id = NEW.tenant_id FOR NO KEY UPDATE;
    UPDATE atom.tenants SET two_deciders_since = now()
    WHERE tenant_id = NEW.tenant_id AND two_deciders_since IS NULL AND atom.decider_count(NEW.tenant_id) >= 2;
    RETURN NULL;
END
$$;
CREATE TRIGGER note_two_deciders AFTER INSERT ON atom.role_bindings
    FOR EACH ROW WHEN (NEW.role IN ('admin', 'security')) EXECUTE FUNCTION atom.note_two_deciders();

CREATE FUNCTION atom.keep_tenant() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.two_deciders_since IS NOT NULL AND NEW.two_deciders_since IS DISTINCT FROM OLD.two_deciders_since THEN
        RAISE EXCEPTION 'a tenant that had two deciders stays one that needs two'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_tenant BEFORE UPDATE ON atom.tenants
    FOR EACH ROW EXECUTE FUNCTION atom.keep_tenant();
