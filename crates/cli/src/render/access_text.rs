//! What a plan does to access, for people.

use terrane_access::actions::Severity;
use terrane_access::estate::Origin;
use terrane_access::{Change, Verdict};
use terrane_plan::access::{AccessReport, Assertion};

use super::paint::{Paint, Tone};

/// How many resources of one change are named.
const NAMED: usize = 6;

/// Assertions and changes; nothing when there are none. Begins with an empty line.
pub fn report(access: &AccessReport, paint: Paint) -> String {
    let mut out = String::new();
    if !access.changes.is_empty() {
        out.push_str(&format!("\n{}\n", paint.strong("Changes to Access:")));
        for change in &access.changes {
            out.push_str(&one(change, paint));
        }
    }
    if !access.assertions.is_empty() {
        out.push_str(&format!("\n{}\n", paint.strong("Access Assertions:")));
        for assertion in &access.assertions {
            out.push_str(&judged(assertion, paint));
        }
    }
    out
}

/// Changes alone, as an answer.
pub fn changes(changes: &[Change], paint: Paint) -> String {
    match changes {
        [] => "Nobody gains and nobody loses anything.\n".to_owned(),
        all => all.iter().map(|change| one(change, paint)).collect(),
    }
}

/// Who somebody is, beyond their name.
pub fn who(change: &Change) -> String {
    let principal = &change.principal;
    match change.origin {
        Origin::Public => "Anybody, without an account".to_owned(),
        Origin::OtherAccount => format!("{principal} (another account)"),
        Origin::Service => format!("{principal} (service)"),
        Origin::Named => format!("{principal} (not in this stack)"),
        Origin::Root | Origin::Managed => principal.clone(),
    }
}

/// `gains`, `may gain`, `loses`, `may lose`, or that it stays on other conditions.
pub fn verb(change: &Change) -> &'static str {
    match (change.gains, change.sure) {
        _ if change.is_of_condition() => "may still, otherwise",
        (true, true) => "gains",
        (true, false) => "may gain",
        (false, true) => "loses",
        (false, false) => "may lose",
    }
}

/// The resources of a change, shortened.
pub fn resources(change: &Change) -> String {
    let named: Vec<&str> = change.resources.iter().take(NAMED).map(String::as_str).collect();
    let more = change.resources.len().saturating_sub(NAMED);
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{rest}", named.join(", "))
}

fn one(change: &Change, paint: Paint) -> String {
    let (glyph, tone) = match change.gains {
        _ if change.is_of_condition() => ("~", Tone::Change),
        true => ("+", Tone::Good),
        false => ("-", Tone::Remove),
    };
    let control = match change.severity {
        Severity::Control if change.gains => " (gives power over it)",
        _ => "",
    };
    let mut out = format!(
        "  {} {} {} on {}:\n      {}{control}\n",
        paint.tone(tone, glyph),
        who(change),
        verb(change),
        resources(change),
        change.actions.join(", ")
    );
    match &change.depended {
        Some(before) => out.push_str(&format!("      {}\n", other_condition(before, &change.depends))),
        None if change.depends.is_empty() => {}
        None => out.push_str(&format!("      depending on {}\n", change.depends.join(", "))),
    }
    out
}

/// On what a right depended, and on what it does now.
pub fn other_condition(before: &[String], now: &[String]) -> String {
    format!("DEPENDS on {} → DEPENDS on {}", before.join(", "), now.join(", "))
}

fn judged(assertion: &Assertion, paint: Paint) -> String {
    let mark = match assertion.verdict {
        Verdict::Holds | Verdict::Accepted => paint.tone(Tone::Good, "✓"),
        Verdict::Open | Verdict::Broken => paint.tone(Tone::Remove, "✗"),
    };
    format!("  {mark} {}: {}\n", assertion.name, outcome(assertion))
}

/// How an assertion came out, in words.
pub fn outcome(assertion: &Assertion) -> String {
    let expected = if assertion.allowed { "allowed" } else { "denied" };
    let against = assertion.against.len();
    let (asked, good) = (assertion.asked, assertion.asked.saturating_sub(against));
    let by = match assertion.settled_by.as_slice() {
        [] => String::new(),
        all => format!(" by {}", all.join(", ")),
    };
    match assertion.verdict {
        Verdict::Holds => format!("{expected}{by}, {good} of {asked}"),
        Verdict::Accepted => {
            format!("{expected}{by}, {good} of {asked}; the others depend on what is not known")
        }
        Verdict::Open => format!("expected to be {expected}, and not decided for {against} of {asked}"),
        Verdict::Broken => format!("expected to be {expected}, and otherwise for {against} of {asked}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(gains: bool, sure: bool) -> Change {
        Change {
            gains,
            sure,
            principal: "aws_iam_role.reader".into(),
            origin: Origin::Managed,
            resources: (0..8).map(|n| format!("aws_dynamodb_table.t{n}")).collect(),
            actions: vec!["dynamodb:GetItem".into()],
            severity: Severity::Read,
            depends: if sure { vec![] } else { vec!["aws:SourceIp".into()] },
            depended: None,
        }
    }

    #[test]
    fn a_right_that_depends_on_something_else_is_told() {
        let loosened =
            Change { depended: Some(vec!["aws:MultiFactorAuthPresent".into()]), ..change(false, false) };
        let told = changes(&[loosened], Paint::default());
        assert!(told.contains("~ aws_iam_role.reader may still, otherwise on aws_dynamodb"), "{told}");
        let condition = "DEPENDS on aws:MultiFactorAuthPresent → DEPENDS on aws:SourceIp";
        assert!(told.contains(condition), "{told}");
    }

    #[test]
    fn gains_and_losses_are_told_apart_and_long_lists_are_cut() {
        let report = report(
            &AccessReport { assertions: vec![], changes: vec![change(true, false), change(false, true)] },
            Paint::default(),
        );
        assert!(report.contains("+ aws_iam_role.reader may gain on"), "{report}");
        assert!(report.contains("depending on aws:SourceIp"), "{report}");
        assert!(report.contains("- aws_iam_role.reader loses on"), "{report}");
        assert!(report.contains("aws_dynamodb_table.t5 and 2 more"), "{report}");
    }

    #[test]
    fn nothing_is_told_of_nothing() {
        assert_eq!(report(&AccessReport::default(), Paint::default()), "");
    }
}
