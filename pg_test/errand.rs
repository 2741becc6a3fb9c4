//! An errand travels to its worker as text.

use crate::worker::errand::Errand;

#[test]
fn what_is_written_is_read() {
    let errands = [
        Errand::Token {
            token: 0,
            generation: 1,
        },
        Errand::Token {
            token: i64::MAX,
            generation: i64::MAX,
        },
        Errand::Due {
            until: 0,
            limit: 1,
            tenant: None,
        },
        Errand::Due {
            until: i64::MIN,
            limit: usize::MAX,
            tenant: Some(i32::MIN),
        },
    ];
    for errand in errands {
        assert_eq!(Errand::parse(&errand.to_text()), Some(errand));
    }
}

#[test]
fn anything_else_is_no_errand() {
    for text in [
        "",
        "token",
        "token ",
        "token x",
        "token 1",
        "token 1 2 3",
        "due 1",
        "due 1 2 3 4",
        "due 1 2 x",
        "due 1 -1",
        "due x 1",
        "drop 1",
        "token 9223372036854775808",
    ] {
        assert_eq!(Errand::parse(text), None, "{text}");
    }
}
