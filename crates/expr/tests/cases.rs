//! The recorded cases: expressions and what Terraform 1.11.4 printed for them. `tests/data/cases.json` holds them; the
//! scope here is the module in which they were printed, with nothing applied.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use terrane_expr::{
    Expr, FileKind, Files, FunctionContext, Impure, Origin, Reference, Scope, evaluate, parse_expression,
    parse_type, print_value,
};
use terrane_model::convert::convert;
use terrane_model::{Diagnostic, Diagnostics, FileId, Mode, Span, Type, Value};

/// Cases that Terraform 1.12 and later answer otherwise than the recorded 1.11.4, since `&&` and `||` no longer evaluate
/// the side that does not matter: the expression and what is printed now.
const SHORT_CIRCUIT: [(&str, &str); 5] = [
    ("true || null", "true"),
    ("false && null", "false"),
    ("true || terraform_data.u.id == \"x\"", "true"),
    ("terraform_data.u.id == \"x\" || true", "true"),
    ("terraform_data.u.id == \"x\" && false", "false"),
];

struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        std::fs::read(path).map_err(|e| e.to_string())
    }

    fn kind(&self, path: &Path) -> Result<Option<FileKind>, String> {
        match std::fs::metadata(path) {
            Ok(m) if m.is_file() => Ok(Some(FileKind::File)),
            Ok(m) if m.is_dir() => Ok(Some(FileKind::Folder)),
            Ok(_) => Ok(Some(FileKind::Other)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e.to_string()),
        }
    }

    fn list(&self, folder: &Path) -> Result<Vec<(String, FileKind)>, String> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| e.to_string())?;
            if let (Ok(name), Some(kind)) = (entry.file_name().into_string(), self.kind(&entry.path())?) {
                names.push((name, kind));
            }
        }
        Ok(names)
    }
}

struct Fixed;

impl Impure for Fixed {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), String> {
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::try_from(i * 37 % 251).unwrap();
        }
        Ok(())
    }
}

struct Module {
    variables: BTreeMap<&'static str, Value>,
    locals: BTreeMap<&'static str, Expr>,
    functions: FunctionContext,
}

fn origin() -> Origin {
    Origin::linear(FileId(0), 0)
}

impl Module {
    fn new() -> Module {
        let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        let functions = FunctionContext {
            base,
            home: Some("/home/someone".into()),
            plan_time: None,
            files: Arc::new(Disk),
            impure: Some(Arc::new(Fixed)),
            console: true,
        };
        let mut module = Module { variables: BTreeMap::new(), locals: BTreeMap::new(), functions };
        for (name, ty, default, sensitive) in [
            ("sec", "string", r#""s3cr3t""#, true),
            ("secmap", "map(string)", r#"{ a = "x", b = "y" }"#, true),
            ("str", "string", r#""hello""#, false),
            ("num", "number", "7", false),
            ("flag", "bool", "true", false),
            ("list", "list(string)", r#"["a", "b", "c"]"#, false),
            ("set", "set(string)", r#"["z", "y", "x"]"#, false),
            ("map", "map(number)", "{ one = 1, two = 2 }", false),
            (
                "obj",
                "object({ name = string, port = optional(number, 80), tags = optional(map(string)) })",
                r#"{ name = "n" }"#,
                false,
            ),
            (
                "objs",
                "list(object({ id = number, name = string }))",
                r#"[{ id = 1, name = "a" }, { id = 2, name = "b" }]"#,
                false,
            ),
            ("nothing", "string", "null", false),
            ("tup", "tuple([string, number, bool])", r#"["t", 1, false]"#, false),
            ("any", "any", r#"{ k = [1, "2", true, null] }"#, false),
        ] {
            let (ty, defaults) = parse_type(ty, &origin()).unwrap();
            let value = evaluate(&parse_expression(default, &origin()).unwrap(), &module).unwrap();
            let value = convert(&defaults.apply(&value), &ty).unwrap();
            module.variables.insert(name, if sensitive { value.sensitive() } else { value });
        }
        for (name, text) in [
            ("a", "1"),
            ("b", "local.a + 1"),
            ("nested", "{ x = { y = [10, 20, 30] } }"),
            ("empty", "[]"),
            ("null_l", "null"),
            ("mixed", r#"[1, "two", true]"#),
            ("sec2", r#""${var.sec}-x""#),
        ] {
            module.locals.insert(name, parse_expression(text, &origin()).unwrap());
        }
        module
    }
}

fn undeclared(what: &Reference) -> Diagnostic {
    Diagnostic::error("undeclared", "Undeclared", format!("There is no `{what}`."))
}

impl Scope for Module {
    fn resolve(&self, reference: &Reference, _: Span) -> Result<Value, Diagnostic> {
        match reference {
            Reference::Variable(name) => self.variables.get(&**name).cloned(),
            Reference::Local(name) => self.locals.get(&**name).map(|expr| evaluate(expr, self).unwrap()),
            Reference::Resource { mode: Mode::Managed, type_name, name } => {
                (&**type_name == "terraform_data" && matches!(&**name, "u" | "c" | "f"))
                    .then(|| Value::unknown(Type::Any))
            }
            Reference::Module { name, output } if &**name == "m" => {
                let module =
                    Value::object([("out", Value::from("out-v")), ("secret", Value::from("hidden"))]);
                match output {
                    None => Some(module),
                    Some(output) => module.get(output).cloned(),
                }
            }
            Reference::PathModule | Reference::PathRoot => Some(Value::from(".")),
            Reference::PathCwd => Some(Value::from("/cwd")),
            Reference::Workspace => Some(Value::from("default")),
            _ => None,
        }
        .ok_or_else(|| undeclared(reference))
    }

    fn functions(&self) -> &FunctionContext {
        &self.functions
    }
}

/// What checks of a whole spec find before anything is evaluated.
fn check(expr: &Expr, module: &Module) -> Result<(), Diagnostics> {
    for (reference, span, steps) in expr.references() {
        module.resolve(reference, span).map_err(|d| vec![d])?;
        let known = ["id", "input", "output", "triggers_replace"];
        if let (Reference::Resource { .. }, Some(terrane_model::Step::Attribute(name))) =
            (reference, steps.first())
            && !known.contains(&&**name)
        {
            return Err(vec![Diagnostic::error("unknown-attribute", "Unknown attribute", "")]);
        }
    }
    Ok(())
}

fn run(text: &str, module: &Module) -> Result<String, String> {
    let evaluated = parse_expression(text, &origin()).and_then(|expr| {
        check(&expr, module)?;
        Ok((evaluate(&expr, module)?, expr.calls("type")))
    });
    match evaluated {
        Ok((value, true)) if value.as_str().is_some() => Ok(value.as_str().unwrap_or_default().to_owned()),
        Ok((value, _)) => Ok(print_value(&value)),
        Err(problems) => Err(problems.into_iter().map(|p| p.detail).collect::<Vec<_>>().join(" / ")),
    }
}

#[derive(Debug)]
struct Case {
    expr: String,
    expected: Option<String>,
}

fn cases() -> Vec<Case> {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cases.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    json.as_array()
        .unwrap()
        .iter()
        .map(|case| {
            let text = |key: &str| case.get(key).and_then(|v| v.as_str()).map(str::to_owned);
            let expr = text("expr").unwrap();
            let changed = SHORT_CIRCUIT.iter().find(|(e, _)| *e == expr).map(|(_, now)| (*now).to_owned());
            Case { expected: changed.or(text("result")), expr }
        })
        .collect()
}

#[test]
fn every_recorded_case_prints_as_terraform_does() {
    let module = Module::new();
    let cases = cases();
    let mut wrong = Vec::new();
    for case in &cases {
        let got = run(&case.expr, &module);
        // What was recorded has lost its carriage returns.
        let matches = match (&got, &case.expected) {
            (Ok(got), Some(expected)) => got.replace("\r\n", "\n") == *expected,
            (Err(_), None) => true,
            _ => false,
        };
        if !matches {
            wrong.push(format!("{}\n  expected {:?}\n  got      {got:?}", case.expr, case.expected));
        }
    }
    println!("{} of {} cases print as Terraform prints them", cases.len() - wrong.len(), cases.len());
    assert!(wrong.is_empty(), "{} of {} cases are wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
