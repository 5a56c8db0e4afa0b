//! What changed between two policies, statement by statement, in terms of who may do what on which resource.
//!
//! Statements are the same if they have the same Sid; those without a partner by Sid are the same if they say the same, or
//! if most of what they say is the same. Order, list shapes, the case of actions, and an account's id against its root ARN
//! are no change.

use std::collections::BTreeMap;
use std::fmt;

use crate::document::{Document, Effect, Principal, Statement};

/// One difference between two policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementChange {
    /// The policy language's version changed, which decides whether `${...}` is a variable.
    Version {
        /// The version before, if one was given.
        before: Option<String>,
        /// The version after, if one is given.
        after: Option<String>,
    },
    /// The document's `Id` changed, which means nothing to AWS.
    Id {
        /// The id before.
        before: Option<String>,
        /// The id after.
        after: Option<String>,
    },
    /// A statement is there that was not.
    Added(Statement),
    /// A statement is gone.
    Removed(Statement),
    /// A statement says something else.
    Changed {
        /// The statement before.
        before: Box<Statement>,
        /// The statement after.
        after: Box<Statement>,
        /// What differs, removals first within an element.
        changes: Vec<ElementChange>,
    },
}

/// One difference within a statement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ElementChange {
    /// The element.
    pub element: Element,
    /// Whether the text came or went.
    pub sign: Sign,
    /// One action, resource, principal, or line of a condition; the effect; the Sid.
    pub text: String,
}

/// An element of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Element {
    /// `Sid`.
    Sid,
    /// `Effect`.
    Effect,
    /// `Principal`.
    Principal,
    /// `NotPrincipal`.
    NotPrincipal,
    /// `Action`.
    Action,
    /// `NotAction`.
    NotAction,
    /// `Resource`.
    Resource,
    /// `NotResource`.
    NotResource,
    /// `Condition`.
    Condition,
}

/// Whether something came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// It is gone.
    Removed,
    /// It is new.
    Added,
}

/// Compares two policies. The differences come in the order of the statements after the change, then those that are gone.
/// Nothing differs if and only if both policies say the same.
pub fn diff(before: &Document, after: &Document) -> Vec<StatementChange> {
    let mut changes = Vec::new();
    if before.version != after.version {
        changes
            .push(StatementChange::Version { before: before.version.clone(), after: after.version.clone() });
    }
    if before.id != after.id {
        changes.push(StatementChange::Id { before: before.id.clone(), after: after.id.clone() });
    }
    let mut old: Vec<Side<'_>> = before.statements.iter().map(Side::new).collect();
    for (new, partner) in pair(&mut old, after.statements.iter().map(Side::new).collect()) {
        match partner {
            None => changes.push(StatementChange::Added(new.statement.clone())),
            Some(partner) => {
                let differences = differences(&partner, &new);
                if !differences.is_empty() {
                    changes.push(StatementChange::Changed {
                        before: Box::new(partner.statement.clone()),
                        after: Box::new(new.statement.clone()),
                        changes: differences,
                    });
                }
            }
        }
    }
    changes.extend(old.into_iter().map(|gone| StatementChange::Removed(gone.statement.clone())));
    changes
}

/// A statement with its lines: by element and normal form, with the text to show.
#[derive(Debug)]
struct Side<'s> {
    statement: &'s Statement,
    lines: BTreeMap<(Element, String), String>,
}

impl<'s> Side<'s> {
    fn new(statement: &'s Statement) -> Side<'s> {
        let mut side = Side { statement, lines: BTreeMap::new() };
        side.add(Element::Effect, statement.effect.as_str(), statement.effect.as_str());
        for (element, principals) in
            [(Element::Principal, &statement.principals), (Element::NotPrincipal, &statement.not_principals)]
        {
            side.add_list(element, principals, shown_principal, normal_principal);
        }
        for (element, actions) in
            [(Element::Action, &statement.actions), (Element::NotAction, &statement.not_actions)]
        {
            side.add_list(element, actions, String::clone, |action| action.to_ascii_lowercase());
        }
        for (element, resources) in
            [(Element::Resource, &statement.resources), (Element::NotResource, &statement.not_resources)]
        {
            side.add_list(element, resources, String::clone, String::clone);
        }
        for condition in &statement.conditions {
            let line = format!("{} {}", condition.operator, condition.key);
            if condition.values.is_empty() {
                side.add(Element::Condition, &line, &line);
            }
            for value in &condition.values {
                let line = format!("{line} = {value}");
                side.add(Element::Condition, &line, &line);
            }
        }
        side
    }

    fn add(&mut self, element: Element, normal: &str, shown: &str) {
        self.lines.insert((element, normal.to_owned()), shown.to_owned());
    }

    fn add_list<T>(
        &mut self,
        element: Element,
        list: &Option<Vec<T>>,
        shown: impl Fn(&T) -> String,
        normal: impl Fn(&T) -> String,
    ) {
        let Some(list) = list else { return };
        if list.is_empty() {
            // An empty list is not a missing one: `NotAction: []` names every action.
            self.add(element, "", "(nothing)");
        }
        for item in list {
            self.add(element, &normal(item), &shown(item));
        }
    }

    fn sid(&self) -> Option<&str> {
        self.statement.sid.as_deref()
    }

    /// Twice the shared lines by all lines: over one half, most is the same.
    fn mostly_same(&self, other: &Side<'_>) -> Option<usize> {
        let shared = self.lines.keys().filter(|line| other.lines.contains_key(*line)).count();
        let all = self.lines.len().saturating_add(other.lines.len());
        (shared.saturating_mul(4) > all).then_some(shared)
    }
}

/// Gives each new statement its partner and takes the partners out of `old`.
fn pair<'s>(old: &mut Vec<Side<'s>>, new: Vec<Side<'s>>) -> Vec<(Side<'s>, Option<Side<'s>>)> {
    let mut pairs: Vec<(Side<'s>, Option<Side<'s>>)> = new.into_iter().map(|side| (side, None)).collect();
    let mut take = |wanted: &dyn Fn(&Side<'s>, &Side<'s>) -> bool, old: &mut Vec<Side<'s>>| {
        for (side, partner) in pairs.iter_mut().filter(|(_, partner)| partner.is_none()) {
            *partner = old.iter().position(|other| wanted(side, other)).map(|found| old.remove(found));
        }
    };
    take(&|new, old| new.sid() == old.sid() && new.lines == old.lines, old);
    take(&|new, old| new.sid().is_some() && new.sid() == old.sid(), old);
    take(&|new, old| new.lines == old.lines, old);
    for (side, partner) in pairs.iter_mut().filter(|(_, partner)| partner.is_none()) {
        let best = old
            .iter()
            .enumerate()
            // Two Sids say that these are two statements.
            .filter(|(_, other)| side.sid().is_none() || other.sid().is_none())
            .filter_map(|(place, other)| {
                side.mostly_same(other).map(|score| (score, std::cmp::Reverse(place)))
            })
            .max();
        *partner = best.map(|(_, std::cmp::Reverse(place))| old.remove(place));
    }
    pairs
}

fn differences(before: &Side<'_>, after: &Side<'_>) -> Vec<ElementChange> {
    let only = |these: &Side<'_>, those: &Side<'_>, sign: Sign| -> Vec<ElementChange> {
        let lines = these.lines.iter().filter(|(line, _)| !those.lines.contains_key(*line));
        lines
            .map(|((element, _), text)| ElementChange { element: *element, sign, text: text.clone() })
            .collect()
    };
    let mut changes = only(before, after, Sign::Removed);
    changes.extend(only(after, before, Sign::Added));
    if before.sid() != after.sid() {
        let sids = [(Sign::Removed, before.sid()), (Sign::Added, after.sid())];
        changes.extend(sids.into_iter().filter_map(|(sign, sid)| {
            sid.map(|sid| ElementChange { element: Element::Sid, sign, text: sid.to_owned() })
        }));
    }
    changes.sort();
    changes
}

fn shown_principal(principal: &Principal) -> String {
    if principal.kind == "*" {
        principal.value.clone()
    } else {
        format!("{} {}", principal.kind, principal.value)
    }
}

fn normal_principal(principal: &Principal) -> String {
    let account = principal.value.len() == 12 && principal.value.bytes().all(|byte| byte.is_ascii_digit());
    if principal.kind == "AWS" && account {
        return format!("AWS arn:aws:iam::{}:root", principal.value);
    }
    shown_principal(principal)
}

impl StatementChange {
    /// Whether the change is an addition, a removal, or (`None`) something in between.
    pub fn sign(&self) -> Option<Sign> {
        match self {
            StatementChange::Added(_) => Some(Sign::Added),
            StatementChange::Removed(_) => Some(Sign::Removed),
            _ => None,
        }
    }
}

impl fmt::Display for StatementChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        match self {
            StatementChange::Version { before, after } => {
                write!(formatter, "Version: {} -> {}", or_none(before), or_none(after))
            }
            StatementChange::Id { before, after } => {
                write!(formatter, "Id: {} -> {}", or_none(before), or_none(after))
            }
            StatementChange::Added(statement) => write!(formatter, "+ {}", Sentence(statement)),
            StatementChange::Removed(statement) => write!(formatter, "- {}", Sentence(statement)),
            StatementChange::Changed { after, changes, .. } => {
                write!(formatter, "{}: ", after.label())?;
                join(formatter, changes)
            }
        }
    }
}

impl fmt::Display for ElementChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.sign {
            Sign::Added => '+',
            Sign::Removed => '-',
        };
        match self.element.word() {
            "" => write!(formatter, "{sign} {}", self.text),
            word => write!(formatter, "{sign} {word} {}", self.text),
        }
    }
}

impl Element {
    /// The word before a text of this element; none for actions, which speak for themselves.
    fn word(self) -> &'static str {
        match self {
            Element::Sid => "Sid",
            Element::Effect => "effect",
            Element::Principal => "principal",
            Element::NotPrincipal => "not-principal",
            Element::Action => "",
            Element::NotAction => "not-action",
            Element::Resource => "resource",
            Element::NotResource => "not-resource",
            Element::Condition => "condition",
        }
    }
}

/// A statement in one line: `Label: Allow a:b, a:c on arn:x to AWS y if StringEquals k = v`.
struct Sentence<'s>(&'s Statement);

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = Side::new(self.0);
        let of = |element: Element| -> Vec<&str> {
            let lines = side.lines.iter().filter(|((of, _), _)| *of == element);
            lines.map(|(_, text)| text.as_str()).collect()
        };
        let verb = match self.0.effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        };
        write!(formatter, "{}: {verb}", self.0.label())?;
        for (before, element) in [
            ("", Element::Action),
            ("all but", Element::NotAction),
            ("on", Element::Resource),
            ("on all but", Element::NotResource),
            ("to", Element::Principal),
            ("to all but", Element::NotPrincipal),
            ("if", Element::Condition),
        ] {
            let texts = of(element);
            if !texts.is_empty() {
                let space = if before.is_empty() { "" } else { " " };
                write!(formatter, " {before}{space}{}", texts.join(", "))?;
            }
        }
        Ok(())
    }
}

fn join(formatter: &mut fmt::Formatter<'_>, changes: &[ElementChange]) -> fmt::Result {
    for (place, change) in changes.iter().enumerate() {
        if place > 0 {
            write!(formatter, ", ")?;
        }
        write!(formatter, "{change}")?;
    }
    Ok(())
}
