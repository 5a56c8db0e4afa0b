//! Patterns of policies, compiled once: a quick look at what can't match before the real decision.

/// `*` for any text, `?` for one character; anything with a variable or an unknown part counts as `*`.
#[derive(Clone, Debug)]
pub(crate) struct Glob {
    parts: Vec<String>,
    anchored_start: bool,
    anchored_end: bool,
    anything: bool,
}

impl Glob {
    pub(crate) fn new(pattern: &str, fold: bool) -> Glob {
        let anything = pattern.contains(['?', '$', terrane_iam::UNKNOWN]) || pattern == "*";
        let text = if fold { pattern.to_ascii_lowercase() } else { pattern.to_owned() };
        Glob {
            anchored_start: !text.starts_with('*'),
            anchored_end: !text.ends_with('*'),
            parts: text.split('*').filter(|part| !part.is_empty()).map(str::to_owned).collect(),
            anything,
        }
    }

    /// Whether the text could match. Never false for one that does.
    pub(crate) fn could_match(&self, text: &str) -> bool {
        if self.anything || text.contains(terrane_iam::UNKNOWN) {
            return true;
        }
        let mut rest = text;
        for (i, part) in self.parts.iter().enumerate() {
            let last = i + 1 == self.parts.len();
            if i == 0 && self.anchored_start {
                let Some(after) = rest.strip_prefix(part.as_str()) else { return false };
                rest = after;
                if last && self.anchored_end {
                    return rest.is_empty();
                }
            } else if last && self.anchored_end {
                return rest.ends_with(part.as_str());
            } else {
                let Some((_, after)) = rest.split_once(part.as_str()) else { return false };
                rest = after;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Glob::new(pattern, false).could_match(text)
    }

    #[test]
    fn what_surely_does_not_match_is_seen() {
        assert!(matches("dynamodb:Get*", "dynamodb:GetItem"));
        assert!(!matches("dynamodb:Get*", "dynamodb:PutItem"));
        assert!(matches("arn:*:table/Post", "arn:aws:dynamodb:eu:1:table/Post"));
        assert!(!matches("arn:*:table/Post", "arn:aws:dynamodb:eu:1:table/Posts"));
        assert!(matches("a*b*a", "abba") && !matches("a*b*a", "abb"));
        assert!(matches("exact", "exact") && !matches("exact", "exactly") && !matches("exact", "inexact"));
        assert!(matches("", "") && matches("*", "anything"));
    }

    #[test]
    fn what_is_not_known_could_match() {
        assert!(matches("arn:${aws:username}", "whatever") && matches("a?c", "xyz"));
        assert!(matches("abc", "a\u{FFFF}"));
    }
}
