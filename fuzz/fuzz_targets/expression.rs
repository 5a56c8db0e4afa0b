//! Any text as a template: parsed, and evaluated where nothing is known. Nothing may panic or hang.

#![no_main]

use libfuzzer_sys::fuzz_target;
use terrane_expr::{FunctionContext, Origin, Reference, Scope, evaluate, parse_template, print_value};
use terrane_model::{Diagnostic, FileId, Span, Type, Value};

struct Unknowns(FunctionContext);

impl Scope for Unknowns {
    fn resolve(&self, _: &Reference, _: Span) -> Result<Value, Diagnostic> {
        Ok(Value::unknown(Type::Any))
    }

    fn functions(&self) -> &FunctionContext {
        &self.0
    }
}

fuzz_target!(|text: &str| {
    let scope = Unknowns(FunctionContext::closed());
    if let Ok(expression) = parse_template(text, &Origin::linear(FileId(0), 0)) {
        if let Ok(value) = evaluate(&expression, &scope) {
            let _ = print_value(&value);
        }
    }
});
