-- What everything else stands on: the engine's schema and the protection of tenant tables.
-- Every file of this folder runs as atom_owner, in the order of its name, in one transaction.

CREATE SCHEMA engine AUTHORIZATION atom_engine;

GRANT USAGE ON SCHEMA atom TO atom_app, atom_worker, atom_sequencer, atom_migrator, atom_backup, atom_relay;
-- Taking over a function needs CREATE; 90-close.sql takes it back.
GRANT CREATE ON SCHEMA atom TO atom_relay;
-- A function is for those it is granted to.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- Which migrations ran; every process compares it with its own before it serves.
GRANT SELECT ON atom.alembic_version TO atom_app, atom_worker, atom_sequencer, atom_migrator, atom_backup;

-- Makes a table a tenant's: a row is seen and written only in a transaction that chose its tenant. The owner and the
-- migrator are bound too (FORCE). RESTRICTIVE, so that no policy added later can widen it. NULLIF, because a setting
-- made for one transaction is the empty string afterwards, not unset. The sub-select makes it one lookup for the
-- statement, not one for each row. `privileges` go to the API server and the worker, column lists allowed.
CREATE FUNCTION atom.protect(relation regclass, privileges text DEFAULT 'SELECT, INSERT, UPDATE') RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    own_rows CONSTANT text := 'tenant_id = (SELECT NULLIF(current_setting(''app.tenant'', true), ''''))::uuid';
    bound CONSTANT text := 'atom_app, atom_worker, atom_migrator, atom_owner';
BEGIN
    IF privileges ~* '\m(TRUNCATE|ALL|REFERENCES|TRIGGER|MAINTAIN)\M' THEN
        RAISE EXCEPTION 'atom.protect grants no %', privileges;
    END IF;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', relation);
    EXECUTE format('CREATE POLICY tenant ON %s AS RESTRICTIVE TO %s USING (%s) WITH CHECK (%s)',
                   relation, bound, own_rows, own_rows);
    EXECUTE format('CREATE POLICY rows ON %s TO %s USING (true) WITH CHECK (true)', relation, bound);
    EXECUTE format('GRANT %s ON %s TO atom_app, atom_worker', privileges, relation);
END
$$;
REVOKE ALL ON FUNCTION atom.protect(regclass, text) FROM PUBLIC;
