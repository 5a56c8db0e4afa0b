//! The recorded expressions mean the same when they are converted: `locals { it = EXPRESSION }` is read from the spec
//! that is made of it, and evaluated beside the expression itself.

use std::path::Path;
use std::sync::Arc;

use terrane_expr::{
    Expr, FileKind, Files, FunctionContext, Origin, Reference, Scope, evaluate, parse_expression, print_value,
};
use terrane_model::{Diagnostic, FileId, Span, Type, Value};

/// What `hcl-edit` does not read though Terraform does. Such a file is refused with a message.
const REFUSED: [&str; 2] = ["1e400", "{ a = 1, a = 2 }"];

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &Path) -> Result<Vec<u8>, String> {
        Err("no such file".to_owned())
    }

    fn kind(&self, _: &Path) -> Result<Option<FileKind>, String> {
        Ok(None)
    }

    fn list(&self, _: &Path) -> Result<Vec<(String, FileKind)>, String> {
        Ok(Vec::new())
    }
}

/// Whatever is referred to is not known.
struct Blind(FunctionContext);

impl Scope for Blind {
    fn resolve(&self, _: &Reference, _: Span) -> Result<Value, Diagnostic> {
        Ok(Value::unknown(Type::Any))
    }

    fn functions(&self) -> &FunctionContext {
        &self.0
    }
}

fn outcome(expr: &Expr, scope: &Blind) -> Result<String, ()> {
    let value = evaluate(expr, scope).map_err(|_| ())?;
    Ok(format!("{:?}: {}", value.ty(), print_value(&value)))
}

#[test]
fn every_recorded_expression_means_the_same() {
    let scope = Blind(FunctionContext {
        base: ".".into(),
        home: None,
        plan_time: None,
        files: Arc::new(NoFiles),
        impure: None,
        console: false,
    });
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../expr/tests/data/cases.json");
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = json.as_array().unwrap();
    let mut wrong = Vec::new();
    let mut compared = 0;
    let texts = cases.iter().filter(|case| case.get("result").is_some()).flat_map(|case| {
        let text = case.get("expr").unwrap().as_str().unwrap();
        // A heredoc by itself becomes a text, and within a call stays one.
        let heredoc = text.strip_prefix("jsonencode(<<").and_then(|rest| rest.strip_suffix("\n)"));
        let heredoc = heredoc.map(|heredoc| format!("<<{heredoc}"));
        [text.to_owned()].into_iter().chain(heredoc)
    });
    for text in texts {
        let text = text.as_str();
        let Ok(expected) = parse_expression(text, &Origin::linear(FileId(0), 0)) else { continue };
        let file = format!("locals {{\n  it = {text}\n}}\n");
        let converted = match terrane_convert::hcl(FileId(0), &file) {
            Ok(converted) => converted.text,
            Err(_) if REFUSED.contains(&text) => continue,
            Err(errors) => {
                wrong.push(format!("{text}\n  not converted: {errors:?}"));
                continue;
            }
        };
        let parsed = terrane_spec::parse(vec![("terrane.toml".to_owned(), converted.clone().into_bytes())]);
        let Some(local) = parsed.module().locals.get("it").filter(|_| parsed.diagnostics().is_empty()) else {
            wrong.push(format!(
                "{text}\n  became\n{converted}\n  which is refused: {:?}",
                parsed.diagnostics()
            ));
            continue;
        };
        let got = &local.expr;
        let (expected, got) = (outcome(&expected, &scope), outcome(got, &scope));
        compared += 1;
        if expected != got {
            wrong.push(format!("{text}\n  became\n{converted}  expected {expected:?}\n  got      {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {compared} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 500, "only {compared} were compared");
}
