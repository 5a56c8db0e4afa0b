//! What a spec may say and this version does not carry out yet. It is refused: passing over it would do something else than
//! what is written, and for some of it something irrevocable.

use terrane_model::{Diagnostic, Diagnostics, Span};
use terrane_spec::Spec;

/// Everything in a spec that is not carried out yet, each as an error at its place.
pub fn refused(spec: &Spec) -> Diagnostics {
    let mut found = Diagnostics::new();
    let mut refuse = |what: &str, instead: &str, span: Span| {
        let detail = format!("{what} is understood, and this version of Terrane does not carry it out yet.");
        found.push(Diagnostic::error("not-supported", "Not supported yet", detail).at(span).hint(instead));
    };
    for (_, module) in spec.all_modules() {
        for import in &module.imports {
            let instead = "Terraform can import the object into this state; Terrane takes it over as it is.";
            refuse("`[[import]]`", instead, import.span);
        }
    }
    found
}
