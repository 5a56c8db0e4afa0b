//! How an apply ended: the sentences that sum it up, and what is left when something failed.

use terrane_model::{Action, Address};
use terrane_plan::plan::{Mode, Totals};
use terrane_reconcile::Report;

use super::paint::{Paint, Tone};

/// The closing sentence of a run that did everything.
pub fn complete(mode: Mode, done: Totals, paint: Paint) -> String {
    paint.tone(Tone::Good, &sentence(mode, done, "complete!"))
}

fn sentence(mode: Mode, done: Totals, how: &str) -> String {
    let Totals { import, add, change, destroy, .. } = done;
    match mode {
        Mode::Destroy => format!("Destroy {how} Resources: {destroy} destroyed."),
        _ => {
            let import = if import == 0 { String::new() } else { format!("{import} imported, ") };
            format!("Apply {how} Resources: {import}{add} added, {change} changed, {destroy} destroyed.")
        }
    }
}

/// What objects that went left behind, a line each.
pub fn notes(notes: &[(Address, String)]) -> String {
    notes.iter().map(|(address, note)| format!("{address}: {note}\n")).collect()
}

/// What was done, what was not, and the command that goes on.
pub fn incomplete(mode: Mode, report: &Report, again: &str, paint: Paint) -> String {
    let mut out = format!("{}\n", paint.tone(Tone::Error, &sentence(mode, report.done, "incomplete.")));
    for (heading, actions) in [
        ("Failed:", &report.failed),
        ("Stopped while under way; the next command finds out what became of it:", &report.dropped),
        ("Not begun:", &report.skipped),
    ] {
        if !actions.is_empty() {
            out.push_str(&format!("\n{}\n", paint.strong(heading)));
            out.extend(actions.iter().map(|(address, action)| format!("  {address} ({})\n", word(*action))));
        }
    }
    out.push_str(&format!("\nTo go on, run: {again}\n"));
    out
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Delete => "destroy",
        other => super::events::verb(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_are_terraforms() {
        let done = Totals { add: 8, change: 0, destroy: 1, ..Totals::default() };
        let paint = Paint::default();
        assert_eq!(
            complete(Mode::Normal, done, paint),
            "Apply complete! Resources: 8 added, 0 changed, 1 destroyed."
        );
        let done = Totals { import: 2, ..done };
        assert_eq!(
            complete(Mode::Normal, done, paint),
            "Apply complete! Resources: 2 imported, 8 added, 0 changed, 1 destroyed."
        );
        assert_eq!(complete(Mode::Destroy, done, paint), "Destroy complete! Resources: 1 destroyed.");
    }

    #[test]
    fn what_is_left_is_named_with_the_way_on() {
        let entry = |address: &str, action| vec![(address.parse().unwrap(), action)];
        let report = Report {
            done: Totals { add: 1, ..Totals::default() },
            failed: entry("aws_a.b", Action::Create),
            skipped: entry("aws_c.d", Action::Delete),
            dropped: vec![],
            diagnostics: vec![],
            warnings: vec![],
            notes: vec![],
            interrupted: false,
        };
        let text = "Apply incomplete. Resources: 1 added, 0 changed, 0 destroyed.\n\nFailed:\n  aws_a.b (create)\n\n\
                    Not begun:\n  aws_c.d (destroy)\n\nTo go on, run: terrane apply\n";
        assert_eq!(incomplete(Mode::Normal, &report, "terrane apply", Paint::default()), text);
    }
}
