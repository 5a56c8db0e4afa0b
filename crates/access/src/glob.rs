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

/// Whether a pattern with `*` and `?` matches a whole text.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // row[j]: the pattern so far matches the first j characters.
    let mut row: Vec<bool> = (0..=text.len()).map(|j| j == 0).collect();
    for p in pattern {
        let mut next = Vec::with_capacity(row.len());
        for j in 0..row.len() {
            let here = row.get(j).copied().unwrap_or(false);
            let before = j.checked_sub(1);
            let fits = match p {
                '*' => here || before.and_then(|i| next.get(i)).copied().unwrap_or(false),
                one => before.is_some_and(|i| {
                    row.get(i).copied().unwrap_or(false) && (one == '?' || text.get(i) == Some(&one))
                }),
            };
            next.push(fits);
        }
        row = next;
    }
    row.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn could(pattern: &str, text: &str) -> bool {
        Glob::new(pattern, false).could_match(text)
    }

    #[test]
    fn whole_texts_are_matched() {
        assert!(matches("kms:?ecrypt", "kms:decrypt") && !matches("kms:?ecrypt", "kms:encrypt"));
        assert!(
            matches("dynamodb:*item", "dynamodb:getitem") && !matches("dynamodb:get*", "dynamodb:putitem")
        );
        assert!(matches("*", "") && matches("a**b", "ab") && !matches("", "a"));
    }

    #[test]
    fn what_surely_does_not_match_is_seen() {
        assert!(could("dynamodb:Get*", "dynamodb:GetItem"));
        assert!(!could("dynamodb:Get*", "dynamodb:PutItem"));
        assert!(could("arn:*:table/Post", "arn:aws:dynamodb:eu:1:table/Post"));
        assert!(!could("arn:*:table/Post", "arn:aws:dynamodb:eu:1:table/Posts"));
        assert!(could("a*b*a", "abba") && !could("a*b*a", "abb"));
        assert!(could("exact", "exact") && !could("exact", "exactly") && !could("exact", "inexact"));
        assert!(could("", "") && could("*", "anything"));
    }

    #[test]
    fn what_is_not_known_could_match() {
        assert!(could("arn:${aws:username}", "whatever") && could("a?c", "xyz"));
        assert!(could("abc", "a\u{FFFF}"));
    }
}
