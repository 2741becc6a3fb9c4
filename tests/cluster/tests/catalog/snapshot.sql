-- pg_temp.extension_catalog(): everything that the catalog holds about the extension, one line for each property of each
-- object, in words: no object ids, no places of columns, nothing physical. Two databases with the same lines have the same
-- extension. Whole catalog rows are taken, so that no flag is forgotten, also none of a later version of PostgreSQL.

-- The name of an object, the same in every database.
CREATE FUNCTION pg_temp.name_of(class oid, object oid, part integer DEFAULT 0) RETURNS text
LANGUAGE sql AS $$
    SELECT CASE
        WHEN object = 0 THEN '-'
        -- Toast tables and triggers of foreign keys have an object id in their names.
        WHEN i.identity LIKE '%pg\_toast\_%' THEN
            i.type || ' of ' || (SELECT t.oid::regclass::text FROM pg_class AS t WHERE t.oid = substring(i.identity from 'pg_toast_(\d+)')::oid)
                   || regexp_replace(i.identity, '.*pg_toast_\d+', '')
        WHEN i.identity LIKE '%RI\_ConstraintTrigger%' THEN
            i.type || ' ' || regexp_replace(i.identity, 'RI_ConstraintTrigger_([ac])_\d+', 'RI_ConstraintTrigger_\1')
        ELSE i.type || ' ' || i.identity
    END
    FROM pg_identify_object(class, object, part) AS i
$$;

-- What belongs to the extension, and what belongs to that: indexes, constraints, rules, toast tables.
CREATE TEMPORARY TABLE member (class oid, object oid);

CREATE FUNCTION pg_temp.find_members() RETURNS void
LANGUAGE sql AS $$
    DELETE FROM pg_temp.member;
    WITH RECURSIVE found (class, object) AS (
        SELECT 'pg_extension'::regclass::oid, oid FROM pg_extension WHERE extname = 'token_vault'
        UNION
        SELECT d.classid, d.objid
        FROM found AS f JOIN pg_depend AS d ON d.refclassid = f.class AND d.refobjid = f.object
        WHERE d.deptype IN ('e', 'i', 'a', 'P', 'S')
          -- The months of the audit log are data; the partition that the script makes is a member itself.
          AND NOT (d.refclassid = 'pg_class'::regclass AND d.classid = 'pg_class'::regclass AND d.deptype = 'a'
                   AND EXISTS (SELECT FROM pg_class AS c WHERE c.oid = d.objid AND c.relkind = 'r' AND c.relispartition))
    )
    INSERT INTO pg_temp.member SELECT * FROM found;
$$;

-- Catalogs whose rows have no identity of their own: the columns with what they are about.
CREATE TEMPORARY VIEW detail (catalog, class, object, part) AS VALUES
    ('pg_attribute', '''pg_class''::regclass', 'attrelid', '0'),
    ('pg_index', '''pg_class''::regclass', 'indexrelid', '0'),
    ('pg_sequence', '''pg_class''::regclass', 'seqrelid', '0'),
    ('pg_partitioned_table', '''pg_class''::regclass', 'partrelid', '0'),
    ('pg_inherits', '''pg_class''::regclass', 'inhrelid', '0'),
    ('pg_aggregate', '''pg_proc''::regclass', 'aggfnoid', '0'),
    ('pg_enum', '''pg_type''::regclass', 'enumtypid', '0'),
    ('pg_range', '''pg_type''::regclass', 'rngtypid', '0'),
    ('pg_description', 'classoid', 'objoid', 'objsubid'),
    ('pg_seclabel', 'classoid', 'objoid', 'objsubid'),
    ('pg_init_privs', 'classoid', 'objoid', 'objsubid');

-- Columns that say nothing about the definition: ids, numbers of columns (which the definition has as names), what is
-- physical, and what dropped columns leave behind.
CREATE FUNCTION pg_temp.is_ignored(col text, type oid) RETURNS boolean
LANGUAGE sql AS $$
    SELECT type = 'pg_node_tree'::regtype OR col IN (
        'oid', 'relfilenode', 'relpages', 'reltuples', 'relallvisible', 'relallfrozen', 'relfrozenxid', 'relminmxid', 'relnatts',
        'attnum', 'adnum', 'attcacheoff', 'atthasmissing', 'attmissingval', 'indkey', 'indcheckxmin', 'conkey', 'confkey', 'tgname',
        'tgattr', 'partattrs', 'stxkeys', 'extconfig', 'extcondition', 'classoid', 'objoid', 'objsubid')
$$;

-- A value as text: references as names, privileges in an order.
CREATE FUNCTION pg_temp.value_of(value jsonb, type oid, class oid) RETURNS text
LANGUAGE sql AS $$
    SELECT CASE
        WHEN class IS NOT NULL AND value #>> '{}' ~ '^\d+$' THEN pg_temp.name_of(class, (value #>> '{}')::oid)
        WHEN class IS NOT NULL AND jsonb_typeof(value) = 'array' THEN
            (SELECT string_agg(pg_temp.name_of(class, e::oid), ', ' ORDER BY place)
             FROM jsonb_array_elements_text(value) WITH ORDINALITY AS a (e, place) WHERE e ~ '^\d+$')
        WHEN class IS NOT NULL AND value #>> '{}' ~ '^[\d ]+$' THEN
            (SELECT string_agg(pg_temp.name_of(class, e::oid), ', ' ORDER BY place)
             FROM string_to_table(value #>> '{}', ' ') WITH ORDINALITY AS a (e, place))
        WHEN type = 'aclitem[]'::regtype AND jsonb_typeof(value) = 'array' THEN
            (SELECT string_agg(e, ', ' ORDER BY e) FROM jsonb_array_elements_text(value) AS e)
        -- Recent minor versions keep a position of the WAL among the options of a column.
        WHEN type = 'text[]'::regtype AND jsonb_typeof(value) = 'array' THEN
            (SELECT string_agg(e, ', ' ORDER BY e) FROM jsonb_array_elements_text(value) AS e WHERE e NOT LIKE 'pg\_attver=%')
        ELSE value::text
    END
$$;

-- The properties of all rows of one catalog that are about members.
CREATE FUNCTION pg_temp.properties(catalog regclass, class text, object text, part text)
RETURNS TABLE (subject text, property text, content text)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format($query$
        WITH col AS MATERIALIZED (
            SELECT a.attname::text AS name, a.atttypid AS type, f.pktable::oid AS class,
                   f.pktable IS NULL AND a.atttypid <> ALL (ARRAY['aclitem[]', 'text[]']::regtype[]) AS is_plain
            FROM pg_attribute AS a
            LEFT JOIN pg_get_catalog_foreign_keys() AS f ON f.fktable = a.attrelid AND f.fkcols = ARRAY[a.attname::text]
            WHERE a.attrelid = %1$L::regclass AND a.attnum > 0 AND NOT a.attisdropped AND NOT pg_temp.is_ignored(a.attname, a.atttypid)
        ), about AS MATERIALIZED (
            SELECT concat_ws(' ', pg_temp.name_of(%2$s, c.%3$I, %4$s), to_jsonb(c) ->> 'attname') AS subject, to_jsonb(c) AS content
            FROM %1$s AS c JOIN pg_temp.member AS m ON m.class = %2$s AND m.object = c.%3$I
            WHERE NOT COALESCE((to_jsonb(c) ->> 'attisdropped')::boolean, false)
        )
        SELECT about.subject, col.name,
               CASE WHEN col.is_plain THEN j.value::text ELSE pg_temp.value_of(j.value, col.type, col.class) END
        FROM about, jsonb_each(about.content) AS j JOIN col ON col.name = j.key
        WHERE NOT (j.key = 'relname' AND j.value #>> '{}' LIKE 'pg\_toast\_%%')
        $query$, catalog, class, object, part);
END
$$;

CREATE FUNCTION pg_temp.definition(class oid, object oid) RETURNS text
LANGUAGE sql AS $$
    SELECT CASE class
        WHEN 'pg_proc'::regclass THEN (SELECT pg_get_functiondef(oid) FROM pg_proc WHERE oid = object AND prokind <> 'a')
        WHEN 'pg_rewrite'::regclass THEN pg_get_ruledef(object)
        WHEN 'pg_constraint'::regclass THEN pg_get_constraintdef(object)
        WHEN 'pg_trigger'::regclass THEN
            regexp_replace(pg_get_triggerdef(object), 'RI_ConstraintTrigger_([ac])_\d+', 'RI_ConstraintTrigger_\1')
        WHEN 'pg_statistic_ext'::regclass THEN pg_get_statisticsobjdef(object)
        WHEN 'pg_attrdef'::regclass THEN (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE oid = object)
        WHEN 'pg_policy'::regclass THEN
            (SELECT concat_ws(' / ', pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) FROM pg_policy WHERE oid = object)
        WHEN 'pg_class'::regclass THEN
            (SELECT CASE WHEN relispartition THEN pg_get_expr(relpartbound, oid) WHEN relkind = 'p' THEN pg_get_partkeydef(oid)
                         WHEN relkind IN ('i', 'I') AND relnamespace <> 'pg_toast'::regnamespace THEN pg_get_indexdef(oid) END
             FROM pg_class WHERE oid = object)
    END
$$;

CREATE FUNCTION pg_temp.extension_catalog() RETURNS TABLE (subject text, property text, content text)
LANGUAGE sql SET search_path = pg_catalog SET jit = off AS $$
    SELECT pg_temp.find_members();
    -- Catalogs of objects …
    SELECT p.* FROM (SELECT DISTINCT class::regclass AS catalog FROM pg_temp.member) AS c,
        LATERAL pg_temp.properties(c.catalog, format('%L::regclass', c.catalog::text), 'oid', '0') AS p
    UNION ALL
    -- … and of what is said about them.
    SELECT p.* FROM pg_temp.detail AS d, LATERAL pg_temp.properties(d.catalog::regclass, d.class, d.object, d.part) AS p
    UNION ALL
    SELECT pg_temp.name_of(class, object), 'definition', pg_temp.definition(class, object)
    FROM pg_temp.member WHERE pg_temp.definition(class, object) IS NOT NULL
    UNION ALL
    -- The order of the columns; a dropped one leaves a number behind.
    SELECT pg_temp.name_of('pg_class'::regclass, attrelid), 'columns', string_agg(attname, ', ' ORDER BY attnum)
    FROM pg_attribute JOIN pg_temp.member ON class = 'pg_class'::regclass AND object = attrelid
    WHERE attnum > 0 AND NOT attisdropped GROUP BY attrelid
    UNION ALL
    SELECT pg_temp.name_of(d.classid, d.objid, d.objsubid), 'depends on',
           d.deptype::text || ' ' || pg_temp.name_of(d.refclassid, d.refobjid, d.refobjsubid)
    FROM pg_depend AS d JOIN pg_temp.member AS m ON m.class = d.classid AND m.object = d.objid
    UNION ALL
    SELECT pg_temp.name_of(d.classid, d.objid, d.objsubid), 'depends on the role',
           d.deptype::text || ' ' || pg_temp.name_of(d.refclassid, d.refobjid)
    FROM pg_shdepend AS d JOIN pg_temp.member AS m ON m.class = d.classid AND m.object = d.objid
    WHERE d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    UNION ALL
    SELECT pg_temp.name_of('pg_class'::regclass, e.extconfig[i]), 'is dumped', COALESCE(NULLIF(e.extcondition[i], ''), 'whole')
    FROM pg_extension AS e, generate_subscripts(e.extconfig, 1) AS i WHERE e.extname = 'token_vault'
    UNION ALL
    -- What the script has put into the tables.
    SELECT 'built-in provider ' || p.name, j.key, j.value::text
    FROM vault.provider AS p, jsonb_each(to_jsonb(p)) AS j WHERE p.builtin
$$;
