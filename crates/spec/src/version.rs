//! Version requirements as Terraform writes them: `>= 1.2, < 2.0`, `~> 1.4`, `!= 1.5.1`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A version of up to three numbers, and what follows a hyphen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    numbers: [u64; 3],
    given: usize,
    prerelease: String,
}

/// Several comparisons that must all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    text: String,
    comparisons: Vec<(Operator, Version)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Pessimistic,
}

/// A text that is no version or no requirement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version")]
pub struct BadVersion(pub String);

impl FromStr for Version {
    type Err = BadVersion;

    fn from_str(text: &str) -> Result<Version, BadVersion> {
        let bad = || BadVersion(text.to_owned());
        let core = text.trim().split('+').next().unwrap_or_default();
        let core = core.strip_prefix('v').unwrap_or(core);
        let (numbers, prerelease) = core.split_once('-').unwrap_or((core, ""));
        let parts =
            numbers.split('.').map(|n| n.parse::<u64>().map_err(|_| bad())).collect::<Result<Vec<_>, _>>()?;
        let good = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        if parts.len() > 3 || !prerelease.chars().all(good) || (core.contains('-') && prerelease.is_empty()) {
            return Err(bad());
        }
        let mut three = parts.iter().copied().chain([0, 0]);
        let mut next = || three.next().unwrap_or(0);
        Ok(Version {
            numbers: [next(), next(), next()],
            given: parts.len(),
            prerelease: prerelease.to_owned(),
        })
    }
}

impl Version {
    fn compare(&self, other: &Version) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| {
            match (self.prerelease.is_empty(), other.prerelease.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => prerelease_order(&self.prerelease, &other.prerelease),
            }
        })
    }

    /// Prereleases of the version itself are comparable; others take no part in ranges.
    fn comparable(&self, limit: &Version) -> bool {
        self.prerelease.is_empty() || (!limit.prerelease.is_empty() && self.numbers == limit.numbers)
    }
}

fn prerelease_order(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match (a.parse::<u64>(), b.parse::<u64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => a.cmp(b),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

impl FromStr for Requirement {
    type Err = BadVersion;

    fn from_str(text: &str) -> Result<Requirement, BadVersion> {
        let operators = [
            ("!=", Operator::NotEqual),
            (">=", Operator::GreaterOrEqual),
            ("<=", Operator::LessOrEqual),
            ("~>", Operator::Pessimistic),
            (">", Operator::Greater),
            ("<", Operator::Less),
            ("=", Operator::Equal),
            ("", Operator::Equal),
        ];
        let comparison = |part: &str| {
            let part = part.trim();
            let found = operators.iter().find_map(|(sign, op)| Some((*op, part.strip_prefix(sign)?)));
            let (operator, version) = found.ok_or_else(|| BadVersion(part.to_owned()))?;
            Ok((operator, version.trim().parse::<Version>()?))
        };
        let comparisons = text.split(',').map(comparison).collect::<Result<Vec<_>, _>>()?;
        Ok(Requirement { text: text.to_owned(), comparisons })
    }
}

impl Requirement {
    /// Whether the version fulfils every comparison.
    pub fn allows(&self, version: &Version) -> bool {
        self.comparisons.iter().all(|(operator, limit)| {
            let order = version.compare(limit);
            match operator {
                Operator::Equal => order == Ordering::Equal,
                Operator::NotEqual => order != Ordering::Equal,
                Operator::Greater => version.comparable(limit) && order == Ordering::Greater,
                Operator::GreaterOrEqual => version.comparable(limit) && order != Ordering::Less,
                Operator::Less => version.comparable(limit) && order == Ordering::Less,
                Operator::LessOrEqual => version.comparable(limit) && order != Ordering::Greater,
                Operator::Pessimistic => {
                    let fixed = limit.given.saturating_sub(1);
                    version.comparable(limit)
                        && order != Ordering::Less
                        && version.numbers.iter().zip(&limit.numbers).take(fixed).all(|(a, b)| a == b)
                }
            }
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        if self.prerelease.is_empty() { Ok(()) } else { write!(f, "-{}", self.prerelease) }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_follow_the_operators() {
        let cases = [
            (">= 0.1.0", "0.1.0", true),
            (">= 0.1.0", "0.0.9", false),
            ("~> 1.2", "1.9.0", true),
            ("~> 1.2", "2.0.0", false),
            ("~> 1.2.3", "1.2.9", true),
            ("~> 1.2.3", "1.3.0", false),
            ("~> 1", "7.0.0", true),
            ("1.2", "1.2.0", true),
            ("= 1.2", "1.2.1", false),
            ("!= 1.2", "1.2.1", true),
            ("> 1.0, < 2.0", "1.5", true),
            ("> 1.0, < 2.0", "2.0", false),
            ("<= 2", "2.0.0", true),
            (">= 1.0", "1.1.0-beta", false),
            (">= 1.1.0-alpha", "1.1.0-beta.2", true),
            (">= 1.1.0-beta.10", "1.1.0-beta.2", false),
            (">= 1.1.0-beta", "1.1.0", true),
        ];
        for (requirement, version, expected) in cases {
            let allowed = requirement.parse::<Requirement>().unwrap().allows(&version.parse().unwrap());
            assert_eq!(allowed, expected, "{requirement} / {version}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "one", ">= ", "1.2.3.4", ">= 1,", "=> 1", "1.x", "1.0-", ">= -1"] {
            assert!(text.parse::<Requirement>().is_err(), "{text:?}");
        }
    }
}
