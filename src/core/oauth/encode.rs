//! Percent-encoding (RFC 3986 §2.1) and `application/x-www-form-urlencoded`.
//!
//! Written out because every buffer that holds an encoded secret is allocated once at its final size and wiped.

use crate::secret::SecretString;

/// Percent-encodes everything but unreserved characters (RFC 3986 §2.3). The result is right in a path segment, in a
/// query and in a form body alike: a space becomes `%20`, which form decoders accept as they accept `+`.
pub(super) fn percent_encode(text: &str) -> SecretString {
    let length = text
        .bytes()
        .map(|byte| if is_unreserved(byte) { 1 } else { 3 })
        .sum();
    let mut out = String::with_capacity(length);
    for byte in text.bytes() {
        if is_unreserved(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(hex_digit(byte >> 4));
            out.push(hex_digit(byte & 0xf));
        }
    }
    SecretString::new(out)
}

/// Encodes name-value pairs as `a=1&b=2`.
pub(super) fn form_encode(pairs: &[(String, SecretString)]) -> SecretString {
    let encoded: Vec<_> = pairs
        .iter()
        .map(|(name, value)| (percent_encode(name), percent_encode(value.expose())))
        .collect();
    let mut out = String::with_capacity(
        encoded
            .iter()
            .map(|(name, value)| name.len() + value.len() + 2)
            .sum(),
    );
    for (name, value) in &encoded {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(name.expose());
        out.push('=');
        out.push_str(value.expose());
    }
    SecretString::new(out)
}

/// Decodes a form body into name-value pairs; `None` where it is none: no `=`, broken escapes, not UTF-8.
pub(super) fn form_decode(body: &str) -> Option<Vec<(String, String)>> {
    body.split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((form_decode_one(name)?, form_decode_one(value)?))
        })
        .collect()
}

fn form_decode_one(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => out.push(hex_value(bytes.next()?)? << 4 | hex_value(bytes.next()?)?),
            // Anything else that a form encoder would have escaped: this is text, not a form.
            b'<' | b'>' | b'"' | b'{' | b'}' | 0..=0x20 | 0x7f.. => return None,
            _ => out.push(byte),
        }
    }
    String::from_utf8(out).ok()
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(nibble.into(), 16)
        .expect("a nibble is a hexadecimal digit")
        .to_ascii_uppercase()
}

fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn everything_but_unreserved_is_escaped() {
        assert_eq!(percent_encode("aZ0-._~").expose(), "aZ0-._~");
        assert_eq!(
            percent_encode(" +&=%/?#@:ü").expose(),
            "%20%2B%26%3D%25%2F%3F%23%40%3A%C3%BC"
        );
    }

    #[test]
    fn text_that_is_no_form_is_refused() {
        for body in [
            "",
            "token",
            "a=b&c",
            "a=%4",
            "a=%zz",
            "a=%ff",
            "<p a=b>",
            "{\"a\"=1}",
            "a=b c=d",
        ] {
            assert_eq!(form_decode(body), None, "{body}");
        }
        let pairs =
            form_decode("error=bad_refresh_token&error_description=The+token%21&x=").unwrap();
        assert_eq!(
            pairs[1],
            ("error_description".to_string(), "The token!".to_string())
        );
        assert_eq!(pairs[2].1, "");
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(pairs in prop::collection::vec((".{1,9}", ".{0,40}"), 1..5)) {
            let secret: Vec<_> = pairs.iter().map(|(n, v)| (n.clone(), SecretString::new(v.clone()))).collect();
            prop_assert_eq!(form_decode(form_encode(&secret).expose()), Some(pairs));
        }
    }
}
