//! Everything that the catalog holds about the extension, so that two installations can be compared.

use std::collections::BTreeSet;

use postgres::GenericClient;
use token_vault_cluster::Result;

/// One property of one object: the object, the property, its value.
pub type Property = (String, String, String);

/// What `tests/catalog/snapshot.sql` finds.
pub fn snapshot(db: &mut impl GenericClient) -> Result<BTreeSet<Property>> {
    let defined = "SELECT to_regprocedure('pg_temp.extension_catalog()') IS NOT NULL";
    if !db.query_one(defined, &[])?.get::<_, bool>(0) {
        db.batch_execute(include_str!("../catalog/snapshot.sql"))?;
    }
    let rows = db.query(
        "SELECT subject, property, COALESCE(content, 'NULL') FROM pg_temp.extension_catalog()",
        &[],
    )?;
    Ok(rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect())
}

/// What only one of them has, a line each: `-` the first, `+` the second.
pub fn differences(first: &BTreeSet<Property>, second: &BTreeSet<Property>) -> Vec<String> {
    let line = |sign: char| {
        move |(object, property, value): &Property| format!("{object}, {property}: {sign}{value}")
    };
    let mut lines: Vec<String> = first.difference(second).map(line('-')).collect();
    lines.extend(second.difference(first).map(line('+')));
    lines.sort();
    lines
}
