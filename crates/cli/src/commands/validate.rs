//! `terrane validate`: finds what is wrong in the spec. Makes no call and reads no state.

use terrane_model::{Diagnostic, Diagnostics};
use terrane_plan::lint::Report;

use crate::cli::Validate;
use crate::commands::lint;
use crate::exit::{Ended, Exit};
use crate::functions;
use crate::render::diagnostics_json;
use crate::render::lint as text;
use crate::render::paint::Tone;
use crate::session;
use crate::stack::{read, spec_files};
use crate::terminal::Terminal;
use crate::work::{current_folder, now};

/// Runs the command.
pub fn run(arguments: &Validate, terminal: &Terminal) -> Ended {
    let catalog = session::catalog();
    let functions = functions::planning(&current_folder()?, &now());
    let found = read(spec_files()?, &catalog, &functions);
    let (diagnostics, sources, exit, report): (Diagnostics, _, _, _) = match found {
        Ok(spec) => {
            let mut errors = crate::encryption::verify(&spec.root).err().unwrap_or_default();
            errors.extend(crate::backends::s3(&spec.root).err().unwrap_or_default());
            errors.extend(terrane_plan::graph::graph(&spec).err().unwrap_or_default());
            errors.extend(terrane_plan::moves::check(&spec));
            errors.extend(terrane_plan::removals::check(&spec));
            terrane_plan::access::organization(&spec.root.settings, &functions, &mut errors);
            let failed = errors.iter().any(Diagnostic::is_error);
            let exit = if failed { Exit::Failed } else { Exit::Done };
            let report = match exit {
                Exit::Done => lint::of_spec(&spec, "default"),
                _ => Report::default(),
            };
            ([spec.warnings, errors].concat(), spec.sources, exit, report)
        }
        Err(problem) => (problem.diagnostics, problem.sources, problem.exit, Report::default()),
    };
    if let Some(file) = &arguments.sarif {
        lint::write(file, &report, &diagnostics, &sources, terminal)?;
    }
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
        if let Some(line) = text::line(&report) {
            terminal.say(&line);
        }
    }
    Ok(exit)
}
