-- CREATE EXTENSION and DROP EXTENSION.
\a \t
\set SHOW_CONTEXT never
CREATE DATABASE regress_install ENCODING 'UTF8' TEMPLATE template0;
\c regress_install

-- Every row of every catalog of this database. Of pg_class only who is there: its statistics change by themselves.
CREATE FUNCTION catalogs() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    catalog name;
BEGIN
    FOR catalog IN
        SELECT relname FROM pg_class
        WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'
          AND (NOT relisshared OR relname = 'pg_shdepend') AND relname NOT IN ('pg_class', 'pg_statistic')
    LOOP
        RETURN QUERY EXECUTE format('SELECT %L || c::text FROM %I AS c', catalog || ' ', catalog);
    END LOOP;
    RETURN QUERY SELECT 'pg_class ' || oid || ' ' || relname FROM pg_class;
END
$$;
CREATE TEMP TABLE before (row_text text);
CREATE TEMP TABLE after (row_text text);
INSERT INTO before SELECT catalogs();

CREATE EXTENSION token_vault;
SELECT extnamespace::regnamespace, extrelocatable FROM pg_extension WHERE extname = 'token_vault';
-- Everything in the schema belongs to the extension, the schema itself too.
SELECT pg_describe_object('pg_namespace'::regclass, 'vault'::regnamespace, 0)
WHERE NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_namespace'::regclass AND objid = 'vault'::regnamespace AND deptype = 'e');
SELECT c.relname FROM pg_class AS c
WHERE c.relnamespace = 'vault'::regnamespace AND c.relkind IN ('r', 'v', 'S')
  AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('e', 'i'));
SELECT p.proname FROM pg_proc AS p
WHERE p.pronamespace = 'vault'::regnamespace
  AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e');
-- A dump carries the rows of every table, and where every sequence stands; but not how far a re-encryption was.
SELECT relname FROM pg_class
WHERE relnamespace = 'vault'::regnamespace AND relkind IN ('r', 'S')
  AND NOT oid = ANY (SELECT unnest(extconfig) FROM pg_extension WHERE extname = 'token_vault')
ORDER BY relname;

-- PUBLIC may nothing, neither by a grant nor by a default. (Arrays follow the type of their elements; the type of a table's
-- rows gives nothing of them.)
WITH object (name, kind, owner, acl) AS (
    SELECT 'schema ' || nspname, 'n'::"char", nspowner, nspacl FROM pg_namespace WHERE nspname = 'vault'
    UNION ALL
    SELECT 'function ' || oid::regprocedure, 'f', proowner, proacl FROM pg_proc WHERE pronamespace = 'vault'::regnamespace
    UNION ALL
    SELECT 'relation ' || oid::regclass, CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner, relacl
    FROM pg_class WHERE relnamespace = 'vault'::regnamespace AND relkind IN ('r', 'v', 'S')
    UNION ALL
    SELECT 'column ' || attrelid::regclass || '.' || attname, 'c', relowner, attacl
    FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid WHERE relnamespace = 'vault'::regnamespace AND attacl IS NOT NULL
    UNION ALL
    SELECT 'type ' || oid::regtype, 'T', typowner, typacl FROM pg_type WHERE typnamespace = 'vault'::regnamespace AND typelem = 0 AND typrelid = 0
)
SELECT name, privilege_type FROM object, aclexplode(coalesce(acl, acldefault(kind, owner))) WHERE grantee = 0 ORDER BY name;

-- In use: columns of the type hold it, roles have rights.
CREATE ROLE regress_app;
DO $$ BEGIN PERFORM vault.create_master_key(); END $$;
SELECT vault.grant_access('regress_app', '{read,write,admin}');
CREATE TABLE webhook (signing_key vault.secret);
DROP EXTENSION token_vault;
DROP TABLE webhook;
DROP EXTENSION token_vault;
INSERT INTO after SELECT catalogs();
(SELECT '+ ' || row_text FROM after EXCEPT SELECT '+ ' || row_text FROM before)
UNION ALL
(SELECT '- ' || row_text FROM before EXCEPT SELECT '- ' || row_text FROM after);

-- Again in the same session, which remembers plans, keys and rights of the first.
CREATE EXTENSION token_vault;
SELECT vault.store_token('google', 'user-1', 'access');
\echo :SQLSTATE
SET ROLE regress_app;
SELECT vault.has_token('google', 'user-1');
RESET ROLE;
DO $$ BEGIN PERFORM vault.create_master_key(); END $$;
SELECT vault.store_token('google', 'user-1', 'access');
SELECT vault.get_token('google', 'user-1');
SELECT vault.grant_access('regress_app', '{read}');
SET ROLE regress_app;
SELECT vault.get_token('google', 'user-1');
RESET ROLE;

-- Moving it is not possible; without superuser rights, nor is creating it.
ALTER EXTENSION token_vault SET SCHEMA public;
\echo :SQLSTATE
DROP EXTENSION token_vault;
SET ROLE regress_app;
CREATE EXTENSION token_vault;
\echo :SQLSTATE
RESET ROLE;

-- Somebody else has the schema: a clear error, and nothing is touched.
CREATE SCHEMA vault AUTHORIZATION regress_app;
CREATE TABLE vault.secrets ();
CREATE EXTENSION token_vault;
\echo :SQLSTATE
SELECT relname FROM pg_class WHERE relnamespace = 'vault'::regnamespace;
DROP SCHEMA vault CASCADE;

-- A database with another encoding.
CREATE DATABASE regress_latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
\c regress_latin1
CREATE EXTENSION token_vault;
\echo :SQLSTATE

\c regression
DROP DATABASE regress_latin1 (FORCE);
DROP DATABASE regress_install (FORCE);
DROP ROLE regress_app;
