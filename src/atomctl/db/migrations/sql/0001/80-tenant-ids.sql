-- Which tenants there are: the worker's schedules visit each in a transaction of its own. Ids, nothing else.
GRANT SELECT (tenant_id) ON atom.tenants TO atom_relay;
CREATE POLICY relay ON atom.tenants FOR SELECT TO atom_relay USING (true);

CREATE FUNCTION atom.tenant_ids() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT tenant_id FROM atom.tenants ORDER BY tenant_id
$$;
ALTER FUNCTION atom.tenant_ids() OWNER TO atom_relay;
REVOKE ALL ON FUNCTION atom.tenant_ids() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION atom.tenant_ids() TO atom_worker;
