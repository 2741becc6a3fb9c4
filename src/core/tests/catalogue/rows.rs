//! Reads the INSERT statements of sql/catalogue.sql, with the defaults of sql/provider.sql left to the core.

use serde_json::{Map, Value};

const CATALOGUE: &str = include_str!("../../../../sql/catalogue.sql");
const TABLE: &str = include_str!("../../../../sql/provider.sql");

/// The rows as `to_jsonb` would show them, without the columns that have their default.
pub fn shipped() -> Vec<Map<String, Value>> {
    let statements = CATALOGUE.split("INSERT INTO vault.provider (").skip(1);
    statements
        .map(|statement| {
            let (columns, values) = statement.split_once(")\nVALUES (\n").expect("VALUES");
            let values = values.trim().strip_suffix(");").expect("the end");
            let columns: Vec<&str> = columns.trim().split(", ").collect();
            let values: Vec<&str> = values.split(",\n    ").map(str::trim).collect();
            assert_eq!(columns.len(), values.len(), "{columns:?}");
            let pair =
                |(column, literal): (&str, &str)| (column.to_owned(), value(column, literal));
            columns.into_iter().zip(values).map(pair).collect()
        })
        .collect()
}

fn value(column: &str, literal: &str) -> Value {
    let Some(text) = literal
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
    else {
        return serde_json::from_str(literal).expect("a number or a truth value");
    };
    let text = text.replace("''", "'");
    match sql_type(column) {
        "jsonb" => serde_json::from_str(&text).expect("JSON"),
        "text[]" => {
            let items = text
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            serde_json::from_str(&format!("[{}]", items.expect("an array"))).expect("quoted items")
        }
        _ => text.into(),
    }
}

fn sql_type(column: &str) -> &'static str {
    let line = TABLE
        .lines()
        .find(|line| line.split_whitespace().next() == Some(column))
        .unwrap_or_else(|| panic!("no column {column}"));
    line.split_whitespace()
        .nth(1)
        .unwrap_or_default()
        .trim_end_matches(',')
}
