//! `terrane validate`: finds what is wrong in the spec. Makes no call and reads no state.

use terrane_model::{Diagnostic, Diagnostics};

use crate::exit::{Ended, Exit};
use crate::functions;
use crate::render::diagnostics_json;
use crate::render::paint::Tone;
use crate::session;
use crate::stack::{read, spec_files};
use crate::terminal::Terminal;
use crate::work::{current_folder, now};

/// Runs the command.
pub fn run(terminal: &Terminal) -> Ended {
    let catalog = session::catalog();
    let functions = functions::planning(&current_folder()?, &now());
    let found = read(spec_files()?, &catalog, &functions);
    let (diagnostics, sources, exit): (Diagnostics, _, _) = match found {
        Ok(spec) => {
            let mut errors = crate::encryption::verify(&spec.root).err().unwrap_or_default();
            errors.extend(crate::backends::s3(&spec.root).err().unwrap_or_default());
            errors.extend(terrane_plan::graph::graph(&spec).err().unwrap_or_default());
            errors.extend(terrane_plan::moves::check(&spec));
            errors.extend(terrane_plan::removals::check(&spec));
            terrane_plan::access::organization(&spec.root.settings, &functions, &mut errors);
            let failed = errors.iter().any(Diagnostic::is_error);
            let exit = if failed { Exit::Failed } else { Exit::Done };
            ([spec.warnings, errors].concat(), spec.sources, exit)
        }
        Err(problem) => (problem.diagnostics, problem.sources, problem.exit),
    };
    if terminal.json {
        let json = diagnostics_json::validation(&diagnostics, &sources);
        terminal.say(&format!("{json:#}\n"));
        return Ok(exit);
    }
    terminal.report(&diagnostics, &sources);
    if exit == Exit::Done {
        let more = if diagnostics.is_empty() {
            "."
        } else {
            ", but there were some validation warnings as shown above."
        };
        let good = terminal.paint.tone(Tone::Good, "Success!");
        terminal.say(&format!("{good} The configuration is valid{more}\n"));
    }
    Ok(exit)
}
