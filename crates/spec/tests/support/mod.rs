//! A small catalogue of types, and a plain rendering of messages.

use std::fmt::Write;

use terrane_model::schema::{
    Block, Check, Nesting, Schemas, block, computed, nested, optional, optional_computed, required,
};
use terrane_model::{Diagnostic, Mode, Schema, Severity, Sources, Span, Type};
use terrane_spec::modules::local_folder;
use terrane_spec::{Loaded, Modules};

/// Types like those of AWS, as far as the tests use them.
pub struct Catalogue {
    schemas: Vec<Schema>,
    aws: Block,
}

impl Catalogue {
    pub fn new() -> Catalogue {
        let text = || Type::String;
        let tags = || optional("tags", Type::map(Type::String));
        let managed = |name, block| Schema::new(name, Mode::Managed, "", block);
        let data = |name, block| Schema::new(name, Mode::Data, "", block);
        let principals = block([required("type", text()), required("identifiers", Type::set(text()))], []);
        let statement = block(
            [
                optional("sid", text()),
                optional("effect", text()).check(Check::OneOf(&["Allow", "Deny"])),
                optional("actions", Type::set(text())),
                optional("resources", Type::set(text())),
            ],
            [nested("principals", Nesting::Set, principals)],
        );
        let attribute = block(
            [required("name", text()), required("type", text()).check(Check::OneOf(&["S", "N", "B"]))],
            [],
        );
        let encryption =
            block([required("enabled", Type::Bool), optional("kms_key_arn", text()).check(Check::Arn)], []);
        let recovery = block([required("enabled", Type::Bool)], []);
        let table = block(
            [
                computed("arn", text()),
                optional("billing_mode", text()).check(Check::OneOf(&["PROVISIONED", "PAY_PER_REQUEST"])),
                optional("hash_key", text()),
                computed("id", text()),
                required("name", text()).check(Check::Length(3, 255)),
                optional("range_key", text()),
                optional("read_capacity", Type::Number),
                tags(),
                optional("write_capacity", Type::Number),
            ],
            [
                nested("attribute", Nesting::Set, attribute),
                nested("point_in_time_recovery", Nesting::List, recovery).max(1),
                nested("server_side_encryption", Nesting::List, encryption).max(1),
            ],
        );
        let schemas = vec![
            managed(
                "aws_kms_key",
                block(
                    [
                        computed("arn", text()),
                        optional("deletion_window_in_days", Type::Number).check(Check::Range(7, 30)),
                        optional("description", text()),
                        optional("enable_key_rotation", Type::Bool),
                        computed("key_id", text()),
                        optional_computed("policy", text()).check(Check::PolicyJson),
                        tags(),
                    ],
                    [],
                ),
            ),
            managed("aws_dynamodb_table", table),
            managed(
                "aws_iam_policy",
                block(
                    [
                        computed("arn", text()),
                        optional("description", text()),
                        optional("name", text()).conflicts_with(&["name_prefix"]),
                        optional("name_prefix", text()).conflicts_with(&["name"]),
                        required("policy", text()).check(Check::PolicyJson),
                    ],
                    [],
                ),
            ),
            managed(
                "aws_iam_user",
                block(
                    [
                        computed("arn", text()),
                        required("name", text()),
                        optional("path", text()).deprecated("say where."),
                        tags(),
                    ],
                    [],
                ),
            ),
            managed(
                "aws_iam_user_policy_attachment",
                block([required("policy_arn", text()), required("user", text())], []),
            ),
            managed(
                "terraform_data",
                block(
                    [
                        computed("id", text()),
                        optional("input", Type::Any),
                        computed("output", Type::Any),
                        optional("triggers_replace", Type::Any),
                    ],
                    [],
                ),
            ),
            data("aws_caller_identity", block([computed("account_id", text()), computed("arn", text())], [])),
            data("aws_region", block([optional("name", text())], [])),
            data(
                "aws_iam_policy_document",
                block([computed("json", text())], [nested("statement", Nesting::List, statement)]),
            ),
        ];
        let aws = block(
            [optional("profile", text()), optional("region", text()), optional("sandbox", Type::Bool)],
            [nested("default_tags", Nesting::List, block([optional("tags", Type::map(text()))], [])).max(1)],
        );
        Catalogue { schemas, aws }
    }
}

impl Schemas for Catalogue {
    fn schema(&self, mode: Mode, type_name: &str) -> Option<&Schema> {
        self.schemas.iter().find(|s| s.mode == mode && s.type_name == type_name)
    }

    fn provider(&self, name: &str) -> Option<&Block> {
        (name == "aws").then_some(&self.aws)
    }

    fn names(&self, mode: Mode) -> Vec<&'static str> {
        self.schemas.iter().filter(|s| s.mode == mode).map(|s| s.type_name).collect()
    }

    fn provider_names(&self) -> Vec<&'static str> {
        vec!["aws"]
    }
}

#[allow(dead_code)]
/// Modules whose files are given: those whose names begin with the folder.
pub struct Given(pub Vec<(String, Vec<u8>)>);

impl Modules for Given {
    fn load(&mut self, source: &str, from: &str) -> Result<Loaded, String> {
        let folder = local_folder(source, from).ok_or_else(|| format!("`{source}` is no local source."))?;
        let inside = |(name, text): &(String, Vec<u8>)| {
            let name = name.strip_prefix(&*folder)?.strip_prefix('/').filter(|name| !name.contains('/'))?;
            Some((name.to_owned(), text.clone()))
        };
        let files = self.0.iter().filter_map(inside).collect();
        Ok(Loaded { folder, files })
    }
}

/// One message per paragraph: place, underlined line, detail, further places, hints.
#[allow(dead_code)]
pub fn render(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let mut out = String::new();
    for d in diagnostics {
        let severity = if d.severity == Severity::Error { "error" } else { "warning" };
        writeln!(out, "{severity}[{}]: {}", d.code, d.summary).unwrap();
        if let Some(span) = d.span {
            place(&mut out, sources, span, "");
        }
        writeln!(out, "  {}", d.detail).unwrap();
        for (span, label) in &d.related {
            place(&mut out, sources, *span, label);
        }
        for hint in &d.hints {
            writeln!(out, "  hint: {hint}").unwrap();
        }
        out.push('\n');
    }
    out
}

fn place(out: &mut String, sources: &Sources, span: Span, label: &str) {
    let file = sources.get(span.file).unwrap();
    let at = sources.position(span.file, span.start).unwrap();
    let start = file.text[..at.byte].rfind('\n').map_or(0, |i| i + 1);
    let line = file.text[start..].lines().next().unwrap_or("");
    let end = (span.end as usize).min(start + line.len()).max(at.byte);
    let width = file.text[at.byte..end].chars().count().max(1);
    let label = if label.is_empty() { String::new() } else { format!(" {label}") };
    writeln!(out, "  {}:{}:{}", file.name, at.line, at.column).unwrap();
    writeln!(out, "    {line}").unwrap();
    writeln!(out, "    {}{}{label}", " ".repeat(at.column - 1), "^".repeat(width)).unwrap();
}
