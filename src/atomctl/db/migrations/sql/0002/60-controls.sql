-- Takes away the throw-away tenant of a check of controls: every row of the transaction's own tenant, which must be
-- called probe-XXXXXXXX, but not one of its audit log. It runs as the owner, whom the tenant policy binds as well, and
-- deletes from whichever table lets go, again and again, until all have: so no list of tables has to be kept in order.
CREATE FUNCTION atom.remove_probe_tenant() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    own  CONSTANT uuid := (SELECT NULLIF(current_setting('app.tenant', true), ''))::uuid;
    kept CONSTANT text[] := ARRAY['personal_values'];
    left_over regclass[];
    before int;
    relation regclass;
    again regclass[];
BEGIN
    IF NOT EXISTS (SELECT FROM atom.tenants WHERE tenant_id = own AND name ~ '^probe-[0-9a-f]{8}$') THEN
        RAISE EXCEPTION 'only a tenant called probe-XXXXXXXX is removed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT array_agg(c.oid::regclass) INTO left_over
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
    WHERE c.relnamespace = 'atom'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND c.relname NOT LIKE 'audit\_%' AND c.relname <> ALL (kept)
      AND EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid AND p.polname = 'tenant');
    LOOP
        before := cardinality(left_over);
        again := '{}';
        FOREACH relation IN ARRAY left_over LOOP
            BEGIN
                EXECUTE format('DELETE FROM %s WHERE tenant_id = $1', relation) USING own;
            EXCEPTION WHEN foreign_key_violation THEN
                again := again || relation;
            END;
        END LOOP;
        EXIT WHEN cardinality(again) = 0;
        IF cardinality(again) = before THEN
            RAISE EXCEPTION 'rows of the probe tenant cannot be removed from %', again;
        END IF;
        left_over := again;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION atom.remove_probe_tenant() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION atom.remove_probe_tenant() TO atom_app;
