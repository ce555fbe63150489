-- name: relations()
SELECT
    c.relname AS name, c.relkind::text AS kind, pg_get_userbyid(c.relowner) AS owner,
    c.relrowsecurity AS row_security, c.relforcerowsecurity AS forced, coalesce(c.reloptions, '{}') AS options,
    (SELECT p.relname FROM pg_inherits AS i JOIN pg_class AS p ON p.oid = i.inhparent
     WHERE i.inhrelid = c.oid AND c.relispartition) AS parent,
    c.relkind IN ('r', 'p') AND EXISTS (SELECT FROM pg_rewrite AS w WHERE w.ev_class = c.oid) AS has_rules
FROM pg_class AS c
WHERE c.relnamespace = 'atom'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
ORDER BY c.relname;

-- name: columns()
SELECT c.relname AS relation, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
    t.typcategory::text AS category, a.attnotnull AS not_null, a.attgenerated = '' AS writable
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_type AS t ON t.oid = a.atttypid
WHERE c.relnamespace = 'atom'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum;

-- name: policies()
SELECT c.relname AS relation, p.polname AS name, NOT p.polpermissive AS restrictive, p.polcmd::text AS command,
    ARRAY(SELECT CASE r WHEN 0 THEN 'public' ELSE pg_get_userbyid(r) END FROM unnest(p.polroles) AS r)::text[] AS roles,
    pg_get_expr(p.polqual, p.polrelid) AS using, pg_get_expr(p.polwithcheck, p.polrelid) AS check
FROM pg_policy AS p
JOIN pg_class AS c ON c.oid = p.polrelid
WHERE c.relnamespace = 'atom'::regnamespace
ORDER BY c.relname, p.polname;

-- name: grants()
SELECT c.relname AS relation, NULL AS column, a.privilege_type AS privilege,
    CASE a.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(a.grantee) END::text AS grantee
FROM pg_class AS c, aclexplode(c.relacl) AS a
WHERE c.relnamespace = 'atom'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
UNION ALL
SELECT c.relname, t.attname, a.privilege_type,
    CASE a.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(a.grantee) END::text
FROM pg_class AS c JOIN pg_attribute AS t ON t.attrelid = c.oid, aclexplode(t.attacl) AS a
WHERE c.relnamespace = 'atom'::regnamespace AND NOT t.attisdropped;

-- name: foreign_keys()
SELECT k.conname AS name, c.relname AS relation, p.relnamespace::regnamespace::text AS parent_schema,
    p.relname AS parent,
    ARRAY(SELECT a.attname FROM unnest(k.conkey) WITH ORDINALITY AS u (n, i)
          JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.i)::text[] AS columns,
    ARRAY(SELECT a.attname FROM unnest(k.confkey) WITH ORDINALITY AS u (n, i)
          JOIN pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.i)::text[] AS parent_columns
FROM pg_constraint AS k
JOIN pg_class AS c ON c.oid = k.conrelid
JOIN pg_class AS p ON p.oid = k.confrelid
WHERE k.contype = 'f' AND c.relnamespace = 'atom'::regnamespace
ORDER BY k.conname;

-- name: unique_indexes()
SELECT c.relname AS relation, x.relname AS name,
    ARRAY(SELECT coalesce(a.attname, '') FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS u (n, o)
          LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = u.n AND u.n > 0
          WHERE u.o <= i.indnkeyatts ORDER BY u.o)::text[] AS columns
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indrelid
JOIN pg_class AS x ON x.oid = i.indexrelid
WHERE (i.indisunique OR i.indisexclusion) AND c.relnamespace = 'atom'::regnamespace
ORDER BY x.relname;

-- name: checks()
SELECT c.relname AS relation, k.conname AS name
FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
WHERE k.contype = 'c' AND c.relnamespace = 'atom'::regnamespace AND k.conislocal
ORDER BY k.conname;

-- name: functions()
SELECT p.oid::regprocedure::text AS signature, pg_get_userbyid(p.proowner) AS owner, p.prosecdef AS definer,
    (SELECT substr(o, 13) FROM unnest(p.proconfig) AS o WHERE starts_with(o, 'search_path=')) AS search_path,
    EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
            WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE') AS public
FROM pg_proc AS p
WHERE p.pronamespace = 'atom'::regnamespace
ORDER BY 1;

-- name: become(role, tenant)!
SELECT set_config('role', :role, true), set_config('app.tenant', :tenant, true);

-- name: stage(replication_role)!
-- `replica` leaves row level security in force and foreign keys and triggers out. Messages in English, because a refusal
-- by policy and one by missing grant differ in their words alone. Locks on live tables are not waited for long.
SELECT set_config('session_replication_role', :replication_role, true), set_config('lc_messages', 'C', true),
    set_config('lock_timeout', '5s', true);

-- name: notice_first()^
-- The session whose patience ends first is the one that a deadlock ends.
SELECT set_config('deadlock_timeout', '50ms', false), set_config('lock_timeout', '5s', false);
