-- Approvals: n votes bound to digests. The triggers repeat what the code decides, so that code which forgets to ask,
-- or a statement that goes around it, is refused all the same.

CREATE TABLE atom.approvals (
    tenant_id      uuid        NOT NULL,
    id             uuid        NOT NULL,
    subject_kind   text        NOT NULL CHECK (subject_kind IN ('run', 'override', 'trust_rules', 'exception')),
    subject_digest text        NOT NULL CHECK (subject_digest ~ '^sha256:[0-9a-f]{64}$'),
    subject_ref    uuid        NOT NULL,
    -- Digests by name. `package` names the package whose authors never vote.
    bound          jsonb       NOT NULL CHECK (jsonb_typeof(bound) = 'object'),
    -- [{"role": "security" or null, "count": 1}, ...]
    requirement    jsonb       NOT NULL CHECK (jsonb_typeof(requirement) = 'array'),
    votes_needed   integer     NOT NULL CHECK (votes_needed BETWEEN 1 AND 32),
    state          text        NOT NULL CHECK (state IN ('pending', 'approved', 'rejected', 'expired', 'void')),
    reason         text        NOT NULL,
    requested_by   uuid        NOT NULL,
    requested_at   timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL,
    decided_at     timestamptz,
    outcome        text,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, requested_by) REFERENCES atom.principals (tenant_id, id),
    CONSTRAINT approvals_give_time CHECK (expires_at > requested_at),
    CONSTRAINT approvals_decided_once CHECK ((state = 'pending') = (decided_at IS NULL))
);
SELECT atom.protect('atom.approvals');
CREATE UNIQUE INDEX approvals_one_open ON atom.approvals (tenant_id, subject_kind, subject_digest)
    WHERE state = 'pending';
CREATE INDEX approvals_newest ON atom.approvals (tenant_id, state, id DESC);
CREATE INDEX approvals_due ON atom.approvals (tenant_id, expires_at) WHERE state = 'pending';
CREATE INDEX approvals_by_subject ON atom.approvals (tenant_id, subject_kind, subject_ref, id DESC);

-- Authors and last editors, who cannot vote on it; the requester never can.
CREATE TABLE atom.approval_exclusions (
    tenant_id    uuid NOT NULL,
    approval_id  uuid NOT NULL,
    principal_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, approval_id, principal_id),
    FOREIGN KEY (tenant_id, approval_id) REFERENCES atom.approvals (tenant_id, id),
    FOREIGN KEY (tenant_id, principal_id) REFERENCES atom.principals (tenant_id, id)
);
SELECT atom.protect('atom.approval_exclusions', 'SELECT, INSERT');

CREATE TABLE atom.approval_votes (
    tenant_id    uuid        NOT NULL,
    approval_id  uuid        NOT NULL,
    principal_id uuid        NOT NULL,
    choice       text        NOT NULL CHECK (choice IN ('approve', 'reject')),
    -- The roles the voter held then.
    roles        text[]      NOT NULL CHECK (cardinality(roles) > 0),
    comment      text        NOT NULL,
    voted_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, approval_id, principal_id),
    FOREIGN KEY (tenant_id, approval_id) REFERENCES atom.approvals (tenant_id, id),
    FOREIGN KEY (tenant_id, principal_id) REFERENCES atom.principals (tenant_id, id)
);
SELECT atom.protect('atom.approval_votes', 'SELECT, INSERT');

-- The roles that may vote on a kind of subject: an admin never on a run.
CREATE FUNCTION atom.voting_roles(kind text) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN kind = 'run' THEN ARRAY['approver', 'security'] ELSE ARRAY['security', 'admin'] END
$$;
GRANT EXECUTE ON FUNCTION atom.voting_roles(text) TO atom_app, atom_worker;

CREATE FUNCTION atom.check_vote() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    subject atom.approvals;
BEGIN
    SELECT * INTO subject FROM atom.approvals WHERE tenant_id = NEW.tenant_id AND id = NEW.approval_id FOR NO KEY UPDATE;
    IF subject.id IS NULL OR subject.state <> 'pending' OR subject.expires_at <= clock_timestamp() THEN
        RAISE EXCEPTION 'this approval takes no votes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.principal_id = subject.requested_by
       OR EXISTS (SELECT FROM atom.approval_exclusions AS e
                  WHERE e.tenant_id = NEW.tenant_id AND e.approval_id = NEW.approval_id
                    AND e.principal_id = NEW.principal_id)
       OR EXISTS (SELECT FROM atom.package_authors AS a
                  JOIN atom.packages AS p ON p.tenant_id = a.tenant_id AND p.id = a.package_id
                  WHERE a.tenant_id = NEW.tenant_id AND a.principal_id = NEW.principal_id
                    AND p.digest = subject.bound ->> 'package') THEN
        RAISE EXCEPTION 'four eyes: this needs a second person' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NOT NEW.roles && atom.voting_roles(subject.subject_kind)
       OR EXISTS (SELECT FROM unnest(NEW.roles) AS claimed (role)
                  WHERE NOT EXISTS (SELECT FROM atom.role_bindings AS b
                                    WHERE b.tenant_id = NEW.tenant_id AND b.principal_id = NEW.principal_id
                                      AND b.role = claimed.role)) THEN
        RAISE EXCEPTION 'the voter does not hold the roles of this vote'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER check_vote BEFORE INSERT ON atom.approval_votes
    FOR EACH ROW EXECUTE FUNCTION atom.check_vote();

-- Whether the votes there are meet the requirement. A vote counts with those of its roles that the voter still has, and
-- only if one of them votes on this kind of subject. Hall's condition for every single role, for all named roles
-- together and for all votes: exact for up to two named roles, which is all that is ever demanded; the code matches any.
CREATE FUNCTION atom.approval_is_met(subject atom.approvals) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH held AS (
        SELECT ARRAY(SELECT b.role FROM atom.role_bindings AS b
                     WHERE b.tenant_id = v.tenant_id AND b.principal_id = v.principal_id
                       AND b.role = ANY (v.roles)) AS roles
        FROM atom.approval_votes AS v
        WHERE v.tenant_id = subject.tenant_id AND v.approval_id = subject.id AND v.choice = 'approve'
    ), vote AS (
        SELECT held.roles FROM held WHERE held.roles && atom.voting_roles(subject.subject_kind)
    ), slot AS (
        SELECT r.role, r.count FROM jsonb_to_recordset(subject.requirement) AS r (role text, count integer)
    ), named AS (
        SELECT role, sum(count) AS count FROM slot WHERE role IS NOT NULL GROUP BY role
    )
    SELECT (SELECT count(*) FROM vote) >= greatest(subject.votes_needed, (SELECT sum(count) FROM slot))
       AND (SELECT count(*) FROM vote WHERE roles && (SELECT coalesce(array_agg(role), '{}') FROM named))
           >= (SELECT coalesce(sum(count), 0) FROM named)
       AND NOT EXISTS (
           SELECT FROM named WHERE (SELECT count(*) FROM vote WHERE named.role = ANY (vote.roles)) < named.count)
$$;
GRANT EXECUTE ON FUNCTION atom.approval_is_met(atom.approvals) TO atom_app, atom_worker;

CREATE FUNCTION atom.keep_approval() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'pending' THEN
            RAISE EXCEPTION 'an approval begins pending' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (to_jsonb(NEW) - '{state,decided_at,outcome}'::text[])
            IS DISTINCT FROM (to_jsonb(OLD) - '{state,decided_at,outcome}'::text[])
       OR NOT (OLD.state = 'pending' OR (OLD.state = 'approved' AND NEW.state = 'void')) THEN
        RAISE EXCEPTION 'an approval cannot be changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.state = 'approved' AND NOT atom.approval_is_met(NEW) THEN
        RAISE EXCEPTION 'four eyes: the votes do not meet the requirement'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_approval BEFORE INSERT OR UPDATE ON atom.approvals
    FOR EACH ROW EXECUTE FUNCTION atom.keep_approval();
