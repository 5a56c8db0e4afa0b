//! The shape of a policy document, as evaluation, diff and checks read it.
//!
//! Text and list forms are one here, and so are an object and a list of statements. How text becomes a document is in
//! `parse`; whether AWS would accept it is in `validate`.

use crate::parse::{self, PolicyError};

/// A policy document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// The policy language's version, if given. Without one AWS assumes `2008-10-17`, which has no policy variables.
    pub version: Option<String>,
    /// The document's `Id`.
    pub id: Option<String>,
    /// The statements, in the order of the text.
    pub statements: Vec<Statement>,
}

/// What a statement does when it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Grants, unless something else denies.
    Allow,
    /// Denies, whatever else allows.
    Deny,
}

/// One statement of a document.
///
/// `None` means that the element is missing, which is not the same as an empty list: an empty `Action` names no action,
/// an empty `NotAction` names them all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The place in the document, counted from 0.
    pub index: usize,
    /// The `Sid`, if there is one that is not empty.
    pub sid: Option<String>,
    /// The `Effect`.
    pub effect: Effect,
    /// `Action`.
    pub actions: Option<Vec<String>>,
    /// `NotAction`.
    pub not_actions: Option<Vec<String>>,
    /// `Resource`.
    pub resources: Option<Vec<String>>,
    /// `NotResource`.
    pub not_resources: Option<Vec<String>>,
    /// `Principal`.
    pub principals: Option<Vec<Principal>>,
    /// `NotPrincipal`.
    pub not_principals: Option<Vec<Principal>>,
    /// `Condition`, one entry for each operator and key.
    pub conditions: Vec<Condition>,
}

/// One principal of a `Principal` or `NotPrincipal` element.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal {
    /// `AWS`, `Service`, `Federated`, `CanonicalUser`; `*` for a principal that is written as text.
    pub kind: String,
    /// The identifier.
    pub value: String,
}

/// One line of a `Condition` element: an operator, a key and its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The operator as written, such as `ForAnyValue:StringLike`.
    pub operator: String,
    /// The condition key as written, such as `aws:PrincipalArn`.
    pub key: String,
    /// The values as text; numbers and booleans in their JSON form.
    pub values: Vec<String>,
}

impl Document {
    /// Reads a document from JSON text.
    ///
    /// Field names are read without regard to case, unknown fields are passed over.
    ///
    /// # Errors
    /// When the text is not JSON, or an element has a shape in which it means nothing. The error says where.
    pub fn parse(text: &str) -> Result<Document, PolicyError> {
        parse::document(text)
    }

    /// True if `${...}` stands for a request's value in this document.
    pub fn has_variables(&self) -> bool {
        self.version.as_deref() == Some("2012-10-17")
    }
}

impl Effect {
    /// The word that a policy uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        }
    }
}

impl Statement {
    /// The Sid, or the statement's number counted from 1, for people.
    pub fn label(&self) -> String {
        match &self.sid {
            Some(sid) => sid.clone(),
            None => format!("statement {}", self.index.saturating_add(1)),
        }
    }
}
