//! Three-valued logic: yes, no, or depends on named facts that are not known.

use std::collections::BTreeSet;

/// The truth of a claim, as far as it is known.
///
/// `Depends` names the facts that would settle it. A `Depends` never means more than "not known": it may turn out that
/// the claim is true whatever the facts are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// The claim holds.
    Yes,
    /// The claim does not hold.
    No,
    /// The claim hangs on these facts.
    Depends(BTreeSet<String>),
}

impl Truth {
    /// Makes a claim that hangs on one named fact.
    pub fn depends_on(fact: impl Into<String>) -> Truth {
        Truth::Depends(BTreeSet::from([fact.into()]))
    }

    /// True only if the claim surely holds.
    pub fn is_yes(&self) -> bool {
        matches!(self, Truth::Yes)
    }

    /// True only if the claim surely does not hold.
    pub fn is_no(&self) -> bool {
        matches!(self, Truth::No)
    }

    /// Both claims hold.
    #[must_use]
    pub fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::No, _) | (_, Truth::No) => Truth::No,
            (Truth::Yes, rest) | (rest, Truth::Yes) => rest,
            (Truth::Depends(mut left), Truth::Depends(right)) => {
                left.extend(right);
                Truth::Depends(left)
            }
        }
    }

    /// At least one of the claims holds.
    #[must_use]
    pub fn or(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::Yes, _) | (_, Truth::Yes) => Truth::Yes,
            (Truth::No, rest) | (rest, Truth::No) => rest,
            (Truth::Depends(mut left), Truth::Depends(right)) => {
                left.extend(right);
                Truth::Depends(left)
            }
        }
    }

    /// The opposite claim, which hangs on the same facts.
    #[must_use]
    pub fn negate(self) -> Truth {
        match self {
            Truth::Yes => Truth::No,
            Truth::No => Truth::Yes,
            depends => depends,
        }
    }

    /// All claims hold; true for none.
    pub fn all(claims: impl IntoIterator<Item = Truth>) -> Truth {
        let mut sum = Truth::Yes;
        for claim in claims {
            sum = sum.and(claim);
            if sum.is_no() {
                break;
            }
        }
        sum
    }

    /// Some claim holds; false for none.
    pub fn any(claims: impl IntoIterator<Item = Truth>) -> Truth {
        let mut sum = Truth::No;
        for claim in claims {
            sum = sum.or(claim);
            if sum.is_yes() {
                break;
            }
        }
        sum
    }
}

impl From<bool> for Truth {
    fn from(known: bool) -> Truth {
        if known { Truth::Yes } else { Truth::No }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certain_side_settles_what_it_can() {
        let open = || Truth::depends_on("k");
        assert_eq!(open().and(Truth::No), Truth::No);
        assert_eq!(open().or(Truth::Yes), Truth::Yes);
        assert_eq!(open().and(Truth::Yes), open());
        assert_eq!(open().negate(), open());
        assert_eq!(
            open().or(Truth::depends_on("j")),
            Truth::Depends(["j".to_owned(), "k".to_owned()].into())
        );
    }

    #[test]
    fn nothing_is_all_and_not_any() {
        assert_eq!(Truth::all([]), Truth::Yes);
        assert_eq!(Truth::any([]), Truth::No);
    }
}
