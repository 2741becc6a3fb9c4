//! JSON pointers (RFC 6901): where a provider keeps a field.

use serde::Deserialize;
use serde_json::Value;

/// A JSON pointer; the empty one is the whole document.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pointer(String);

impl Pointer {
    /// The pointer to the whole document.
    pub fn root() -> Self {
        Self(String::new())
    }

    /// The value there, JSON null included.
    pub fn find<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        document.pointer(&self.0)
    }

    /// The names along the way, unescaped.
    pub fn names(&self) -> impl Iterator<Item = String> + '_ {
        self.0
            .split('/')
            .skip(1)
            .map(|name| name.replace("~1", "/").replace("~0", "~"))
    }
}

impl TryFrom<String> for Pointer {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.is_empty() || text.starts_with('/') {
            true => Ok(Self(text)),
            false => Err("a JSON pointer is empty or begins with \"/\""),
        }
    }
}

/// One pointer, or several that are tried in order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "OneOrMany")]
pub struct Pointers(Vec<Pointer>);

impl Pointers {
    /// The pointers in the order they are tried.
    pub fn iter(&self) -> impl Iterator<Item = &Pointer> {
        self.0.iter()
    }

    /// The first value there is that is neither null nor an empty string.
    pub fn find<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        self.iter()
            .filter_map(|pointer| pointer.find(document))
            .find(|value| is_said(value))
    }
}

/// Whether a provider says anything with a value: several send `null` or `""` for "none".
pub(super) fn is_said(value: &Value) -> bool {
    !value.is_null() && value.as_str() != Some("")
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a JSON pointer or an array of JSON pointers"
)]
enum OneOrMany {
    One(Pointer),
    Many(Vec<Pointer>),
}

impl From<OneOrMany> for Pointers {
    fn from(value: OneOrMany) -> Self {
        match value {
            OneOrMany::One(pointer) => Self(vec![pointer]),
            OneOrMany::Many(pointers) => Self(pointers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_pointer_that_says_something_wins() {
        let pointers: Pointers = serde_json::from_value(json!(["/a", "/b", "/c/0"])).unwrap();
        assert_eq!(
            pointers.find(&json!({"a": null, "b": "", "c": [7]})),
            Some(&json!(7))
        );
        assert_eq!(pointers.find(&json!({"a": 0, "b": 1})), Some(&json!(0)));
        assert_eq!(pointers.find(&json!([])), None);
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        assert!(serde_json::from_value::<Pointer>(json!("a")).is_err());
        let error = serde_json::from_value::<Pointers>(json!(["/a", "b"])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected a JSON pointer or an array of JSON pointers"
        );
    }

    #[test]
    fn names_are_unescaped() {
        let pointer = Pointer::try_from("/a~1b/~0/c".to_string()).unwrap();
        assert_eq!(pointer.names().collect::<Vec<_>>(), ["a/b", "~", "c"]);
    }
}
