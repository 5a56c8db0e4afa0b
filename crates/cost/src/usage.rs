//! What the user says about the usage of a stack: figures for an address or a pattern of addresses.
//!
//! ```toml
//! ["aws_dynamodb_table.tables[*]"]
//! storage_gb = 12.5
//! reads      = [1_000_000, 5_000_000]   # from, to
//! ```
//! This module is given keys and values with their places; which file they stand in is the caller's.

use std::collections::{BTreeMap, BTreeSet};

use terrane_model::nearest::nearest;
use terrane_model::{Address, Diagnostic, Diagnostics, Span};

use crate::money::{Decimal, MOST};
use crate::part::Quantity;

/// What can be said of a resource type.
const ARGUMENTS: [(&str, &[&str]); 5] = [
    ("aws_dynamodb_table", &crate::dynamodb::USAGE),
    ("aws_kms_key", &crate::kms::USAGE),
    ("aws_kms_external_key", &crate::kms::USAGE),
    ("aws_kms_replica_key", &crate::kms::USAGE),
    ("aws_kms_replica_external_key", &crate::kms::USAGE),
];

/// A figure as it is written.
#[derive(Clone, Debug, PartialEq)]
pub enum Amount {
    /// One number, as decimal text.
    One(String),
    /// From, to.
    Range(String, String),
    /// Something else; what it is called.
    Other(&'static str),
}

/// One `name = figure`.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The name.
    pub name: String,
    /// Where it stands.
    pub key: Span,
    /// What is said.
    pub amount: Amount,
    /// Where that stands.
    pub span: Span,
}

/// The figures of one address or pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The address or pattern.
    pub pattern: String,
    /// Where it stands.
    pub span: Span,
    /// The figures.
    pub figures: Vec<Figure>,
}

/// Figures by object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    by_object: BTreeMap<Address, BTreeMap<String, Quantity>>,
}

impl Usage {
    /// What is said of an object under a name.
    pub fn of(&self, address: &Address, name: &str) -> Option<&Quantity> {
        self.by_object.get(address)?.get(name)
    }

    /// Finds for each entry the objects that it is about. An entry with an address wins over one with a pattern, and among
    /// these the later one, figure by figure.
    ///
    /// # Errors
    /// Everything that is wrong; warnings, when nothing is, are in the second half of the answer.
    pub fn resolve(entries: &[Entry], objects: &[Address]) -> Result<(Usage, Diagnostics), Diagnostics> {
        let (mut usage, mut errors, mut warnings) = (Usage::default(), Vec::new(), Vec::new());
        let mut sorted: Vec<&Entry> = entries.iter().collect();
        sorted.sort_by_key(|entry| !is_pattern(&entry.pattern));
        for entry in sorted {
            let named: Vec<(&Address, String)> =
                objects.iter().map(|object| (object, object.to_string())).collect();
            let meant: Vec<&Address> = named
                .iter()
                .filter(|(_, name)| matches(&entry.pattern, name))
                .map(|(object, _)| *object)
                .collect();
            if meant.is_empty() {
                match is_pattern(&entry.pattern) {
                    true => warnings.push(nothing_matches(entry)),
                    false => errors.push(unknown_address(entry, named.iter().map(|(_, name)| name.as_str()))),
                }
            }
            let types: BTreeSet<&str> =
                meant.iter().map(|object| object.resource.type_name.as_ref()).collect();
            for figure in &entry.figures {
                match (check_name(figure, &types), quantity(figure)) {
                    (Ok(()), Ok(quantity)) => {
                        for object in
                            meant.iter().filter(|object| says(&object.resource.type_name, &figure.name))
                        {
                            let figures = usage.by_object.entry((*object).clone()).or_default();
                            figures.insert(figure.name.clone(), quantity.clone());
                        }
                    }
                    (name, quantity) => errors.extend(name.err().into_iter().chain(quantity.err())),
                }
            }
        }
        if errors.is_empty() { Ok((usage, warnings)) } else { Err(errors) }
    }
}

fn arguments(type_name: &str) -> &'static [&'static str] {
    ARGUMENTS.iter().find(|(name, _)| *name == type_name).map_or(&[], |(_, arguments)| arguments)
}

fn says(type_name: &str, argument: &str) -> bool {
    arguments(type_name).contains(&argument)
}

/// Whether it stands for more than one address. Brackets are part of addresses.
fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Whether an address fits a pattern: `*` stands for any text, `?` for one character.
fn matches(pattern: &str, address: &str) -> bool {
    let (pattern, address): (Vec<char>, Vec<char>) = (pattern.chars().collect(), address.chars().collect());
    let (mut at, mut place, mut star) = (0, 0, None);
    while let Some(here) = address.get(place) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(wanted) if wanted == here || *wanted == '?' => {
                (at, place) = (at + 1, place + 1);
            }
            // The last `*` takes one character more, and what follows it is tried again.
            _ => match star {
                Some((behind, from)) => {
                    star = Some((behind, from + 1));
                    (at, place) = (behind + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == '*')
}

fn unknown_address<'a>(entry: &Entry, names: impl Iterator<Item = &'a str>) -> Diagnostic {
    let detail = format!("There is no object `{}` in the plan or the state.", entry.pattern);
    let error =
        Diagnostic::error("unknown-usage-address", "Usage of an unknown object", detail).at(entry.span);
    match nearest(&entry.pattern, names) {
        Some(name) => error.hint(format!("Did you mean `{name}`?")),
        None => error.hint("An address that may be absent can be written with a `*`."),
    }
}

fn nothing_matches(entry: &Entry) -> Diagnostic {
    let detail = format!("No object fits the pattern `{}`, so its figures are not used.", entry.pattern);
    Diagnostic::warning("unused-usage", "Usage of nothing", detail).at(entry.span)
}

/// Whether one of the types, or any when there is none, has such a figure.
fn check_name(figure: &Figure, types: &BTreeSet<&str>) -> Result<(), Diagnostic> {
    let all: Vec<&str> = ARGUMENTS.iter().map(|(name, _)| *name).collect();
    let meant: Vec<&str> = if types.is_empty() { all } else { types.iter().copied().collect() };
    if meant.iter().any(|type_name| says(type_name, &figure.name)) {
        return Ok(());
    }
    let known: BTreeSet<&str> = meant.iter().flat_map(|type_name| arguments(type_name)).copied().collect();
    let types = meant.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
    let detail = match (known.is_empty(), meant.len()) {
        (true, _) => format!("The cost of {types} depends on no usage."),
        (false, 1 | 2) => format!("The cost of {types} depends on no figure called `{}`.", figure.name),
        (false, _) => format!("No cost depends on a figure called `{}`.", figure.name),
    };
    let error = Diagnostic::error("unknown-usage", "Unknown usage figure", detail).at(figure.key);
    Err(match nearest(&figure.name, known.iter().copied()) {
        Some(name) => error.hint(format!("Did you mean `{name}`?")),
        None if known.is_empty() => error,
        None => error.hint(format!("There are {}.", known.iter().copied().collect::<Vec<_>>().join(", "))),
    })
}

fn quantity(figure: &Figure) -> Result<Quantity, Diagnostic> {
    let wrong = |why: String| {
        Diagnostic::error("invalid-usage", "Invalid usage figure", format!("`{}` {why}.", figure.name))
            .at(figure.span)
    };
    let read = |text: &str| {
        Decimal::parse(text).ok_or_else(|| {
            let limits = format!("no number from 0 to {MOST} with at most six digits behind the point");
            wrong(if text.len() > 40 {
                format!("is {limits}")
            } else {
                format!("is `{text}`, which is {limits}")
            })
        })
    };
    match &figure.amount {
        Amount::One(text) => Ok(Quantity::exactly(read(text)?)),
        Amount::Range(from, to) => match (read(from)?, read(to)?) {
            (from, to) if from <= to => Ok(Quantity::Between(from, Some(to))),
            (from, to) => Err(wrong(format!("goes from {from} to {to}, and the first is the larger one"))),
        },
        Amount::Other(what) => {
            Err(wrong(format!("is {what}; it is a number, or a list of two: from and to")))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use terrane_model::FileId;

    use super::*;

    const SPAN: Span = Span { file: FileId(0), start: 0, end: 1 };

    fn entry(pattern: &str, figures: &[(&str, Amount)]) -> Entry {
        let figure = |(name, amount): &(&str, Amount)| Figure {
            name: (*name).to_owned(),
            key: SPAN,
            amount: amount.clone(),
            span: SPAN,
        };
        Entry { pattern: pattern.to_owned(), span: SPAN, figures: figures.iter().map(figure).collect() }
    }

    fn one(text: &str) -> Amount {
        Amount::One(text.to_owned())
    }

    fn objects() -> Vec<Address> {
        [
            "aws_dynamodb_table.t[\"Post\"]",
            "aws_dynamodb_table.t[\"Forum\"]",
            "aws_kms_key.k",
            "aws_iam_user.u",
        ]
        .map(|text| text.parse().unwrap())
        .to_vec()
    }

    #[test]
    fn an_address_wins_over_a_pattern_wherever_it_stands() {
        let entries = [
            entry("aws_dynamodb_table.t[\"Post\"]", &[("reads", one("7"))]),
            entry("*", &[("reads", one("1")), ("requests", one("9"))]),
            entry(
                "aws_dynamodb_table.*",
                &[("reads", one("2")), ("storage_gb", Amount::Range("1".into(), "2.5".into()))],
            ),
        ];
        let (usage, warnings) = Usage::resolve(&entries, &objects()).unwrap();
        let of = |object: usize, name: &str| usage.of(&objects()[object], name).cloned();
        let exactly = |text: &str| Some(Quantity::exactly(Decimal::parse(text).unwrap()));
        assert_eq!(
            (of(0, "reads"), of(1, "reads"), of(2, "requests")),
            (exactly("7"), exactly("2"), exactly("9"))
        );
        assert_eq!((of(2, "reads"), of(3, "requests"), warnings), (None, None, vec![]));
        assert_eq!(
            of(1, "storage_gb"),
            Some(Quantity::Between(Decimal::parse("1").unwrap(), Decimal::parse("2.5")))
        );
    }

    #[test]
    fn all_that_is_wrong_is_said_and_near_names_are_offered() {
        let entries = [
            entry("aws_kms_key.j", &[("request", one("1"))]),
            entry("aws_iam_user.u", &[("requests", one("1"))]),
            entry("*", &[("writes", one("-1")), ("reads", Amount::Other("a string")), ("storage", one("1"))]),
            entry("aws_dynamodb_table.t[\"Post\"]", &[("reads", Amount::Range("2".into(), "1".into()))]),
        ];
        let errors = Usage::resolve(&entries, &objects()).unwrap_err();
        let told: Vec<String> = errors.iter().map(|e| format!("{} {:?}", e.detail, e.hints)).collect();
        assert_eq!(told.len(), 7, "{told:#?}");
        assert!(
            told.iter().any(|t| t.contains("`aws_kms_key.j`") && t.contains("Did you mean `aws_kms_key.k`?"))
        );
        assert!(
            told.iter().any(|t| t.contains("called `request`") && t.contains("Did you mean `requests`?"))
        );
        assert!(told.iter().any(|t| t.contains("`aws_iam_user` depends on no usage")));
        assert!(told.iter().any(|t| t.contains("is `-1`")));
        assert!(told.iter().any(|t| t.contains("the first is the larger one")));
        assert!(errors.iter().all(|error| error.span == Some(SPAN)));
    }

    #[test]
    fn a_pattern_that_fits_nothing_is_a_warning() {
        let (usage, warnings) =
            Usage::resolve(&[entry("aws_kms_key.z*", &[("requests", one("1"))])], &objects()).unwrap();
        assert_eq!((usage, warnings.len(), warnings[0].code), (Usage::default(), 1, "unused-usage"));
    }

    #[test]
    fn patterns() {
        for (pattern, address, fits) in [
            ("*", "a.b", true),
            ("a.b", "a.b", true),
            ("a.b", "a.bc", false),
            ("a.?", "a.b", true),
            ("a.*[\"x*\"]", "a.b[\"xyz\"]", true),
            ("a.*c", "a.bcbc", true),
            ("*a*a*a", "aa", false),
            ("", "", true),
            ("**", "", true),
        ] {
            assert_eq!(matches(pattern, address), fits, "{pattern} {address}");
        }
    }

    proptest! {
        #[test]
        fn a_text_fits_itself_and_any_part_of_it_a_star(text in "[a-z.*?é]{0,12}", cut in 0_usize..12) {
            prop_assert!(matches(&text, &text));
            let kept: String = text.chars().take(cut).collect();
            let starred = format!("{kept}*");
            prop_assert!(matches(&starred, &text));
        }
    }
}
