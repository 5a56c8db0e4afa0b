//! The values of a spec's variables: from the environment, from files and from arguments.
//!
//! Later sources win, as in Terraform: environment, `terrane.vars.toml`, `*.auto.vars.toml` by name, then `--var` and
//! `--var-file` in the order in which they are given.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::sync::Arc;

use terrane_expr::{Expr, Origin, parse_expression};
use terrane_model::convert::{self, ConvertError};
use terrane_model::nearest::nearest;
use terrane_model::value::Marks;
use terrane_model::{Diagnostic, Diagnostics, Path, Sources, Span, Value, diagnostic};

use crate::constant::constant;
use crate::module::Module;
use crate::parse;
use crate::toml;
use crate::variable::Variable;

/// Prefixes of environment variables that set variables. The later one wins.
pub const ENVIRONMENT: [&str; 2] = ["TF_VAR_", "TERRANE_VAR_"];

/// Where values come from.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// Environment variables; those without one of the prefixes are passed over.
    pub environment: Vec<(String, String)>,
    /// The variable files that are found beside the spec, in any order.
    pub files: Vec<(String, Vec<u8>)>,
    /// `--var` and `--var-file`, in the order of the command line.
    pub arguments: Vec<Argument>,
}

/// One argument of the command line.
#[derive(Clone, Debug)]
pub enum Argument {
    /// `--var NAME=VALUE`: the text behind the flag.
    Value(String),
    /// `--var-file NAME`: the name and the bytes of the file.
    File(String, Vec<u8>),
}

/// The values of all variables.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// By name: of the declared type, with the declared marks. Variables that are missing are not in it.
    pub values: BTreeMap<Arc<str>, Value>,
    /// Variables without a default for which nothing was given, sorted.
    pub missing: Vec<Arc<str>>,
    /// What is allowed and yet worth saying.
    pub warnings: Diagnostics,
}

/// Whether a file of this name holds variables: `terrane.vars.toml` or `*.auto.vars.toml`.
pub fn is_variable_file(name: &str) -> bool {
    !parse::is_hidden(name) && (name == "terrane.vars.toml" || name.ends_with(".auto.vars.toml"))
}

/// Gives every variable of the module its value. The texts of the sources are added to `sources`, so that messages can
/// point into them.
///
/// Conditions of variables are not looked at here: they may refer to other objects.
///
/// # Errors
/// All values that do not fit, and all names of arguments that are not declared.
pub fn variables(module: &Module, inputs: &Inputs, sources: &mut Sources) -> Result<Values, Diagnostics> {
    let mut given = Given { module, sources, values: BTreeMap::new(), found: Vec::new() };
    for prefix in ENVIRONMENT {
        for (name, text) in &inputs.environment {
            if let Some(variable) = name.strip_prefix(prefix)
                && module.variables.contains_key(variable)
            {
                given.text(variable, text, name);
            }
        }
    }
    let mut files: Vec<&(String, Vec<u8>)> = inputs.files.iter().collect();
    files.sort_by_key(|(name, _)| (file_name(name) != "terrane.vars.toml", name));
    for (name, bytes) in files {
        given.file(name, bytes);
    }
    for argument in &inputs.arguments {
        match argument {
            Argument::File(name, bytes) => given.file(name, bytes),
            Argument::Value(text) => given.argument(text),
        }
    }
    given.finish()
}

/// The value that somebody typed when they were asked for a variable.
///
/// # Errors
/// When the value does not fit the variable.
pub fn answer(module: &Module, name: &str, text: &str, sources: &mut Sources) -> Result<Value, Diagnostics> {
    let mut given = Given { module, sources, values: BTreeMap::new(), found: Vec::new() };
    given.text(name, text, &format!("the answer for var.{name}"));
    let mut values = given.finish()?;
    values.values.remove(name).ok_or_else(Vec::new)
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

struct Given<'m> {
    module: &'m Module,
    sources: &'m mut Sources,
    /// The winning value of each variable so far, not converted yet.
    values: BTreeMap<Arc<str>, (Value, Span)>,
    found: Diagnostics,
}

impl Given<'_> {
    /// A value as text: it stands for itself, or is an expression where the type is not primitive.
    fn text(&mut self, name: &str, text: &str, source: &str) {
        let Some((name, variable)) = self.module.variables.get_key_value(name) else { return };
        let file = self.sources.add(source, text);
        let span = Span::new(file, 0, text.len());
        let value = match variable.takes_text {
            true => Some(Value::string(text)),
            false => match parse_expression(text, &Origin::linear(file, 0)) {
                Ok(expr) => self.constant(name, variable, &expr, span),
                Err(found) => {
                    self.problems(name, variable, found);
                    None
                }
            },
        };
        let value = value.unwrap_or_else(|| Value::unknown(variable.ty.clone()));
        self.values.insert(name.clone(), (value, span));
    }

    fn constant(&mut self, name: &str, variable: &Variable, expr: &Expr, span: Span) -> Option<Value> {
        let mut found = Vec::new();
        let value = constant(expr, &mut found);
        self.problems(name, variable, found);
        if value.is_none() {
            let detail =
                format!("The value of `var.{name}` must be a fixed value: it can't refer to anything.");
            self.found.push(
                Diagnostic::error("not-fixed", "Expression where a fixed value is needed", detail)
                    .at(shown(variable, span)),
            );
        }
        value
    }

    /// Takes over messages about a value. Those about a secret would show it, so one without a place stands for them.
    fn problems(&mut self, name: &str, variable: &Variable, found: Diagnostics) {
        if !variable.sensitive || found.is_empty() {
            return self.found.extend(found);
        }
        let detail =
            format!("The value of `var.{name}` is no valid expression. It is sensitive, so it is not shown.");
        self.found.push(Diagnostic::error("invalid-expression", "Invalid expression", detail));
    }

    fn argument(&mut self, text: &str) {
        let Some((name, value)) = text.split_once('=') else {
            let detail = format!("`--var {text}` has no `=`. Write `--var NAME=VALUE`.");
            self.found.push(Diagnostic::error("invalid-variable-argument", "Invalid --var", detail));
            return;
        };
        let name = name.trim();
        if !self.module.variables.contains_key(name) {
            let detail = format!(
                "`--var {name}=…` sets a variable that the spec does not declare.{}",
                self.hint(name)
            );
            self.found.push(Diagnostic::error("undeclared-variable", "Undeclared variable", detail));
            return;
        }
        self.text(name, value, &format!("--var {name}"));
    }

    fn file(&mut self, name: &str, bytes: &[u8]) {
        if bytes.len() > parse::MOST_BYTES {
            let detail = format!(
                "`{name}` has {} MiB, and {} MiB are allowed.",
                bytes.len() >> 20,
                parse::MOST_BYTES >> 20
            );
            self.found.push(Diagnostic::error("file-too-large", "Variable file too large", detail));
            return;
        }
        let (text, broken) = parse::text(bytes.to_vec());
        let file = self.sources.add(name, Arc::clone(&text));
        if let Some(offset) = broken {
            self.found.push(parse::not_utf8(offset).at(Span::new(file, offset, offset + 1)));
            return;
        }
        let (tree, errors) = toml::read(file, &text);
        let secret = self.module.variables.values().any(|variable| variable.sensitive);
        for error in errors {
            let error = if secret { self.without_line(name, error) } else { error };
            self.found.push(error);
        }
        let mut decoder = crate::decode::Decoder::default();
        for (variable, entry) in &tree.entries {
            let Some((name, declared)) = self.module.variables.get_key_value(variable) else {
                let detail = format!(
                    "`{variable}` sets a variable that the spec does not declare.{}",
                    self.hint(variable)
                );
                self.found.push(
                    Diagnostic::warning("undeclared-variable", "Undeclared variable", detail).at(entry.key),
                );
                continue;
            };
            let expr = decoder.expr(&entry.node);
            self.problems(name, declared, std::mem::take(&mut decoder.found));
            let value = self.constant(name, declared, &expr, entry.node.span);
            let value = value.unwrap_or_else(|| Value::unknown(declared.ty.clone()));
            self.values.insert(name.clone(), (value, entry.node.span));
        }
    }

    /// The line that is wrong may be the one with the secret: it is named and not shown.
    fn without_line(&self, name: &str, mut error: Diagnostic) -> Diagnostic {
        let position = error.span.take().and_then(|span| self.sources.position(span.file, span.start));
        error.related.clear();
        let line = position.map(|position| format!(", line {}", position.line)).unwrap_or_default();
        error.detail.push_str(&format!(
            "\nIt is in `{name}`{line}, which is not shown, since there are sensitive variables."
        ));
        error
    }

    fn hint(&self, name: &str) -> String {
        let near = nearest(name, self.module.variables.keys().map(|n| &**n));
        near.map_or_else(String::new, |near| format!(" Did you mean `{near}`?"))
    }

    fn finish(mut self) -> Result<Values, Diagnostics> {
        let mut result = Values::default();
        for (name, variable) in &self.module.variables {
            let given = match self.values.entry(name.clone()) {
                // Null is no value for a variable that can't be null.
                Slot::Occupied(slot) if slot.get().0.is_null() && !variable.nullable => {
                    let (_, span) = slot.remove();
                    if variable.default.is_none() {
                        let detail = format!("`var.{name}` can't be null, and it has no default.");
                        self.found.push(
                            Diagnostic::error("null-variable", "Null for a variable", detail)
                                .at(shown(variable, span)),
                        );
                        continue;
                    }
                    None
                }
                Slot::Occupied(slot) => Some(slot.remove()),
                Slot::Vacant(_) => None,
            };
            let value = match given {
                Some((value, span)) => match variable.convert(&value) {
                    Ok(value) => value,
                    Err(error) => {
                        self.found.push(misfit(name, variable, &error).at(shown(variable, span)));
                        continue;
                    }
                },
                None => match &variable.default {
                    Some(default) => default.clone(),
                    None => {
                        result.missing.push(name.clone());
                        continue;
                    }
                },
            };
            let marks = Marks { sensitive: variable.sensitive, ephemeral: variable.ephemeral };
            result.values.insert(name.clone(), value.with_marks(marks));
        }
        if diagnostic::has_errors(&self.found) {
            return Err(self.found);
        }
        result.warnings = self.found;
        Ok(result)
    }
}

impl Variable {
    /// The variable's value from what a module call gives for it. `call` is where the call stands.
    ///
    /// # Errors
    /// A value of the wrong type, null where that is none, and no value where one must be given.
    pub fn accept(&self, name: &str, given: Option<(Value, Span)>, call: Span) -> Result<Value, Diagnostic> {
        let marks = Marks { sensitive: self.sensitive, ephemeral: self.ephemeral };
        let given = given.filter(|(value, _)| self.nullable || !value.is_null());
        let value = match (given, &self.default) {
            (Some((value, span)), _) => {
                self.convert(&value).map_err(|error| misfit(name, self, &error).at(shown(self, span)))?
            }
            (None, Some(default)) => default.clone(),
            (None, None) => {
                let detail = format!(
                    "The module has a variable `{name}` without a default, and the call gives no value."
                );
                return Err(Diagnostic::error("missing-input", "Missing module input", detail)
                    .at(call)
                    .with_related(self.span, "declared here"));
            }
        };
        Ok(value.with_marks(marks))
    }
}

/// The place of a value, unless the line there would show a secret.
fn shown(variable: &Variable, span: Span) -> Option<Span> {
    (!variable.sensitive).then_some(span)
}

fn misfit(name: &str, variable: &Variable, error: &ConvertError) -> Diagnostic {
    let inside = at_path(&error.path);
    let detail = format!(
        "The value of `var.{name}` must be {}: {inside}{}.",
        convert::article(&variable.ty),
        error.detail
    );
    Diagnostic::error("wrong-type", "Wrong type of a variable", detail)
        .with_related(variable.span, "declared here")
}

/// The beginning of a clause about a part of a value; empty for the whole.
pub(crate) fn at_path(path: &Path) -> String {
    if path.0.is_empty() { String::new() } else { format!("at `{path}`, ") }
}
