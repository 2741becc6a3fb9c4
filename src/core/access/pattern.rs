//! Patterns for names: `*` stands for any text, also none; `\` takes the next character as it is.
//!
//! Matching takes the leftmost place for each part between two stars, which is right where `*` is the only wildcard:
//! time grows with the lengths of name and pattern, no pattern is expensive, and nothing is recursive.

/// Stands for "any text" when a pattern is looked at as a name. Names have no NUL.
const ANY: char = '\0';

/// A pattern for names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What stands between the stars; one part: there is no star.
    parts: Vec<Box<str>>,
}

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPattern {
    /// The last `\` has nothing to take as it is.
    LoneBackslash,
    /// NUL is in no name.
    Nul,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Where the text is none.
    pub fn parse(text: &str) -> Result<Pattern, BadPattern> {
        let mut parts = Vec::new();
        let mut part = String::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                ANY => return Err(BadPattern::Nul),
                '*' => parts.push(std::mem::take(&mut part).into_boxed_str()),
                '\\' => match characters.next() {
                    Some(ANY) => return Err(BadPattern::Nul),
                    Some(next) => part.push(next),
                    None => return Err(BadPattern::LoneBackslash),
                },
                other => part.push(other),
            }
        }
        parts.push(part.into_boxed_str());
        Ok(Pattern { parts })
    }

    /// The text of a pattern that stands for this name alone.
    pub fn of_name(name: &str) -> String {
        let mut text = String::with_capacity(name.len());
        for character in name.chars() {
            if matches!(character, '*' | '\\') {
                text.push('\\');
            }
            text.push(character);
        }
        text
    }

    /// Whether it stands for `name`.
    pub fn matches(&self, name: &str) -> bool {
        let [first, between @ .., last] = &*self.parts else {
            return *self.parts[0] == *name;
        };
        let Some(rest) = name.strip_prefix(&**first) else {
            return false;
        };
        let Some(mut rest) = rest.strip_suffix(&**last) else {
            return false;
        };
        for part in between {
            let Some(at) = rest.find(&**part) else {
                return false;
            };
            rest = &rest[at + part.len()..];
        }
        true
    }

    /// Whether it stands for every name that `other` stands for. A star of `other` can be any text, so only a star
    /// can stand for it.
    pub fn contains(&self, other: &Pattern) -> bool {
        self.matches(&other.parts.join(&*ANY.to_string()))
    }

    /// The only name it stands for; None: it has a star.
    pub fn name(&self) -> Option<&str> {
        match &*self.parts {
            [name] => Some(name),
            _ => None,
        }
    }

    /// Whether it stands for every name.
    pub fn is_everything(&self) -> bool {
        self.parts.len() > 1 && self.parts.iter().all(|part| part.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BadPattern, Pattern};

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).expect("a pattern")
    }

    #[test]
    fn what_each_pattern_stands_for() {
        for (text, names, others) in [
            ("", &[""][..], &["a"][..]),
            ("blue", &["blue"], &["", "Blue", "blue ", "blu", "bluee"]),
            ("*", &["", "a", "*", "a/b\n"], &[]),
            ("**", &["", "a"], &[]),
            ("blue-*", &["blue-", "blue-1"], &["blue", "a blue-"]),
            ("*-blue", &["-blue", "1-blue-blue"], &["blue", "-blue "]),
            ("a*b*c", &["abc", "a b b c", "abcbc"], &["ac", "acb", "bc"]),
            ("a*a", &["aa", "aba"], &["a", ""]),
            ("ab*ba", &["abba", "ab ba"], &["aba"]),
            ("a*b*b*a", &["abba", "abbba"], &["aba", "abab"]),
            ("_", &["_"], &["a"]),
            ("%", &["%"], &["a", ""]),
            ("[a-z]", &["[a-z]"], &["a"]),
            ("?", &["?"], &["a"]),
            (r"\*", &["*"], &["a", r"\*", ""]),
            (r"\\*", &[r"\", r"\a"], &["a", "*"]),
            (r"\a", &["a"], &[r"\a"]),
            ("größe*", &["größe", "größer"], &["gro\u{308}ße", "gr"]),
        ] {
            for name in names {
                assert!(pattern(text).matches(name), "{text} {name}");
            }
            for name in others {
                assert!(!pattern(text).matches(name), "{text} {name}");
            }
        }
        assert_eq!(Pattern::parse(r"a\"), Err(BadPattern::LoneBackslash));
        assert_eq!(Pattern::parse("a\0"), Err(BadPattern::Nul));
        assert_eq!(Pattern::parse("a\\\0"), Err(BadPattern::Nul));
    }

    #[test]
    fn what_each_pattern_contains() {
        for (wide, narrow, contained) in [
            ("*", "*", true),
            ("*", "", true),
            ("**", "*", true),
            ("*", "**", true),
            ("", "*", false),
            ("a*", "ab*", true),
            ("ab*", "a*", false),
            ("a*", "*", false),
            ("*a*", "*a", true),
            ("*a", "*a*", false),
            ("a*c", "a*b*c", true),
            ("a*b*c", "a*c", false),
            (r"\*", "*", false),
            ("*", r"\*", true),
            (r"\*", r"\*", true),
            ("a*", r"a\*", true),
        ] {
            let is_contained = pattern(wide).contains(&pattern(narrow));
            assert_eq!(is_contained, contained, "{wide} {narrow}");
        }
    }

    /// Every text against every pattern that makes backtracking matchers slow; these take no time at all.
    #[test]
    fn no_pattern_is_expensive() {
        let name = "a".repeat(512);
        let hostile = "a*".repeat(256);
        assert!(pattern(&hostile).matches(&name));
        assert!(!pattern(&format!("{hostile}b")).matches(&name));
        assert!(!pattern(&format!("*b{hostile}")).matches(&name));
        assert!(!pattern(&"*aab".repeat(128)).matches(&name));
        assert!(pattern(&"*".repeat(512)).matches(&name));
        assert!(pattern(&"*".repeat(512)).contains(&pattern(&hostile)));
        assert!(!pattern(&hostile).contains(&pattern("*")));
    }

    /// What it has to agree with: short, and slow.
    fn matches_simply(pattern: &[char], name: &[char]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some(('*', rest)) => (0..=name.len()).any(|from| matches_simply(rest, &name[from..])),
            Some((first, rest)) => name.first() == Some(first) && matches_simply(rest, &name[1..]),
        }
    }

    fn characters(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    proptest! {
        #[test]
        fn it_matches_as_the_definition_says(text in "[ab*]{0,8}", name in "[ab]{0,8}") {
            let expected = matches_simply(&characters(&text), &characters(&name));
            prop_assert_eq!(pattern(&text).matches(&name), expected);
        }

        #[test]
        fn what_it_contains_it_matches(wide in "[ab*]{0,6}", narrow in "[ab*]{0,6}", name in "[abc]{0,6}") {
            let (wide, narrow) = (pattern(&wide), pattern(&narrow));
            if wide.contains(&narrow) && narrow.matches(&name) {
                prop_assert!(wide.matches(&name));
            }
        }

        #[test]
        fn a_name_as_a_pattern_stands_for_itself_alone(name in "[ab*\\\\_%]{0,8}", other in "[ab*\\\\_%]{0,8}") {
            let itself = pattern(&Pattern::of_name(&name));
            prop_assert_eq!(itself.name(), Some(&*name));
            prop_assert_eq!(itself.matches(&other), name == other);
        }
    }
}
