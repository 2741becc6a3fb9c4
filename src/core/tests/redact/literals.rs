//! Literals of every kind, and what is none. `SECRET` must go, everything else is compared.

use token_vault_core::redact::literals::{hidden, mask, redact};

fn redacted(text: &str) -> String {
    String::from_utf8(redact(text.as_bytes()).expect("memory").bytes().to_vec()).expect("UTF-8")
}

/// A statement, and what is shown of it.
const STATEMENTS: &[(&str, &str)] = &[
    ("", ""),
    ("SELECT 1, 2.5e10, $1, a.b", "SELECT 1, 2.5e10, $1, a.b"),
    ("SELECT f('SECRET', 7, '')", "SELECT f('***', 7, '')"),
    ("SELECT 'it''s SECRET', x", "SELECT '***', x"),
    ("SELECT ''''", "SELECT '***'"),
    ("SELECT '''SECRET'''||y", "SELECT '***'||y"),
    (r"SELECT E'it\'s SECRET', x", "SELECT E'***', x"),
    (r"SELECT e'\\', x, 'SECRET'", "SELECT e'***', x, '***'"),
    // A backslash escapes nothing here, or it does: both are covered.
    (r"SELECT 'C:\', 'SECRET'", "SELECT '***'***'"),
    (r"SELECT 'it\'s SECRET', x", "SELECT '***'***"),
    ("SELECT typeE'SECRET', x", "SELECT typeE'***', x"),
    (
        "SELECT U&'SECRET' UESCAPE '!'",
        "SELECT U&'***' UESCAPE '***'",
    ),
    (
        "SELECT b'0101', X'c0de', N'SECRET'",
        "SELECT b'***', X'***', N'***'",
    ),
    ("SELECT 'SEC'\n  'RET', x", "SELECT '***', x"),
    ("SELECT 'SEC' -- 'RET\n 'RET', x", "SELECT '***', x"),
    ("SELECT E'a'\n'it\\'s SECRET', x", "SELECT E'***', x"),
    ("SELECT 'a' 'SECRET'", "SELECT '***' '***'"),
    ("DO $$ SECRET 'x $a$ y $$; SELECT 1", "DO $$***$$; SELECT 1"),
    (
        "SELECT $tag$ $$SECRET$$ $tag $tag$, x",
        "SELECT $tag$***$tag$, x",
    ),
    ("SELECT $t1$SECRET$x$SECRET$t1$", "SELECT $t1$***$t1$"),
    ("SELECT $ä$SECRET$ä$, x", "SELECT $ä$***$ä$, x"),
    (
        "SELECT a$b$ FROM c$b$, 'SECRET'",
        "SELECT a$b$ FROM c$b$, '***'",
    ),
    ("SELECT $1$$SECRET$$", "SELECT $1$$***$$"),
    (
        "SELECT $1, $2 WHERE a = '$1'",
        "SELECT $1, $2 WHERE a = '***'",
    ),
    ("SELECT 1 -- SECRET\n, 2", "SELECT 1 --***\n, 2"),
    (
        "SELECT 1 -- it's\n, 'SECRET', x",
        "SELECT 1 --***\n, '***', x",
    ),
    ("SELECT /* it's /* SECRET */ ' */ 1", "SELECT /*****/ 1"),
    ("SELECT 4 /- 2, 5 - -2", "SELECT 4 /- 2, 5 - -2"),
    ("SELECT 'a/*', 'SECRET', '*/'", "SELECT '***', '***', '***'"),
    (
        "INSERT INTO \"webhook\" (\"Signing Key\")",
        "INSERT INTO \"webhook\" (\"Signing Key\")",
    ),
    (
        "SELECT \"it's\", 'SECRET', \"a\"\"b\"",
        "SELECT \"***\", '***', \"***\"",
    ),
    ("SELECT f(\"ya29.a0AfH6SMBx12345\")", "SELECT f(\"***\")"),
    ("SELECT f(\"{'SECRET'}\"), x", "SELECT f(\"***\"), x"),
    ("SELECT \"SECRET", "SELECT \"***"),
    ("SELECT 'SECRET", "SELECT '***"),
    (r"SELECT E'SECRET\", r"SELECT E'***"),
    ("SELECT $q$SECRET$q", "SELECT $q$***"),
    ("SELECT 1 /* SECRET", "SELECT 1 /****"),
    ("SELECT 1 --SECRET", "SELECT 1 --***"),
    ("SELECT '€SECRET€', ü", "SELECT '***', ü"),
];

#[test]
fn what_is_shown_of_statements() {
    for (statement, shown) in STATEMENTS {
        assert_eq!(redacted(statement), *shown, "{statement}");
        assert!(!redacted(statement).contains("SECRET"), "{statement}");
    }
}

#[test]
fn masking_keeps_every_other_byte_where_it_is() {
    for (statement, _) in STATEMENTS {
        let text = statement.as_bytes();
        let masked = mask(text).expect("memory");
        assert_eq!(masked.bytes().len(), text.len(), "{statement}");
        let mut is_hidden = vec![false; text.len()];
        hidden(text).for_each(|range| is_hidden[range].fill(true));
        for (at, byte) in masked.bytes().iter().enumerate() {
            let expected = if is_hidden[at] { b'*' } else { text[at] };
            assert_eq!(*byte, expected, "{statement} at {at}");
        }
    }
}

#[test]
fn what_is_masked_hides_nothing_more_when_it_is_read_again() {
    for (statement, _) in STATEMENTS {
        let once = mask(statement.as_bytes()).expect("memory");
        let twice = mask(once.bytes()).expect("memory");
        assert_eq!(once, twice, "{statement}");
    }
}
