//! What the data source `aws_iam_policy_document` renders: statements and other documents in, JSON out, byte for byte.
//!
//! The types here are the data source's arguments. How one block becomes JSON is in `blocks`, how other documents are
//! read and laid over each other in `merge`.

mod blocks;
mod merge;

use serde_json::{Map, Value};

use crate::canonical::{Layout, write};
use crate::parse::PolicyError;
use blocks::{Identifiers, Values};

/// The arguments of the data source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicyInput {
    /// `version`; `2012-10-17` if unset.
    pub version: Option<String>,
    /// `policy_id`.
    pub policy_id: Option<String>,
    /// The `statement` blocks, in order.
    pub statements: Vec<StatementInput>,
    /// `source_policy_documents`; nulls and empty texts are passed over.
    pub source_policy_documents: Vec<Option<String>>,
    /// `override_policy_documents`; nulls and empty texts are passed over.
    pub override_policy_documents: Vec<Option<String>>,
}

/// A `statement` block.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatementInput {
    /// `sid`.
    pub sid: Option<String>,
    /// `effect`; `Allow` if unset.
    pub effect: Option<String>,
    /// `actions`, a set.
    pub actions: Vec<String>,
    /// `not_actions`, a set.
    pub not_actions: Vec<String>,
    /// `resources`, a set.
    pub resources: Vec<String>,
    /// `not_resources`, a set.
    pub not_resources: Vec<String>,
    /// `principals`, a set of blocks.
    pub principals: Vec<PrincipalInput>,
    /// `not_principals`, a set of blocks.
    pub not_principals: Vec<PrincipalInput>,
    /// `condition`, a set of blocks.
    pub conditions: Vec<ConditionInput>,
}

/// A `principals` or `not_principals` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalInput {
    /// `type`.
    pub kind: String,
    /// `identifiers`, a set.
    pub identifiers: Vec<String>,
}

/// A `condition` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionInput {
    /// `test`.
    pub test: String,
    /// `variable`.
    pub variable: String,
    /// `values`, a list.
    pub values: Vec<String>,
}

/// The attributes of the data source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// `json`, indented by two spaces.
    pub json: String,
    /// `minified_json`.
    pub minified_json: String,
    /// `id`, the CRC-32 of `json` in decimal.
    pub id: String,
}

/// Why a document cannot be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A variable is used that the document's version does not have.
    #[error("statement {} uses `{text}`, and policy variables need version 2012-10-17", .statement.saturating_add(1))]
    VariableInOldVersion {
        /// The statement's place, counted from 0.
        statement: usize,
        /// The text with the variable.
        text: String,
    },
    /// Two statements of the data source have one Sid.
    #[error("two statements have the Sid `{sid}`")]
    DuplicateSid {
        /// The Sid.
        sid: String,
    },
    /// Two statements among the source documents have one Sid.
    #[error("two statements of the source documents have the Sid `{sid}`; the second is in document {}", .document.saturating_add(1))]
    DuplicateSourceSid {
        /// The Sid.
        sid: String,
        /// The document with the second one, counted from 0.
        document: usize,
    },
    /// A source document cannot be read.
    #[error("source document {} cannot be read", .document.saturating_add(1))]
    Source {
        /// The document's place, counted from 0.
        document: usize,
        /// What is wrong with it.
        source: PolicyError,
    },
    /// An override document cannot be read.
    #[error("override document {} cannot be read", .document.saturating_add(1))]
    Override {
        /// The document's place, counted from 0.
        document: usize,
        /// What is wrong with it.
        source: PolicyError,
    },
}

/// Renders the data source.
///
/// # Errors
/// See [`RenderError`]; the first one found is given.
pub fn render(input: &PolicyInput) -> Result<Rendered, RenderError> {
    let mut merged = Policy::default();
    for document in merge::sources(&input.source_policy_documents)? {
        merged.lay_over(document);
    }
    merged.lay_over(own(input)?);
    for document in merge::overrides(&input.override_policy_documents)? {
        merged.lay_over(document);
    }
    let value = merged.into_value();
    let json = write(&value, Layout::Indented);
    let id = crc32fast::hash(json.as_bytes()).to_string();
    Ok(Rendered { minified_json: write(&value, Layout::Compact), json, id })
}

/// The version that a document has unless it says otherwise.
const DEFAULT_VERSION: &str = "2012-10-17";

fn own(input: &PolicyInput) -> Result<Policy, RenderError> {
    let version = input.version.as_deref().filter(|text| !text.is_empty()).unwrap_or(DEFAULT_VERSION);
    let mut statements: Vec<Statement> = Vec::new();
    for (index, block) in input.statements.iter().enumerate() {
        let statement = blocks::statement(block, version)
            .map_err(|text| RenderError::VariableInOldVersion { statement: index, text })?;
        if !statement.sid.is_empty() && statements.iter().any(|other| other.sid == statement.sid) {
            return Err(RenderError::DuplicateSid { sid: statement.sid });
        }
        statements.push(statement);
    }
    Ok(Policy { version: version.to_owned(), id: input.policy_id.clone().unwrap_or_default(), statements })
}

/// A document on its way to JSON; empty texts are not written.
#[derive(Debug, Default)]
struct Policy {
    version: String,
    id: String,
    statements: Vec<Statement>,
}

#[derive(Debug, Default)]
struct Statement {
    sid: String,
    effect: String,
    actions: Option<Value>,
    not_actions: Option<Value>,
    resources: Option<Value>,
    not_resources: Option<Value>,
    principals: Vec<(String, Identifiers)>,
    not_principals: Vec<(String, Identifiers)>,
    conditions: Vec<(String, String, Values)>,
}

impl Policy {
    fn into_value(self) -> Value {
        let mut object = Map::new();
        insert_text(&mut object, "Version", self.version);
        insert_text(&mut object, "Id", self.id);
        if !self.statements.is_empty() {
            let statements = self.statements.into_iter().map(Statement::into_value).collect();
            object.insert("Statement".to_owned(), Value::Array(statements));
        }
        Value::Object(object)
    }
}

impl Statement {
    fn into_value(self) -> Value {
        let mut object = Map::new();
        insert_text(&mut object, "Sid", self.sid);
        insert_text(&mut object, "Effect", self.effect);
        let fields = [
            ("Action", self.actions),
            ("NotAction", self.not_actions),
            ("Resource", self.resources),
            ("NotResource", self.not_resources),
            ("Principal", blocks::principals_value(self.principals)),
            ("NotPrincipal", blocks::principals_value(self.not_principals)),
            ("Condition", blocks::conditions_value(self.conditions)),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                object.insert(name.to_owned(), value);
            }
        }
        Value::Object(object)
    }
}

fn insert_text(object: &mut Map<String, Value>, name: &str, text: String) {
    if !text.is_empty() {
        object.insert(name.to_owned(), Value::String(text));
    }
}
