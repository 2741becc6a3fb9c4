//! Context lines.

use token_vault_core::redact::entry::Entry;

fn cleaned(context: &str) -> String {
    let entry = Entry {
        is_own: true,
        reports_statement: false,
        sqlstate: *b"TV020",
        format: b"%s",
        message: b"",
        detail: None,
        hint: None,
        context: Some(context.as_bytes()),
        names: [None; 5],
        internal_query: None,
        statement: None,
    };
    let context = entry.clean().expect("memory").context.expect("a context");
    String::from_utf8(context.bytes().to_vec()).expect("UTF-8")
}

const CONTEXTS: &[(&str, &str)] = &[
    (
        "PL/pgSQL function app.f(text) line 3 at PERFORM",
        "PL/pgSQL function app.f(text) line 3 at PERFORM",
    ),
    (
        "SQL statement \"SELECT vault.seal('SECRET')\"\nPL/pgSQL function f() line 3 at PERFORM",
        "SQL statement \"SELECT vault.seal('***')\"\nPL/pgSQL function f() line 3 at PERFORM",
    ),
    (
        "SQL statement \"SELECT \"a\",\n  vault.seal('SEC\nRET\"\nSECRET')\"\nSQL function \"g\" statement 1",
        "SQL statement \"SELECT \"a\",\n  vault.seal('***')\"\nSQL function \"g\" statement 1",
    ),
    (
        "PL/pgSQL assignment \"x := 'it''s SECRET'\"\nunknown line with SECRET\nanother SECRET\nSQL function \"g\" statement 1",
        "PL/pgSQL assignment \"x := '***'\"\n***\nSQL function \"g\" statement 1",
    ),
    (
        "unnamed portal with parameters: $1 = 'a', $2 = 'it''s\nSECRET', $3 = NULL\nSQL function \"g\" statement 1",
        "unnamed portal with parameters: $1 = '***', $2 = '***', $3 = NULL\nSQL function \"g\" statement 1",
    ),
    (
        "unnamed portal parameter $3 = 'SECRET...'",
        "unnamed portal parameter $3 = '***'",
    ),
    ("unnamed portal parameter $3", "unnamed portal parameter $3"),
    (
        "portal \"p\" with parameters: $1 = 'SECRET'\nJSON data, line 1: {\"token\":\"SECRET",
        "portal \"p\" with parameters: $1 = '***'\n***",
    ),
    (
        "JSON data, line 1: {\"access_token\":\"SECRET...\nunnamed portal parameter $1 = '{'",
        "***\nunnamed portal parameter $1 = '***'",
    ),
    (
        "COPY webhook, line 1, column signing_key: \"SECRET\nSECRET\"",
        "COPY webhook, line 1, column signing_key: ***\n***",
    ),
    ("COPY webhook, line 7", "***"),
    (
        "SQL statement \"SELECT 'SECRET",
        "SQL statement \"SELECT '***",
    ),
    // Not clear where the literal ends: everything after it goes.
    (
        "SQL statement \"SELECT 'a\\'\"\nSECRET'\"\nSQL function \"g\" statement 1",
        "SQL statement \"***",
    ),
];

#[test]
fn what_is_shown_of_contexts() {
    for (context, shown) in CONTEXTS {
        assert_eq!(cleaned(context), *shown, "{context}");
    }
}
