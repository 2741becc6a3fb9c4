//! The honest answer, for misbehaviours that use parts of it.

use serde_json::Value;

use crate::message::Reply;

/// What the placeholders of a misbehaviour stand for.
pub(super) struct Template(Vec<(&'static str, String)>);

impl Template {
    /// From the server's answer; an error answer has no tokens, and their placeholders are empty then.
    pub(super) fn of(reply: &Reply) -> Self {
        let body = String::from_utf8_lossy(&reply.body).into_owned();
        let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let member = |name: &str| match &answer[name] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        // Answers are ASCII, so a half is a text.
        let (first_half, second_half) = body.split_at(body.len() / 2);
        Self(vec![
            ("{length}", body.len().to_string()),
            ("{first_half}", first_half.to_owned()),
            ("{second_half}", second_half.to_owned()),
            ("{chunked}", chunked(&[first_half, second_half])),
            ("{access_token}", member("access_token")),
            ("{refresh_token}", member("refresh_token")),
            ("{expires_in}", member("expires_in")),
            ("{body}", body),
        ])
    }

    pub(super) fn fill(&self, text: &str) -> String {
        self.0
            .iter()
            .fold(text.to_owned(), |text, (placeholder, value)| {
                text.replace(placeholder, value)
            })
    }
}

/// RFC 9112 §7.1.
fn chunked(parts: &[&str]) -> String {
    let chunks: String = parts
        .iter()
        .map(|part| format!("{:x}\r\n{part}\r\n", part.len()))
        .collect();
    chunks + "0\r\n\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_stand_for_the_honest_answer_and_braces_for_themselves() {
        let reply = Reply::new(200, "application/json", r#"{"access_token":"a1"}"#);
        let template = Template::of(&reply);
        assert_eq!(
            template.fill(r#"{"access_token":"{access_token}","r":"{refresh_token}"}"#),
            r#"{"access_token":"a1","r":""}"#
        );
        assert_eq!(
            template.fill("{length} {first_half}|{second_half}"),
            "21 {\"access_t|oken\":\"a1\"}"
        );
        assert_eq!(
            template.fill("{chunked}"),
            "a\r\n{\"access_t\r\nb\r\noken\":\"a1\"}\r\n0\r\n\r\n"
        );
    }
}
