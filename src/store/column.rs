//! Columns of type `vault.secret` in users' tables, found through the catalog.

use crate::pg::Oid;
use crate::pg::role::Role;
use crate::pg::spi::BuiltinOid::OIDOID;
use crate::pg::spi::{self, Row, Statement};

/// A table with encrypted columns: an ordinary one, or a partition.
pub struct Table {
    pub oid: Oid,
    pub owner: Role,
    /// With its schema, quoted.
    pub name: String,
    /// Quoted.
    pub columns: Vec<String>,
}

/// What is common to the statements below: the types that are `vault.secret`, those that can hold it, and the
/// columns of either. Every type and every column depends on the types it is made of, and for that there is an index.
macro_rules! with_columns {
    ($query:literal) => {
        concat!(
            "WITH RECURSIVE secret (type) AS (
                 SELECT 'vault.secret'::regtype::oid
                 UNION
                 SELECT t.oid
                 FROM secret AS s
                 JOIN pg_depend AS d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = s.type
                                    AND d.classid = 'pg_type'::regclass
                 JOIN pg_type AS t ON t.oid = d.objid AND t.typbasetype = s.type
             ), holder (type) AS (
                 SELECT type FROM secret
                 UNION
                 SELECT coalesce(c.reltype, d.objid)
                 FROM holder AS h
                 JOIN pg_depend AS d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = h.type
                                    AND d.classid IN ('pg_type'::regclass, 'pg_class'::regclass)
                 LEFT JOIN pg_class AS c ON c.oid = d.objid AND d.classid = 'pg_class'::regclass
                 WHERE c.reltype IS DISTINCT FROM 0
             ), stored AS (
                 SELECT DISTINCT c.oid AS relation, c.relowner, a.attnum, a.attname,
                        format('%I.%I', n.nspname, c.relname) AS name,
                        h.type IN (SELECT type FROM secret) AND c.relkind = 'r' AND a.attgenerated = ''
                            AND (c.relpersistence <> 't' OR c.relnamespace = pg_my_temp_schema()) AS is_plain
                 FROM holder AS h
                 JOIN pg_depend AS d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = h.type
                                    AND d.classid = 'pg_class'::regclass AND d.objsubid > 0
                 JOIN pg_attribute AS a ON a.attrelid = d.objid AND a.attnum = d.objsubid AND NOT a.attisdropped
                 JOIN pg_class AS c ON c.oid = d.objid AND c.relkind IN ('r', 'm', 'f')
                 JOIN pg_namespace AS n ON n.oid = c.relnamespace
             ) ",
            $query
        )
    };
}

/// All tables whose encrypted columns can be re-encrypted.
pub fn tables() -> Vec<Table> {
    static TABLES: Statement = Statement::new(
        with_columns!(
            "SELECT relation, relowner, name, array_agg(quote_ident(attname) ORDER BY attnum)
             FROM stored WHERE is_plain GROUP BY relation, relowner, name ORDER BY relation"
        ),
        &[],
    );
    spi::session(|session| session.query(&TABLES, &[], read))
}

/// The first of [`tables`] whose number is greater than this one; None: the first of all.
pub fn table_after(table: Option<Oid>) -> Option<Table> {
    static NEXT: Statement = Statement::new(
        with_columns!(
            "SELECT relation, relowner, name, array_agg(quote_ident(attname) ORDER BY attnum)
             FROM stored WHERE is_plain AND ($1 IS NULL OR relation > $1)
             GROUP BY relation, relowner, name ORDER BY relation LIMIT 1"
        ),
        &[OIDOID],
    );
    spi::session(|session| session.query_one(&NEXT, &[table.into()], read))
}

/// This one of [`tables`], if it is one.
pub fn table(table: Oid) -> Option<Table> {
    static ONE: Statement = Statement::new(
        with_columns!(
            "SELECT relation, relowner, name, array_agg(quote_ident(attname) ORDER BY attnum)
             FROM stored WHERE is_plain AND relation = $1 GROUP BY relation, relowner, name"
        ),
        &[OIDOID],
    );
    spi::session(|session| session.query_one(&ONE, &[table.into()], read))
}

/// Columns that can hold encrypted values where they are neither counted nor re-encrypted: inside arrays and
/// composite values, in materialized views, foreign tables, generated columns, other sessions' temporary tables.
pub fn opaque() -> Vec<String> {
    static OPAQUE: Statement = Statement::new(
        with_columns!(
            "SELECT format('%s.%I', name, attname) FROM stored WHERE NOT is_plain ORDER BY 1"
        ),
        &[],
    );
    spi::session(|session| session.query(&OPAQUE, &[], |row| row.required(1)))
}

fn read(row: &Row) -> Table {
    Table {
        oid: row.required(1),
        owner: Role::from_oid(row.required(2)),
        name: row.required(3),
        columns: row.required(4),
    }
}
