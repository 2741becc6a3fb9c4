-- The extension's objects with everything that an upgrade could lose, one line for each.
WITH member AS (
    SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'token_vault'
        -- Row types and arrays are members since 17.
        AND NOT (d.classid = 'pg_type'::regclass
            AND d.objid IN (SELECT oid FROM pg_type WHERE typrelid <> 0 OR typcategory = 'A'))
),
-- Written down or not, and without those that came with a later version.
granted AS (
    SELECT m.classid, m.objid, string_agg(format('%s:%s:%s', g.grantee::regrole, g.privilege_type, g.is_grantable), ' '
        ORDER BY g.grantee::regrole::text, g.privilege_type) AS privileges
    FROM member m
        LEFT JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid
        LEFT JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid
        LEFT JOIN pg_type t ON m.classid = 'pg_type'::regclass AND t.oid = m.objid
        LEFT JOIN pg_namespace n ON m.classid = 'pg_namespace'::regclass AND n.oid = m.objid,
        LATERAL aclexplode(CASE
            WHEN c.oid IS NOT NULL THEN coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))
            WHEN p.oid IS NOT NULL THEN coalesce(p.proacl, acldefault('f', p.proowner))
            WHEN t.oid IS NOT NULL THEN coalesce(t.typacl, acldefault('T', t.typowner))
            WHEN n.oid IS NOT NULL THEN coalesce(n.nspacl, acldefault('n', n.nspowner)) END) g
    WHERE g.privilege_type <> 'MAINTAIN'
    GROUP BY m.classid, m.objid
)
SELECT format('member %s, comment %s, privileges %s', pg_describe_object(m.classid, m.objid, 0),
        md5(obj_description(m.objid, m.classid::regclass::name)), g.privileges) AS line
    FROM member m LEFT JOIN granted g USING (classid, objid)
UNION ALL
SELECT format('function %s %s %s %s %s %s %s %s', p.oid::regprocedure, p.prosecdef, p.provolatile, p.proisstrict,
        p.proparallel, p.proleakproof, p.proconfig, md5(p.probin || p.prosrc))
    FROM pg_proc p JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
UNION ALL
SELECT format('relation %s %s %s %s', c.oid::regclass, c.relkind, c.relpersistence, c.reloptions)
    FROM pg_class c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
UNION ALL
SELECT format('column %s.%s %s %s %s %s %s', a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod),
        a.attnotnull, a.attstorage, coalesce(nullif(a.attstattarget, -1), 0), pg_get_expr(f.adbin, f.adrelid))
    FROM pg_attribute a JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = a.attrelid
        LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT format('constraint %s.%s %s %s', conrelid::regclass, conname, convalidated, md5(pg_get_constraintdef(oid)))
    FROM pg_constraint JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = conrelid
    WHERE contype <> 'n' -- which 18 has a row for
UNION ALL
SELECT format('index %s %s %s', indexrelid::regclass, indisvalid, pg_get_indexdef(indexrelid))
    FROM pg_index JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = indrelid
UNION ALL
SELECT format('type %s %s %s %s %s %s %s %s', t.oid::regtype, t.typlen, t.typstorage, t.typcategory, t.typinput, t.typoutput,
        t.typreceive, t.typanalyze)
    FROM pg_type t JOIN member m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
UNION ALL
SELECT format('dumped %s %s', marked.relation::regclass, marked.condition)
    FROM pg_extension e, unnest(e.extconfig, e.extcondition) marked (relation, condition) WHERE e.extname = 'token_vault'
UNION ALL
SELECT format('initial privileges of %s: %s', pg_describe_object(i.classoid, i.objoid, i.objsubid), (
        SELECT string_agg(format('%s:%s', g.grantee::regrole, g.privilege_type), ' ' ORDER BY g.grantee::regrole::text, g.privilege_type)
        FROM aclexplode(i.initprivs) g WHERE g.privilege_type <> 'MAINTAIN'))
    FROM pg_init_privs i JOIN member m ON m.classid = i.classoid AND m.objid = i.objoid
    -- A relation's or schema's owner has the same rights where nothing is written down.
    WHERE i.classoid NOT IN ('pg_class'::regclass, 'pg_namespace'::regclass)
        OR EXISTS (SELECT FROM aclexplode(i.initprivs) g WHERE g.grantee <> g.grantor)
UNION ALL
SELECT format('extension %s %s %s', extname, extversion, extnamespace::regnamespace) FROM pg_extension
    WHERE extname = 'token_vault'
ORDER BY line
