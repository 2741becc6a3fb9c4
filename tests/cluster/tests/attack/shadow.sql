-- Traps under every name that anybody's SQL can mean: each function, aggregate, operator, type, table and view of
-- pg_catalog and of the vault, in the attacker's schema and with the original's arguments, so that it hides the original
-- where evil comes first in search_path. The vault need not be there yet. What is stepped into counts, in a sequence
-- that no rollback undoes, and says so in the server's log as far as that is not cleaned.
-- Run by the superuser, because the attacker has no rights on the vault's types.
SET search_path = pg_catalog;
CREATE SCHEMA evil;
GRANT USAGE, CREATE ON SCHEMA evil TO PUBLIC;
CREATE SEQUENCE evil.reached;
GRANT ALL ON SEQUENCE evil.reached TO PUBLIC;
CREATE FUNCTION evil.trap(name text) RETURNS boolean LANGUAGE plpgsql VOLATILE COST 0.0001 AS
    $$ BEGIN PERFORM pg_catalog.nextval('evil.reached'); RAISE LOG 'TRAP %', name; RETURN true; END $$;

CREATE TABLE evil.planted (kind text, name text);

-- plant(KIND, NAME, STATEMENT): pseudo-types and the like, which nobody can make such an object of, are left out.
CREATE PROCEDURE evil.plant(kind text, name text, statement text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    INSERT INTO evil.planted VALUES (kind, name);
EXCEPTION WHEN OTHERS THEN
    NULL;
END
$$;

DO $$
DECLARE
    f record; body text; columns text;
BEGIN
    FOR f IN
        SELECT p.oid, p.oid::regprocedure::text AS signature, p.proname AS name, pg_get_function_identity_arguments(p.oid) AS identity,
               oidvectortypes(p.proargtypes) AS types, p.prokind AS kind, p.proretset AS is_set, format_type(p.prorettype, NULL) AS result
        FROM pg_proc AS p WHERE p.pronamespace IN ('pg_catalog'::regnamespace, to_regnamespace('vault'))
    LOOP
        body := format(CASE WHEN f.is_set OR f.result = 'void' THEN 'BEGIN PERFORM pg_catalog.nextval(''evil.reached''); RAISE LOG %L; RETURN; END' ELSE 'BEGIN PERFORM pg_catalog.nextval(''evil.reached''); RAISE LOG %L; RETURN NULL; END' END,
                       'TRAP ' || f.signature);
        IF f.kind = 'f' THEN
            CALL evil.plant('function', f.name, format('CREATE FUNCTION evil.%I(%s) RETURNS %s %s LANGUAGE plpgsql COST 0.0001 AS %L',
                f.name, f.types, CASE WHEN f.is_set THEN 'SETOF' ELSE '' END, f.result, body));
        ELSIF f.kind = 'a' THEN
            CALL evil.plant('step', f.name, format('CREATE FUNCTION evil.%I(%s) RETURNS text LANGUAGE plpgsql AS %L',
                'step_' || f.oid, concat_ws(', ', 'text', nullif(f.types, '')), body));
            CALL evil.plant('aggregate', f.name, format('CREATE AGGREGATE evil.%I(%s) (SFUNC = evil.%I, STYPE = text, INITCOND = ''0'')',
                f.name, coalesce(nullif(f.types, ''), '*'), 'step_' || f.oid));
        END IF;
    END LOOP;
    FOR f IN
        SELECT o.oid, o.oprname AS name, o.oprleft, o.oprright, format_type(nullif(o.oprleft, 0), NULL) AS left_type, format_type(o.oprright, NULL) AS right_type,
               format_type(o.oprresult, NULL) AS result
        FROM pg_operator AS o WHERE o.oprnamespace = 'pg_catalog'::regnamespace
    LOOP
        body := format('BEGIN PERFORM pg_catalog.nextval(''evil.reached''); RAISE LOG %L; RETURN NULL; END', format('TRAP %s %s %s', f.left_type, f.name, f.right_type));
        CALL evil.plant('function', f.name, format('CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql COST 0.0001 AS %L',
            'operator_' || f.oid, concat_ws(', ', f.left_type, f.right_type), f.result, body));
        CALL evil.plant('operator', f.name, format('CREATE OPERATOR evil.%s (%s RIGHTARG = %s, FUNCTION = evil.%I)',
            f.name, 'LEFTARG = ' || f.left_type || ',', f.right_type, 'operator_' || f.oid));
    END LOOP;
    FOR f IN
        SELECT t.typname AS name, format('%I.%I', t.typnamespace::regnamespace, t.typname) AS original
        FROM pg_type AS t WHERE t.typnamespace IN ('pg_catalog'::regnamespace, to_regnamespace('vault')) AND t.typtype = 'b' AND t.typelem = 0
    LOOP
        CALL evil.plant('type', f.name, format('CREATE DOMAIN evil.%I AS %s CHECK (evil.trap(%L))', f.name, f.original, f.name));
    END LOOP;
END
$$;

-- plant_relations(SCHEMA): of every table and view one that has the same columns and no rows, and says when it is read.
CREATE PROCEDURE evil.plant_relations(target text) LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    FOR r IN
        SELECT c.relname AS name, string_agg(format('NULL::%s AS %I', format_type(a.atttypid, a.atttypmod), a.attname), ', ' ORDER BY a.attnum) AS columns
        FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace IN ('pg_catalog'::regnamespace, to_regnamespace('vault')) AND c.relkind IN ('r', 'v', 'p')
        GROUP BY c.oid, c.relname
    LOOP
        CALL evil.plant('relation', r.name, format('CREATE VIEW %s.%I AS SELECT %s WHERE evil.trap(%L)', target, r.name, r.columns, r.name));
    END LOOP;
END
$$;
ALTER PROCEDURE evil.plant_relations(text) SET search_path = pg_catalog;
CALL evil.plant_relations('evil');
GRANT ALL ON ALL TABLES IN SCHEMA evil TO PUBLIC;
RESET search_path;
