//! A plan as people read it. The sentences that sum it up are Terraform's, since other tools read them.

use std::collections::BTreeSet;

use terrane_model::schema::Schemas;
use terrane_model::{Action, Address};
use terrane_plan::plan::{Mode, Totals};
use terrane_plan::{Change, Drift, Plan};

use super::change_text::header;
use super::paint::{Paint, Tone};
use super::tree_text::Style;
use super::{access_text, losses, object, outputs};

/// The whole plan: what had changed outside, what will be done, and the sum. Begins with an empty line.
pub fn plan(plan: &Plan, schemas: &dyn Schemas, paint: Paint) -> String {
    let shown: Vec<&Change> = plan.changes.iter().filter(|change| is_shown(plan, change)).collect();
    let output_lines = outputs::changes(&plan.outputs, paint);
    let drift = drift(plan, schemas, paint);
    let totals = plan.totals();
    let mut out = drift.clone();
    if shown.is_empty() && output_lines.is_empty() {
        out.push_str(&nothing(plan, !drift.is_empty(), paint));
        out.push_str(&access_text::report(&plan.access, paint));
        return out;
    }
    if !drift.is_empty() {
        out.push_str(&rule());
    }
    if !shown.is_empty() {
        out.push_str(&legend(&shown, paint));
        for change in &shown {
            out.push('\n');
            out.push_str(&one(change, schemas, paint));
        }
        out.push('\n');
        out.push_str(&format!("{} {}\n", paint.strong("Plan:"), sum(totals)));
    }
    if !output_lines.is_empty() {
        out.push_str(&format!("\n{}\n{output_lines}", paint.strong("Changes to Outputs:")));
        if shown.is_empty() {
            out.push_str(
                "\nYou can apply this plan to save these new output values to the Terrane state, without changing\n\
                 any real infrastructure.\n",
            );
        }
    }
    out.push_str(&losses::report(&plan.losses, paint));
    out.push_str(&access_text::report(&plan.access, paint));
    out
}

/// Whether a plan has something to say about a change; a review says it, too. Moves are part of what is found when only
/// the state is refreshed.
pub fn is_shown(plan: &Plan, change: &Change) -> bool {
    match change.action {
        Action::Read => true,
        Action::NoOp => change.has_effect() && plan.mode != Mode::RefreshOnly,
        _ => true,
    }
}

/// `1 to add, 2 to change, 0 to destroy.` What is only let go of is not counted.
pub fn sum(totals: Totals) -> String {
    let Totals { import, add, change, destroy, .. } = totals;
    let import = if import == 0 { String::new() } else { format!("{import} to import, ") };
    format!("{import}{add} to add, {change} to change, {destroy} to destroy.")
}

/// A line across, with an empty line before and behind.
pub fn rule() -> String {
    format!("\n{}\n", "─".repeat(77))
}

fn nothing(plan: &Plan, drifted: bool, paint: Paint) -> String {
    let (sentence, more) = match (plan.mode, drifted) {
        (Mode::RefreshOnly, true) => {
            return "\nThis is a refresh-only plan, so Terrane will not take any actions to undo these. If you were\n\
                    expecting these changes then you can apply this plan to record the updated values in the\n\
                    Terrane state without changing any remote objects.\n"
                .to_owned();
        }
        (Mode::Normal, false) => (
            "No changes. Your infrastructure matches the configuration.",
            "Terrane has compared your real infrastructure against your configuration\n\
             and found no differences, so no changes are needed.",
        ),
        (Mode::Normal, true) => (
            "No changes. Your infrastructure matches the configuration.",
            "Your configuration already fits what was changed outside of Terrane.",
        ),
        (Mode::RefreshOnly, false) => (
            "No changes. Your infrastructure still matches the configuration.",
            "Terrane has checked that the real remote objects still match the result of\n\
             your most recent changes, and found no differences.",
        ),
        (Mode::Destroy, _) => (
            "No changes. No objects need to be destroyed.",
            "Either you have not created any objects yet or the existing objects were\n\
             already deleted outside of Terrane.",
        ),
    };
    format!("\n{}\n\n{more}\n", paint.tone(Tone::Good, sentence))
}

fn legend(shown: &[&Change], paint: Paint) -> String {
    let style = Style::changes(paint);
    let actions: BTreeSet<Action> = shown.iter().map(|change| change.action).collect();
    let all = [
        (Action::Create, "create"),
        (Action::Update, "update in-place"),
        (Action::Delete, "destroy"),
        (Action::DeleteThenCreate, "destroy and then create replacement"),
        (Action::CreateThenDelete, "create replacement and then destroy"),
        (Action::Read, "read (data resources)"),
        (Action::Forget, "forget"),
    ];
    let mut out = String::new();
    if actions.iter().any(|action| *action != Action::NoOp) {
        out.push_str(
            "\nTerrane made the following execution plan. Resource actions are indicated with the\n\
             following symbols:\n",
        );
    }
    for (action, words) in all.into_iter().filter(|(action, _)| actions.contains(action)) {
        out.push_str(&format!("{}{words}\n", style.glyph(action)));
    }
    out.push_str("\nTerrane will perform the following actions:\n");
    out
}

fn one(change: &Change, schemas: &dyn Schemas, paint: Paint) -> String {
    let (sentence, because) = header(change);
    // What is let go of stands one column to the left, as its glyph does.
    let indent = if change.action == Action::Forget { " " } else { "  " };
    let mut out = format!("{indent}{}\n", paint.strong(&format!("# {sentence}")));
    for line in because {
        out.push_str(&format!("{indent}# {line}\n"));
    }
    let resource = &change.address.resource;
    let schema = schemas.schema(resource.mode, &resource.type_name);
    if let (Some(schema), Some(value), Action::NoOp, Some(_)) =
        (schema, &change.after, change.action, &change.importing)
    {
        out.push_str(&object::imported(schema, &change.address, value, paint));
    } else if let Some(schema) = schema {
        out.push_str(&object::change(
            schema,
            &change.address,
            change.action,
            change.before.as_ref(),
            change.after.as_ref(),
            &change.replace_paths,
            paint,
        ));
    }
    out
}

/// What had changed outside, as far as it matters: what is gone, and what this plan undoes or answers.
pub fn drift_that_matters(plan: &Plan) -> Vec<&Drift> {
    let acted_on = acted_on(plan);
    let matters = |drift: &&Drift| {
        plan.mode == Mode::RefreshOnly || drift.after.is_none() || acted_on.contains(&drift.address)
    };
    match plan.mode {
        Mode::Destroy => vec![],
        Mode::Normal | Mode::RefreshOnly => plan.drift.iter().filter(matters).collect(),
    }
}

fn acted_on(plan: &Plan) -> BTreeSet<&Address> {
    plan.changes.iter().filter(|change| change.action.is_change()).map(|change| &change.address).collect()
}

fn drift(plan: &Plan, schemas: &dyn Schemas, paint: Paint) -> String {
    let moved = plan.changes.iter().filter(|change| change.previous_address.is_some());
    let moved: Vec<&Change> = moved.filter(|_| plan.mode == Mode::RefreshOnly).collect();
    let shown = drift_that_matters(plan);
    if shown.is_empty() && (moved.is_empty() || plan.mode == Mode::Destroy) {
        return String::new();
    }
    let acted_on = acted_on(plan);
    let mut out = format!("\n{}\n", paint.strong("Note: Objects have changed outside of Terrane"));
    for drift in shown {
        out.push('\n');
        out.push_str(&drifted(drift, acted_on.contains(&drift.address), schemas, paint));
    }
    for change in moved.iter().filter(|change| !plan.drift.iter().any(|d| d.address == change.address)) {
        out.push('\n');
        out.push_str(&one(change, schemas, paint));
    }
    out
}

fn drifted(drift: &Drift, again: bool, schemas: &dyn Schemas, paint: Paint) -> String {
    let Some(after) = &drift.after else {
        let then = if again { "; it will be created again" } else { "" };
        let sentence = format!("# {} was deleted outside of Terrane{then}", drift.address);
        return format!("  {}\n", paint.strong(&sentence));
    };
    let mut out = format!("  {}\n", paint.strong(&format!("# {} has changed", drift.address)));
    if let Some(previous) = &drift.previous_address {
        out.push_str(&format!("  # (moved from {previous})\n"));
    }
    let resource = &drift.address.resource;
    if let Some(schema) = schemas.schema(resource.mode, &resource.type_name) {
        out.push_str(&object::change(
            schema,
            &drift.address,
            Action::Update,
            Some(&drift.before),
            Some(after),
            &[],
            paint,
        ));
    }
    out
}

/// What `plan` says behind the plan: how to carry it out.
pub fn next_step(plan: &Plan, saved_as: Option<&str>, folder: &str) -> String {
    let chdir = if folder.is_empty() { String::new() } else { format!(" -C {folder}") };
    let text = match saved_as {
        Some(file) => format!(
            "\nSaved the plan to: {file}\n\nTo perform exactly these actions, run the following command to apply:\n    \
             terrane{chdir} apply \"{file}\"\n"
        ),
        None if !plan.has_changes() => return String::new(),
        None => "\nNote: The plan is not saved, so `terrane apply` makes a new one, which may differ if something \
                 changes\nmeanwhile. `--out FILE` saves it.\n"
            .to_owned(),
    };
    format!("{}{text}", rule())
}

#[cfg(test)]
pub mod tests;
