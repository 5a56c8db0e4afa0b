//! What became of the assertions in reality, for people: a table for each assertion and principal, and what was said.

use terrane_access::question::layer_name;
use terrane_access::{Answered, Estate, Real};
use terrane_aws::attempt::Happened;
use terrane_iam::Answer;

use super::paint::{Paint, Tone};
use super::value_text::line;
use crate::commands::verify::{Outcome, Trial, Untried};

/// Texts of the service, each once, with the numbers by which the tables refer to them.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn number(&mut self, text: String) -> usize {
        match self.0.iter().position(|known| *known == text) {
            Some(at) => at + 1,
            None => {
                self.0.push(text);
                self.0.len()
            }
        }
    }
}

/// One line of a table, without colours: action, resource, proof, what happened.
struct Row {
    sign: &'static str,
    tone: Tone,
    cells: [String; 4],
}

const HEADS: [&str; 4] = ["ACTION", "ON", "PROOF", "REALLY"];

/// Everything.
pub fn report(estate: &Estate, trials: &[Trial], paint: Paint) -> String {
    if trials.is_empty() {
        return "The stack asserts nothing about access: there is no `[access.N]` to verify.\n".to_owned();
    }
    let mut notes = Notes::default();
    let mut out = String::new();
    let mut rest = trials;
    while let Some(first) = rest.first() {
        let same =
            |trial: &&Trial| trial.claim.name == first.claim.name && trial.principal == first.principal;
        let (group, others) = rest.split_at(rest.iter().take_while(same).count());
        rest = others;
        if first.action.is_empty() {
            let name = paint.strong(&format!("access.{}", first.claim.name));
            out.push_str(&format!("{name}: {}\n\n", really(first, &mut notes)));
            continue;
        }
        out.push_str(&heading(estate, first, paint));
        let rows: Vec<Row> = group.iter().map(|trial| row(estate, trial, &mut notes)).collect();
        out.push_str(&table(&rows, paint));
        out.push('\n');
    }
    for (number, text) in notes.0.iter().enumerate() {
        out.push_str(&format!("[{}] {}\n", number + 1, line(text)));
    }
    if !notes.0.is_empty() {
        out.push('\n');
    }
    out.push_str(&summary(trials, paint));
    out
}

fn heading(estate: &Estate, trial: &Trial, paint: Paint) -> String {
    let claim = &trial.claim;
    let by = claim.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let expected = if claim.allowed { "ALLOWED" } else { "DENIED" };
    let name = paint.strong(&format!("access.{}", claim.name));
    format!("{name}: {} expected to be {expected}{by}\n", estate.label_of(&trial.principal))
}

fn row(estate: &Estate, trial: &Trial, notes: &mut Notes) -> Row {
    let (sign, tone) = match (trial.is_untried(), trial.agrees()) {
        (true, _) => ("-", Tone::Faint),
        (false, true) => ("✓", Tone::Good),
        (false, false) => ("✗", Tone::Error),
    };
    let cells = [
        trial.action.clone(),
        estate.label_of(&trial.resource).to_owned(),
        trial.proof.as_ref().map(proof).unwrap_or_default(),
        really(trial, notes),
    ];
    Row { sign, tone, cells }
}

fn proof(answered: &Answered) -> String {
    match &answered.answer {
        Answer::Allowed => "ALLOWED".to_owned(),
        Answer::Depends(_) => "DEPENDS".to_owned(),
        Answer::Denied(layer) => format!("DENIED {} ({})", answered.service(), layer_name(layer)),
    }
}

fn really(trial: &Trial, notes: &mut Notes) -> String {
    match &trial.outcome {
        Outcome::Pending => "not tried: interrupted".to_owned(),
        Outcome::Untried(Untried::NotActing(what, why)) => {
            format!("not tried: {what} [{}]", notes.number(why.clone()))
        }
        Outcome::Untried(why) => format!("not tried: {}", why.reason()),
        Outcome::Tried(Happened::Allowed { code: None }) => "ALLOWED".to_owned(),
        Outcome::Tried(Happened::Allowed { code: Some(code) }) => format!("ALLOWED: {code}"),
        Outcome::Tried(Happened::Refused { code, message }) => {
            let Some(Real::Refused(refusal)) = trial.real() else { return "DENIED".to_owned() };
            let layer = refusal.layer.map(|layer| format!(" ({layer})")).unwrap_or_default();
            let number = notes.number(format!("{code}: {message}"));
            format!("DENIED {}{layer} [{number}]", refusal.service())
        }
        Outcome::Tried(Happened::Failed { code, message }) => {
            let code = code.as_ref().map(|code| format!("{code}: ")).unwrap_or_default();
            format!("UNCLEAR [{}]", notes.number(format!("{code}{message}")))
        }
    }
}

fn table(rows: &[Row], paint: Paint) -> String {
    let mut widths = HEADS.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(&row.cells) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let joined = |cells: &[&str; 4]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width.saturating_sub(cell.chars().count()))))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut out = format!("    {}\n", paint.tone(Tone::Faint, &joined(&HEADS)));
    for row in rows {
        let text = joined(&row.cells.each_ref().map(String::as_str));
        let text = if row.tone == Tone::Faint { paint.tone(Tone::Faint, &text) } else { text };
        out.push_str(&format!("  {} {text}\n", paint.tone(row.tone, row.sign)));
    }
    out
}

fn summary(trials: &[Trial], paint: Paint) -> String {
    let tried: Vec<&Trial> = trials.iter().filter(|trial| !trial.is_untried()).collect();
    let count = |test: &dyn Fn(&Trial) -> bool| tried.iter().filter(|trial| test(trial)).count();
    let (unasserted, unproved) = (count(&|t| !t.is_as_asserted()), count(&|t| !t.is_as_proved()));
    let mut out = match (tried.len(), unasserted, unproved) {
        (0, _, _) => "Nothing was tried.".to_owned(),
        (n, 0, 0) => paint.tone(Tone::Good, &format!("{n} tried: all as asserted, and all as proved.")),
        (n, _, 0) => paint
            .tone(Tone::Error, &format!("{n} tried: {unasserted} not as asserted; all as the proof says.")),
        (n, _, _) => paint.tone(
            Tone::Error,
            &format!("{n} tried: {unasserted} not as asserted, {unproved} not as the proof says."),
        ),
    };
    let mut reasons: Vec<(String, usize)> = Vec::new();
    for trial in trials {
        let Outcome::Untried(why) = &trial.outcome else { continue };
        let reason = counted(why);
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, n)) => *n += 1,
            None => reasons.push((reason, 1)),
        }
    }
    if !reasons.is_empty() {
        let total: usize = reasons.iter().map(|(_, n)| n).sum();
        let list: Vec<String> = reasons.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
        out.push_str(&format!(" {total} not tried: {}.", list.join(", ")));
    }
    out.push('\n');
    out
}

/// A reason, behind a number.
fn counted(why: &Untried) -> String {
    match why {
        Untried::Write => "would write (`--write` tries them)".to_owned(),
        Untried::CouldChange => "could change something".to_owned(),
        Untried::NoCall => "without a harmless call".to_owned(),
        Untried::Nobody(_) | Untried::NotActing(..) => "by somebody whom nobody can act as".to_owned(),
        Untried::NoTable(_) => "on a table that can't be looked at".to_owned(),
        Untried::NoKey(_) => "on a key that can't be looked at".to_owned(),
        Untried::OtherKind => "on a key of another kind".to_owned(),
        Untried::Beside(_) => "in a call that takes another right, too".to_owned(),
        Untried::Context(_) => "with a `context` that a call can't bring about".to_owned(),
        Untried::Unknown(_) => "known only after apply".to_owned(),
    }
}
