-- The last part of the script: nothing is open to PUBLIC.
REVOKE ALL ON ALL TABLES IN SCHEMA vault FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA vault FROM PUBLIC;
REVOKE ALL ON ALL ROUTINES IN SCHEMA vault FROM PUBLIC;
REVOKE ALL ON TYPE vault.secret FROM PUBLIC;
REVOKE ALL ON SCHEMA vault FROM PUBLIC;

-- Row types too: a table with a column of one would block every later change of ours.
DO $$
DECLARE
    type_name text;
BEGIN
    FOR type_name IN
        SELECT pg_catalog.format('%I.%I', n.nspname, t.typname)
        FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
        WHERE n.nspname OPERATOR(pg_catalog.=) 'vault' AND t.typelem OPERATOR(pg_catalog.=) 0
    LOOP
        EXECUTE 'REVOKE ALL ON TYPE ' OPERATOR(pg_catalog.||) type_name OPERATOR(pg_catalog.||) ' FROM PUBLIC';
    END LOOP;
END
$$;
