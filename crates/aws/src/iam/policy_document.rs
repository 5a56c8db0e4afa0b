//! `aws_iam_policy_document`: a policy document written as blocks.
//!
//! No call, no permission: the document follows from its arguments, and is known at plan whenever they are. Identified
//! by a checksum of its text.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>

use std::error::Error as StdError;
use std::sync::LazyLock;

use async_trait::async_trait;
use terrane_iam::{ConditionInput, PolicyInput, PrincipalInput, RenderError, Rendered, StatementInput};
use terrane_model::conform::Problem;
use terrane_model::schema::{
    Block, Check, NestedBlock, Nesting, block, computed, nested, optional, optional_computed, required,
};
use terrane_model::{Mode, Path, Schema, Step, Type, Value};
use terrane_provider::{Context, DataSource, Error, ErrorKind, Facts};

use crate::object::{elements, text, texts, unknown_text};

/// The data source.
pub struct PolicyDocument;

const VERSION: &str = "2012-10-17";

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let old = |name, instead| {
        optional(name, Type::String)
            .check(Check::Empty)
            .deprecated(instead)
            .doc("No longer used; must be empty.")
    };
    let documents = |name, doc| optional(name, Type::list(Type::String)).check(Check::Json).doc(doc);
    Schema::new(
        "aws_iam_policy_document",
        Mode::Data,
        "A policy document written as blocks.",
        block(
            [
                optional_computed("id", Type::String).doc("Checksum of the text."),
                computed("json", Type::String).doc("The document, indented."),
                computed("minified_json", Type::String).doc("The document without white space."),
                old("override_json", "Use `override_policy_documents`."),
                documents(
                    "override_policy_documents",
                    "Documents whose statements replace those of the same Sid.",
                ),
                optional("policy_id", Type::String).doc("Id of the document."),
                old("source_json", "Use `source_policy_documents`."),
                documents("source_policy_documents", "Documents that this one is laid over."),
                optional("version", Type::String)
                    .default(VERSION)
                    .check(Check::OneOf(&["2008-10-17", "2012-10-17"]))
                    .doc("Version of the policy language."),
            ],
            [nested("statement", Nesting::List, statement_block()).doc("Statements, in order.")],
        ),
    )
});

fn statement_block() -> Block {
    let set = |name, doc| optional(name, Type::set(Type::String)).doc(doc);
    block(
        [
            set("actions", "Actions, such as `dynamodb:GetItem`."),
            optional("effect", Type::String)
                .default("Allow")
                .check(Check::OneOf(&["Allow", "Deny"]))
                .doc("`Allow` or `Deny`."),
            set("not_actions", "All actions but these."),
            set("not_resources", "All resources but these."),
            set("resources", "ARNs of resources."),
            optional("sid", Type::String).doc("Name of the statement."),
        ],
        [
            nested("condition", Nesting::Set, condition_block()).doc("When the statement applies."),
            principals("not_principals").doc("Everybody but these."),
            principals("principals").doc("Whom the statement is about."),
        ],
    )
}

fn condition_block() -> Block {
    block(
        [
            required("test", Type::String).doc("Operator, such as `StringEquals`."),
            required("values", Type::list(Type::String)).doc("Values, one of which must fit."),
            required("variable", Type::String).doc("Condition key, such as `aws:SourceIp`."),
        ],
        [],
    )
}

fn principals(name: &'static str) -> NestedBlock {
    let attributes = [
        required("identifiers", Type::set(Type::String)).doc("ARNs, accounts or service names."),
        required("type", Type::String).doc("`AWS`, `Service`, `Federated`, `CanonicalUser` or `*`."),
    ];
    nested(name, Nesting::Set, block(attributes, []))
}

#[async_trait]
impl DataSource for PolicyDocument {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn compute(&self, config: &Value, _facts: &Facts) -> Option<Result<Value, Vec<Problem>>> {
        Some(document(config).map_err(|problem| vec![problem]))
    }

    async fn read(&self, _cx: &Context<'_>, config: &Value) -> Result<Value, Error> {
        document(config)
            .map_err(|problem| Error::new(ErrorKind::Invalid, "aws_iam_policy_document", problem.detail))
    }
}

fn document(config: &Value) -> Result<Value, Problem> {
    let version = text(config, "version").unwrap_or(VERSION);
    let object = match config.get("version") {
        Some(version) if version.is_unknown() => config.clone(),
        _ => config.clone().with("version", Value::from(version)),
    };
    let statements = object.get("statement").cloned().map(|list| list.map_elements(&mut filled_statement));
    let object = match statements {
        Some(statements) => object.with("statement", statements),
        None => object,
    };
    let marks = config.marks_deep();
    let outputs = match object.is_wholly_known() {
        false => [unknown_text(), unknown_text(), unknown_text()],
        true => {
            let Rendered { json, minified_json, id } =
                terrane_iam::render(&input(&object)).map_err(problem)?;
            [json, minified_json, id].map(Value::from)
        }
    };
    let [json, minified, id] = outputs.map(|output| output.with_marks(marks));
    Ok(object.with("json", json).with("minified_json", minified).with("id", id))
}

/// A statement with what is left out filled in, as the state has it.
fn filled_statement(statement: Value) -> Value {
    let mut statement = statement;
    for (name, default) in [("effect", "Allow"), ("sid", "")] {
        if statement.get(name).is_some_and(Value::is_null) {
            statement = statement.with(name, Value::from(default));
        }
    }
    for name in ["actions", "not_actions", "resources", "not_resources"] {
        if statement.get(name).is_some_and(Value::is_null) {
            statement = statement.with(name, Value::set(Type::String, []));
        }
    }
    statement
}

fn input(object: &Value) -> PolicyInput {
    let documents =
        |name: &str| elements(object, name).iter().map(|v| v.as_str().map(str::to_owned)).collect();
    PolicyInput {
        version: text(object, "version").map(str::to_owned),
        policy_id: text(object, "policy_id").map(str::to_owned),
        statements: elements(object, "statement").iter().map(statement_input).collect(),
        source_policy_documents: documents("source_policy_documents"),
        override_policy_documents: documents("override_policy_documents"),
    }
}

fn statement_input(block: &Value) -> StatementInput {
    let owned = |block: &Value, name: &str| text(block, name).unwrap_or_default().to_owned();
    let principals = |name: &str| {
        let of = |block: &Value| PrincipalInput {
            kind: owned(block, "type"),
            identifiers: texts(block, "identifiers"),
        };
        elements(block, name).iter().map(of).collect()
    };
    let condition = |block: &Value| ConditionInput {
        test: owned(block, "test"),
        variable: owned(block, "variable"),
        values: texts(block, "values"),
    };
    StatementInput {
        sid: text(block, "sid").map(str::to_owned),
        effect: text(block, "effect").map(str::to_owned),
        actions: texts(block, "actions"),
        not_actions: texts(block, "not_actions"),
        resources: texts(block, "resources"),
        not_resources: texts(block, "not_resources"),
        principals: principals("principals"),
        not_principals: principals("not_principals"),
        conditions: elements(block, "condition").iter().map(condition).collect(),
    }
}

fn problem(error: RenderError) -> Problem {
    let path = match &error {
        RenderError::VariableInOldVersion { statement, .. } => {
            Path::attribute("statement").child(Step::Index(*statement))
        }
        RenderError::DuplicateSid { .. } => Path::attribute("statement"),
        RenderError::DuplicateSourceSid { document, .. } | RenderError::Source { document, .. } => {
            Path::attribute("source_policy_documents").child(Step::Index(*document))
        }
        RenderError::Override { document, .. } => {
            Path::attribute("override_policy_documents").child(Step::Index(*document))
        }
    };
    let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    Problem {
        path,
        code: "invalid-policy-document",
        summary: "Invalid policy document",
        detail: format!("The document cannot be made: {error}{cause}."),
    }
}

#[cfg(test)]
mod tests {
    use terrane_model::conform::conform;

    use super::*;

    fn computed(body: Value) -> Result<Value, Vec<Problem>> {
        let (config, problems) = conform(&body, &SCHEMA.block);
        assert_eq!(problems, []);
        PolicyDocument.compute(&config, &Facts::default()).expect("always computed")
    }

    fn statement(actions: Value, sid: &str) -> Value {
        Value::object([("actions", actions), ("sid", Value::from(sid))])
    }

    #[test]
    fn a_known_document_is_rendered_at_plan() {
        let actions = Value::tuple(["a:b", "c:d"].map(Value::from));
        let result = computed(Value::object([("statement", statement(actions, "S"))])).expect("a document");
        assert_eq!(
            text(&result, "minified_json"),
            Some(
                r#"{"Version":"2012-10-17","Statement":[{"Sid":"S","Effect":"Allow","Action":["c:d","a:b"]}]}"#
            )
        );
        assert_eq!(text(&result, "version"), Some(VERSION));
        let block = elements(&result, "statement").first().expect("a statement");
        assert_eq!((text(block, "effect"), elements(block, "resources").len()), (Some("Allow"), 0));
        assert!(block.get("resources").is_some_and(|set| !set.is_null()));
        assert!(text(&result, "id").is_some_and(|id| id.parse::<u32>().is_ok()));
    }

    #[test]
    fn an_unknown_argument_leaves_only_the_results_unknown() {
        let actions = Value::tuple([Value::unknown(Type::String)]);
        let result = computed(Value::object([("statement", statement(actions, "S"))])).expect("a document");
        assert!(
            ["id", "json", "minified_json"]
                .iter()
                .all(|name| result.get(name).is_some_and(Value::is_unknown))
        );
        assert_eq!(text(&elements(&result, "statement")[0], "sid"), Some("S"));
        assert_eq!(text(&result, "version"), Some(VERSION));
    }

    #[test]
    fn a_secret_in_a_document_keeps_it_secret() {
        let secret = Value::from("x").sensitive();
        let result = computed(Value::object([("policy_id", secret)])).expect("a document");
        assert!(result.get("json").is_some_and(|json| json.marks().sensitive));
    }

    #[test]
    fn what_cannot_be_rendered_is_a_problem_at_its_place() {
        let twice = Value::tuple([statement(Value::tuple([]), "S"), statement(Value::tuple([]), "S")]);
        let problems = computed(Value::object([("statement", twice)])).expect_err("the same Sid");
        assert_eq!(problems[0].path.to_string(), "statement");
        let documents = Value::tuple([Value::from("{}"), Value::from("[")]);
        let problems =
            computed(Value::object([("source_policy_documents", documents)])).expect_err("no JSON");
        assert_eq!(problems[0].path.to_string(), "source_policy_documents[1]");
        assert!(problems[0].detail.contains("document 2"), "{}", problems[0].detail);
    }
}
