//! Whole entries: what the server says of a statement with a secret.

use token_vault_core::redact::entry::Entry;

const STATEMENT: &str = "SELECT vault.store_token('acme', 'u', 'SECRET') FROM webhook";

/// An error of the server's about [`STATEMENT`].
fn error<'a>(format: &'a str, message: &'a str) -> Entry<'a> {
    Entry {
        is_own: false,
        reports_statement: false,
        sqlstate: *b"22P02",
        format: format.as_bytes(),
        message: message.as_bytes(),
        detail: None,
        hint: None,
        context: None,
        names: [None; 5],
        internal_query: None,
        statement: Some(STATEMENT.as_bytes()),
    }
}

/// A report of [`STATEMENT`].
fn report<'a>(format: &'a str, message: &'a str) -> Entry<'a> {
    Entry {
        reports_statement: true,
        sqlstate: *b"00000",
        ..error(format, message)
    }
}

fn text(text: &token_vault_core::redact::Text) -> &str {
    std::str::from_utf8(text.bytes()).expect("UTF-8")
}

fn message(entry: &Entry) -> String {
    text(&entry.clean().expect("memory").message).to_owned()
}

const ERRORS: &[(&str, &str, &str)] = &[
    (
        "invalid input syntax for type %s: \"%s\"",
        "invalid input syntax for type integer: \"SECRET\"",
        "invalid input syntax for type integer: \"***\"",
    ),
    (
        "relation \"%s\" does not exist",
        "relation \"webhook\" does not exist",
        "relation \"webhook\" does not exist",
    ),
    (
        "%s at or near \"%s\"",
        "syntax error at or near \"'SECRET'\"",
        "*** at or near \"***\"",
    ),
    (
        "duplicate key value violates unique constraint \"%s\"",
        "duplicate key value violates unique constraint \"webhook_pkey\"",
        "duplicate key value violates unique constraint \"***\"",
    ),
    ("%s", "bad token SECRET", "***"),
    // Translated.
    (
        "invalid input syntax for type %s: \"%s\"",
        "ungültige Eingabesyntax für Typ integer: »SECRET«",
        "invalid input syntax for type %s: \"%s\"",
    ),
    (
        "bind message supplies %d parameters, but prepared statement \"%s\" requires %d",
        "bind message supplies 2 parameters, but prepared statement \"\" requires 3",
        "bind message supplies 2 parameters, but prepared statement \"\" requires 3",
    ),
    (
        "%d%% of %s done by %ld",
        "50% of SECRET done by 7",
        "50% of *** done by 7",
    ),
    // A value that has the format's own words in it.
    ("a %s b %s", "a SECRET b SECRET b x", "a *** b ***"),
    ("division by zero", "division by zero", "division by zero"),
    ("division by zero", "division by SECRET", "division by zero"),
    ("", "SECRET", ""),
];

#[test]
fn messages_show_their_own_words_and_what_stands_in_the_statement() {
    for (format, given, shown) in ERRORS {
        assert_eq!(message(&error(format, given)), *shown, "{given}");
    }
}

#[test]
fn what_an_error_is_about_is_named() {
    let entry = Entry {
        names: [None, Some(b"webhook"), None, None, Some(b"webhook_pkey")],
        detail: Some(b"Key (id)=(SECRET) already exists."),
        ..error(
            "duplicate key value violates unique constraint \"%s\"",
            "duplicate key value violates unique constraint \"webhook_pkey\"",
        )
    };
    let shown = "duplicate key value violates unique constraint \"webhook_pkey\"";
    assert_eq!(message(&entry), shown);
    assert_eq!(
        text(&entry.clean().expect("memory").detail.expect("one")),
        "***"
    );
}

#[test]
fn waits_for_locks_are_told_as_they_are() {
    let entry = Entry {
        detail: Some(b"Process holding the lock: 7. Wait queue: 8."),
        ..error(
            "process %d still waiting for %s on %s after %ld.%03d ms",
            "process 8 still waiting for ShareLock on transaction 733 after 1000.123 ms",
        )
    };
    let clean = entry.clean().expect("memory");
    assert_eq!(clean.message.bytes(), entry.message);
    assert_eq!(Some(clean.detail.expect("one").bytes()), entry.detail);
}

#[test]
fn messages_of_the_extension_and_of_interruptions_stay() {
    let own = Entry {
        is_own: true,
        ..error("%s", "unknown provider \"acme\"")
    };
    assert_eq!(message(&own), "unknown provider \"acme\"");
    let canceled = Entry {
        sqlstate: *b"57014",
        ..error("%s", "canceling statement due to user request")
    };
    assert_eq!(
        message(&canceled),
        "canceling statement due to user request"
    );
}

#[test]
fn reports_show_the_cleaned_statement() {
    let shown = "SELECT vault.store_token('***', '***', '***') FROM webhook";
    for (format, head) in [
        ("statement: %s", "statement: "),
        ("statement: %s", "Anweisung: "),
        (
            "duration: %s ms  statement: %s",
            "duration: 0.123 ms  statement: ",
        ),
        ("%s %s%s%s: %s", "execute fetch from s1/p1: "),
    ] {
        let given = format!("{head}{STATEMENT}");
        assert_eq!(message(&report(format, &given)), format!("{head}{shown}"));
    }
    assert_eq!(
        message(&report("duration: %s ms", "duration: 0.1 ms")),
        "duration: 0.1 ms"
    );
    // Somebody's own words, with the statement behind them.
    let raised = format!("SECRET {STATEMENT}");
    assert_eq!(message(&report("%s", &raised)), "***");
    assert_eq!(message(&error("x %s", &format!("x {STATEMENT}"))), "x ***");
}

#[test]
fn audit_lines_keep_what_they_are_about() {
    let format = "AUDIT: %s,%ld,%ld,%s,%s";
    for (given, shown) in [
        (
            "AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.t,\"SELECT \"\"a\"\", 'SECRET, x'\",\"SECRET,2\"",
            "AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.t,\"SELECT \"\"a\"\", '***'\",***",
        ),
        (
            "AUDIT: SESSION,1,1,MISC,DO,,,DO $$SECRET$$,<not logged>",
            "AUDIT: SESSION,1,1,MISC,DO,,,DO $$***$$,<not logged>",
        ),
        (
            "AUDIT: SESSION,1,1,READ,SELECT,,,<previously logged>,<previously logged>,1",
            "AUDIT: SESSION,1,1,READ,SELECT,,,<previously logged>,<previously logged>,***",
        ),
        ("SECRET", "***"),
    ] {
        assert_eq!(message(&report(format, given)), shown);
    }
}

#[test]
fn plans_are_shown_as_text_only() {
    let format = "duration: %.3f ms  plan:\n%s";
    let given = "duration: 0.1 ms  plan:\nQuery Text: SELECT 'SECRET'\nResult  (cost=0.00..0.01)\n  Output: 'SECRET'::text\n";
    let shown = "duration: 0.1 ms  plan:\nQuery Text: SELECT '***'\nResult  (cost=0.00..0.01)\n  Output: '***'::text\n";
    assert_eq!(message(&report(format, given)), shown);
    for plan in [
        "{\n  \"Query Text\": \"SELECT 'SECRET'\"",
        "Query Text: \"SELECT 'SECRET'\"",
        "<explain>SECRET",
    ] {
        let given = format!("duration: 0.1 ms  plan:\n{plan}");
        assert_eq!(
            message(&report(format, &given)),
            "duration: 0.1 ms  plan:\n***"
        );
    }
}

#[test]
fn details_and_hints_that_may_quote_are_left_out() {
    let entry = |detail, hint| {
        let entry = Entry {
            detail: Some(detail),
            hint: Some(hint),
            ..error("x", "x")
        };
        let clean = entry.clean().expect("memory");
        let shown = [clean.detail, clean.hint].map(|part| text(&part.expect("a part")).to_owned());
        shown.join(" | ")
    };
    assert_eq!(
        entry(b"parameters: $1 = 'SECRET', $2 = NULL", b"Try again."),
        "parameters: $1 = '***', $2 = NULL | Try again."
    );
    assert_eq!(
        entry(
            b"prepare: PREPARE p AS SELECT 'SECRET'",
            b"Perhaps \"SECRET\"."
        ),
        "prepare: PREPARE p AS SELECT '***' | ***"
    );
    assert_eq!(
        entry(b"Failing row contains (SECRET).", b"It's SECRET"),
        "*** | ***"
    );
    assert_eq!(entry(b"{QUERY :constvalue 6 [ 83 69 67 ]}", b""), "*** | ");
}

#[test]
fn queries_inside_functions_are_cleaned_too() {
    let entry = Entry {
        internal_query: Some(b"SELECT vault.seal('SECRET'"),
        ..error("x", "x")
    };
    let clean = entry.clean().expect("memory");
    assert_eq!(
        text(&clean.internal_query.expect("a query")),
        "SELECT vault.seal('***'"
    );
}
