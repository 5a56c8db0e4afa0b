//! Findings of the lint: as messages, in one line, as a section of a review, and for tools.

use serde_json::{Value as Json, json};
use terrane_model::{Diagnostic, Sources};
use terrane_plan::lint::{Finding, Grade, Report};

use super::review::document::{Block, Importance, Inline, Section};

/// How many addresses a message names.
const NAMED: usize = 5;

/// A finding as a message.
fn message(finding: &Finding) -> Diagnostic {
    let rule = finding.rule;
    let names: Vec<String> = finding.addresses.iter().map(|address| format!("`{address}`")).collect();
    let shown = match names.get(NAMED..).filter(|rest| !rest.is_empty()) {
        Some(rest) => format!("{} and {} more", names.get(..NAMED).unwrap_or(&names).join(", "), rest.len()),
        None => names.join(", "),
    };
    let detail = format!("{} ({}), {shown}: {}\n{}", rule.id, rule.grade.word(), finding.detail, rule.reason);
    Diagnostic::warning(rule.id, rule.summary, detail).at(finding.span).hint(rule.remedy)
}

/// The open findings as messages.
pub fn messages(report: &Report) -> Vec<Diagnostic> {
    report.open().map(message).collect()
}

/// How many there are: `3 findings (1 high, 2 medium)`, and how many are silenced.
pub fn sum(report: &Report) -> String {
    let open = report.open().count();
    let silenced = report.findings.len() - open;
    let grades: Vec<String> = report
        .counts()
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(grade, count)| format!("{count} {}", grade.word()))
        .collect();
    let what = match open {
        0 => "no findings".to_owned(),
        1 => format!("1 finding ({})", grades.join(", ")),
        _ => format!("{open} findings ({})", grades.join(", ")),
    };
    if silenced == 0 { what } else { format!("{what}, {silenced} silenced") }
}

/// The line of a plan; nothing where nothing is open.
pub fn line(report: &Report) -> Option<String> {
    report.open().next()?;
    Some(format!("\nLint: {}. `terrane lint` says what and where.\n", sum(report)))
}

/// The section of a review.
pub fn section(report: &Report, sources: &Sources) -> Option<Section> {
    let point = |finding: &Finding| {
        let place = finding.span.and_then(|span| {
            let file = sources.get(span.file)?;
            Some(format!("{}:{}", file.name, sources.position(span.file, span.start)?.line))
        });
        let mut point = vec![
            Inline::Strong(finding.rule.grade.word().to_owned()),
            Inline::text(format!(" {}: {}. ", finding.rule.id, finding.rule.summary)),
        ];
        let names: Vec<String> = finding.addresses.iter().take(NAMED).map(ToString::to_string).collect();
        point.push(Inline::code(names.join(", ")));
        if finding.addresses.len() > NAMED {
            point.push(Inline::text(format!(" and {} more", finding.addresses.len() - NAMED)));
        }
        if let Some(place) = place {
            point.push(Inline::text(" at "));
            point.push(Inline::code(place));
        }
        point
    };
    let points: Vec<Vec<Inline>> = report.open().map(point).collect();
    let grave = report.open().any(|finding| finding.rule.grade == Grade::High);
    (!points.is_empty()).then(|| Section {
        id: "lint",
        title: format!("Lint: {}", sum(report)),
        importance: if grave { Importance::High } else { Importance::Low },
        share: 15,
        blocks: vec![Block::List(points)],
    })
}

/// For tools.
pub fn json(report: &Report, sources: &Sources) -> Json {
    let one = |finding: &Finding| {
        let place = finding.span.and_then(|span| {
            let file = sources.get(span.file)?;
            let start = sources.position(span.file, span.start)?;
            Some(json!({ "filename": file.name.as_ref(), "line": start.line, "column": start.column }))
        });
        json!({
            "id": finding.rule.id,
            "severity": finding.rule.grade.word(),
            "summary": finding.rule.summary,
            "detail": finding.detail,
            "reason": finding.rule.reason,
            "remedy": finding.rule.remedy,
            "addresses": finding.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "argument": finding.argument,
            "place": place,
            "silenced": finding.silenced.as_deref(),
        })
    };
    json!({ "format_version": "1.0", "findings": report.findings.iter().map(one).collect::<Vec<_>>() })
}
