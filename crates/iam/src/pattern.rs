//! Wildcards and policy variables: does a pattern of a policy match a text of a request?
//!
//! Both sides may hold parts that are not known: a variable whose value is not known, or [`UNKNOWN`] in a text. Then the
//! answer is "maybe" when some filling of the holes matches and it is not certain that all do.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>

use std::collections::BTreeSet;

use crate::context::ContextValue;

/// Stands inside a text for a part that is not known yet. It is a Unicode noncharacter, so no real text holds it.
pub const UNKNOWN: char = '\u{FFFF}';

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    Yes,
    No,
    Maybe,
}

/// What `*` and `?` of a pattern's text mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wildcards {
    Active,
    Literal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Char(char),
    One,
    Many,
    Hole,
}

/// A pattern whose variables have been replaced.
#[derive(Debug)]
pub(crate) struct Pattern {
    tokens: Vec<Token>,
    /// The condition keys whose values are holes in this pattern.
    pub(crate) unknown: BTreeSet<String>,
    /// A variable has no value in the request: the pattern matches nothing.
    impossible: bool,
}

impl Pattern {
    /// Reads a pattern. `lookup` gives the value of a variable; without it `${` is plain text.
    pub(crate) fn new(
        text: &str,
        wildcards: Wildcards,
        lookup: Option<&dyn Fn(&str) -> ContextValue>,
    ) -> Pattern {
        let mut pattern = Pattern { tokens: Vec::new(), unknown: BTreeSet::new(), impossible: false };
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            if let Some(lookup) = lookup
                && let Some((inside, after)) = rest.strip_prefix("${").and_then(|body| body.split_once('}'))
            {
                pattern.push_variable(inside, lookup);
                rest = after;
                continue;
            }
            pattern.tokens.push(match next {
                '*' if wildcards == Wildcards::Active => Token::Many,
                '?' if wildcards == Wildcards::Active => Token::One,
                UNKNOWN => Token::Hole,
                other => Token::Char(other),
            });
            rest = rest.get(next.len_utf8()..).unwrap_or_default();
        }
        pattern
    }

    fn push_variable(&mut self, inside: &str, lookup: &dyn Fn(&str) -> ContextValue) {
        if let "*" | "?" | "$" = inside {
            self.push_literal(inside);
            return;
        }
        let (name, default) = match inside.split_once(',') {
            Some((name, default)) => {
                (name.trim(), default.trim().strip_prefix('\'').and_then(|text| text.strip_suffix('\'')))
            }
            None => (inside.trim(), None),
        };
        match (lookup(name), default) {
            (ContextValue::Values(values), default) => match (values.as_slice(), default) {
                ([single], _) => self.push_literal(single),
                ([], Some(default)) => self.push_literal(default),
                // A multivalued key cannot be used as a variable.
                _ => self.impossible = true,
            },
            (ContextValue::Unknown, _) => {
                self.unknown.insert(name.to_owned());
                self.tokens.push(Token::Hole);
            }
            (ContextValue::Absent, Some(default)) => self.push_literal(default),
            (ContextValue::Absent, None) => self.impossible = true,
        }
    }

    fn push_literal(&mut self, text: &str) {
        self.tokens.extend(text.chars().map(|c| if c == UNKNOWN { Token::Hole } else { Token::Char(c) }));
    }

    /// Makes letters that differ in case alike; the text must be folded with [`fold`] too.
    pub(crate) fn fold_case(mut self) -> Pattern {
        self.tokens = self
            .tokens
            .iter()
            .flat_map(|token| match token {
                Token::Char(c) => c.to_lowercase().map(Token::Char).collect::<Vec<_>>(),
                other => vec![*other],
            })
            .collect();
        self
    }

    /// Matches a whole text.
    pub(crate) fn matches(&self, text: &str) -> Match {
        if self.impossible {
            return Match::No;
        }
        let text: Vec<char> = text.chars().collect();
        if !self.reaches(&text, Holes::Anything) {
            return Match::No;
        }
        if !text.contains(&UNKNOWN) && !self.tokens.contains(&Token::Hole) {
            return Match::Yes;
        }
        if self.reaches(&text, Holes::Nothing) { Match::Yes } else { Match::Maybe }
    }

    /// Fills one table row after another, from the end of the pattern: can the rest of the pattern and the rest of the
    /// text be the same?
    fn reaches(&self, text: &[char], holes: Holes) -> bool {
        let mut below: Vec<bool> = Vec::with_capacity(text.len().saturating_add(1));
        // Row for the empty rest of the pattern: only holes of the text may remain.
        let mut open = true;
        below.push(true);
        for c in text.iter().rev() {
            open = open && holes == Holes::Anything && *c == UNKNOWN;
            below.push(open);
        }
        for token in self.tokens.iter().rev() {
            let mut row: Vec<bool> = Vec::with_capacity(below.len());
            let many = *token == Token::Many || (*token == Token::Hole && holes == Holes::Anything);
            let mut after = false;
            let mut below_after = false;
            // `below` and `row` are kept from the end of the text to its start.
            let characters = std::iter::once(None).chain(text.iter().rev().copied().map(Some));
            for (below_here, character) in below.iter().zip(characters) {
                let here = match character {
                    None => many && *below_here,
                    Some(c) => {
                        let text_hole = holes == Holes::Anything && c == UNKNOWN;
                        let consumed = match token {
                            Token::Char(wanted) => below_after && c == *wanted && c != UNKNOWN,
                            Token::One => below_after && c != UNKNOWN,
                            Token::Many | Token::Hole => many && (*below_here || after),
                        };
                        consumed || (text_hole && (after || *below_here))
                    }
                };
                row.push(here);
                after = here;
                below_after = *below_here;
            }
            below = row;
        }
        below.last().copied().unwrap_or(false)
    }
}

/// What a part that is not known may be while looking for a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holes {
    /// Any text: finds whether a match is possible.
    Anything,
    /// A text that only `*` matches: finds whether the match is certain.
    Nothing,
}

/// Folds the letters of a text as [`Pattern::fold_case`] does.
pub(crate) fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Compares two texts that may hold [`UNKNOWN`].
pub(crate) fn could_be_equal(left: &str, right: &str) -> Match {
    if !left.contains(UNKNOWN) && !right.contains(UNKNOWN) {
        return if left == right { Match::Yes } else { Match::No };
    }
    match Pattern::new(left, Wildcards::Literal, None).matches(right) {
        Match::No => Match::No,
        // Two texts with the same hole need not be the same text.
        Match::Yes | Match::Maybe => Match::Maybe,
    }
}

/// Matches plain wildcards on ASCII text without allocating; `None` if the texts need more than that.
pub(crate) fn quick(pattern: &str, text: &str, fold_case: FoldCase) -> Option<bool> {
    if pattern == "*" {
        return Some(true);
    }
    if !pattern.is_ascii() || !text.is_ascii() || pattern.contains("${") {
        return None;
    }
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let same = |left: u8, right: u8| match fold_case {
        FoldCase::Yes => left.eq_ignore_ascii_case(&right),
        FoldCase::No => left == right,
    };
    let (mut at, mut place) = (0_usize, 0_usize);
    let mut resume: Option<(usize, usize)> = None;
    while let Some(&byte) = text.get(place) {
        match pattern.get(at) {
            Some(b'*') => {
                resume = Some((at, place));
                at = at.saturating_add(1);
            }
            Some(&wanted) if wanted == b'?' || same(wanted, byte) => {
                at = at.saturating_add(1);
                place = place.saturating_add(1);
            }
            _ => {
                let Some((star, from)) = resume else { return Some(false) };
                let from = from.saturating_add(1);
                resume = Some((star, from));
                at = star.saturating_add(1);
                place = from;
            }
        }
    }
    Some(pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*'))
}

/// Whether letters that differ in case are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FoldCase {
    Yes,
    No,
}
