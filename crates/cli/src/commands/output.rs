//! `terrane output`: shows what a stack gives out.

use terrane_model::nearest::nearest;
use terrane_model::{Diagnostic, Kind};
use terrane_state::{Output, Store};

use crate::exit::{Ended, Exit};
use crate::render::outputs;
use crate::stack::state_backend;
use crate::terminal::Terminal;

/// Runs the command.
pub fn run(name: Option<&str>, raw: bool, terminal: &Terminal) -> Ended {
    let mut backend = state_backend()?;
    let all = Store::peek(backend.as_mut())?.map(|snapshot| snapshot.outputs).unwrap_or_default();
    let Some(name) = name else {
        match (terminal.json, all.is_empty()) {
            (true, _) => terminal.say(&format!("{:#}\n", outputs::all_json(&all))),
            (false, false) => terminal.say(&outputs::list(&all)),
            (false, true) => {
                let detail = "The state has no outputs. Declare them as `[output.NAME]`; `terrane apply` writes them into the state.";
                let warning = Diagnostic::warning("no-outputs", "No outputs", detail);
                terminal.report(&[warning], &terrane_model::Sources::default());
            }
        }
        return Ok(Exit::Done);
    };
    let Some(output) = all.get(name) else {
        let near = nearest(name, all.keys().map(AsRef::as_ref));
        let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
        let detail = format!("The state has no output `{name}`.{near}");
        let error = Diagnostic::error("unknown-output", "Unknown output", detail);
        return Err(error
            .hint("An output that was declared just now is in the state after the next apply.")
            .into());
    };
    let text = match (raw, terminal.json) {
        (true, _) => bare(name, output)?,
        (false, true) => format!("{:#}\n", outputs::value_json(output)),
        (false, false) => format!("{}\n", outputs::shown(output)),
    };
    terminal.say(&text);
    if output.sensitive && !raw {
        terminal.tell(&format!("The output is sensitive; `terrane output --raw {name}` shows it.\n"));
    }
    Ok(Exit::Done)
}

/// The text of a scalar, as it is.
fn bare(name: &str, output: &Output) -> Result<String, Diagnostic> {
    match output.value.kind() {
        Kind::String(text) => Ok(text.to_string()),
        Kind::Number(number) => Ok(number.to_string()),
        Kind::Bool(truth) => Ok(truth.to_string()),
        _ => {
            let detail = format!(
                "`{name}` is {}, and only a string, number or bool can be written raw.",
                output.value.ty()
            );
            Err(Diagnostic::error("not-raw", "Output not fit for --raw", detail).hint("Use `--json`."))
        }
    }
}
