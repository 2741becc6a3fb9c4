//! JSON that holds secrets while a request is made or an answer is read.

use crate::secret::wipe_string;
use serde_json::Value;
use std::mem;

/// A JSON value whose strings are overwritten on drop.
#[derive(Default)]
pub(super) struct SecretJson(pub Value);

impl Drop for SecretJson {
    fn drop(&mut self) {
        wipe_json(&mut self.0);
    }
}

/// Overwrites every string in a JSON value and leaves null. Call it on an answer once it has been read.
pub fn wipe_json(value: &mut Value) {
    match mem::take(value) {
        Value::String(text) => wipe_string(text),
        Value::Array(mut items) => items.iter_mut().for_each(wipe_json),
        Value::Object(mut members) => members.values_mut().for_each(wipe_json),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The text of a JSON scalar; `None` for null, arrays and objects.
pub(super) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn wiping_leaves_nothing_to_read() {
        let mut answer = json!({"access_token": "t", "nested": [{"refresh_token": "r"}], "n": 1});
        wipe_json(&mut answer);
        assert_eq!(answer, Value::Null);
    }
}
