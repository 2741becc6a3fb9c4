-- The last part of the script: nothing is open to PUBLIC, nor to a role that default privileges (ALTER DEFAULT
-- PRIVILEGES) give rights on whatever is created. Who could write vault.access_rule could grant itself everything.
-- Row types too: a table with a column of one would block every later change of ours.
DO $$
DECLARE
    everybody text;
    kind text;
    type_name text;
BEGIN
    SELECT pg_catalog.concat_ws(', ', 'PUBLIC', pg_catalog.string_agg(DISTINCT pg_catalog.quote_ident(r.rolname), ', ')) INTO everybody
    FROM (SELECT relacl AS acl FROM pg_catalog.pg_class WHERE relnamespace OPERATOR(pg_catalog.=) 'vault'::pg_catalog.regnamespace
          UNION ALL SELECT proacl FROM pg_catalog.pg_proc WHERE pronamespace OPERATOR(pg_catalog.=) 'vault'::pg_catalog.regnamespace
          UNION ALL SELECT typacl FROM pg_catalog.pg_type WHERE typnamespace OPERATOR(pg_catalog.=) 'vault'::pg_catalog.regnamespace
          UNION ALL SELECT nspacl FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) 'vault') AS o
         CROSS JOIN LATERAL pg_catalog.aclexplode(o.acl) AS a
         JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) a.grantee
    WHERE r.rolname OPERATOR(pg_catalog.<>) CURRENT_USER;

    FOREACH kind IN ARRAY ARRAY['ALL TABLES IN SCHEMA', 'ALL SEQUENCES IN SCHEMA', 'ALL ROUTINES IN SCHEMA', 'SCHEMA'] LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON %s vault FROM %s', kind, everybody);
    END LOOP;
    FOR type_name IN
        SELECT pg_catalog.format('%I.%I', n.nspname, t.typname)
        FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
        -- Not those of the tables' rows: who may use them gets nothing, and pg_dump would warn of each.
        WHERE n.nspname OPERATOR(pg_catalog.=) 'vault' AND t.typelem OPERATOR(pg_catalog.=) 0
          AND t.typrelid OPERATOR(pg_catalog.=) 0
    LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON TYPE %s FROM %s', type_name, everybody);
    END LOOP;
END
$$;
