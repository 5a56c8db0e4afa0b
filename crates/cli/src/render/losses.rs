//! What a plan takes away by deleting objects that others use: for a terminal, and as a section of a review.

use terrane_model::Action;
use terrane_plan::loss::{Fate, Loss};

use super::paint::{Paint, Tone};
use super::review::document::{Block, Importance, Inline, Section, prose};

/// The part of a review that it may take at most, in percent.
const SHARE: usize = 30;

/// How many users of one object a review names.
const NAMED: usize = 50;

/// The objects, and who uses them; nothing when there are none. Begins with an empty line.
pub fn report(losses: &[Loss], paint: Paint) -> String {
    if losses.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}\n", paint.strong("Deleted While in Use:"));
    for loss in losses {
        out.push_str(&format!("  {} {}\n", paint.tone(Tone::Remove, "-"), head(loss)));
        out.push_str(&format!("      {}\n", loss.wording()));
        for fate in &loss.fates {
            let wording = fate.wording();
            let line = if fate.loses_data() { paint.tone(Tone::Remove, &wording) } else { wording };
            out.push_str(&format!("      used by {line}\n"));
        }
        for sentence in &loss.not_looked_at {
            out.push_str(&format!("      {}\n", paint.tone(Tone::Change, sentence)));
        }
    }
    out
}

fn head(loss: &Loss) -> String {
    match &loss.deposed {
        Some(key) => format!("{} ({}), deposed object {key}", loss.address, loss.id),
        None => format!("{} ({})", loss.address, loss.id),
    }
}

/// The same for reviewers.
pub fn section(losses: &[Loss]) -> Option<Section> {
    if losses.is_empty() {
        return None;
    }
    let mut blocks = Vec::new();
    for loss in losses {
        let mut paragraph = vec![Inline::Action(Action::Delete), Inline::text(" "), Inline::code(head(loss))];
        paragraph.push(Inline::text(format!(" {}", loss.wording())));
        blocks.push(Block::Paragraph(paragraph));
        let line = |fate: &Fate| match fate.loses_data() {
            true => vec![Inline::Strong("Data is lost: ".to_owned())]
                .into_iter()
                .chain(prose(&fate.wording()))
                .collect(),
            false => prose(&fate.wording()),
        };
        let mut lines: Vec<Vec<Inline>> = loss.fates.iter().take(NAMED).map(line).collect();
        if loss.fates.len() > NAMED {
            lines.push(vec![Inline::text(format!("and {} more", loss.fates.len() - NAMED))]);
        }
        lines.extend(loss.not_looked_at.iter().map(|sentence| prose(sentence)));
        blocks.push(Block::List(lines));
    }
    Some(Section {
        id: "losses",
        title: "Deleted while in use".to_owned(),
        importance: Importance::Vital,
        share: SHARE,
        blocks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::review::{document::Document, html, markdown};
    use terrane_plan::loss::Outcome;
    use terrane_provider::{Holds, User};

    fn losses() -> Vec<Loss> {
        let fate = |name: &str, outcome| Fate {
            user: User {
                what: "table".into(),
                name: name.into(),
                id: name.into(),
                holds: Holds::DataAndBackups,
            },
            address: None,
            outcome,
        };
        vec![Loss {
            address: "aws_kms_key.a".parse().unwrap(),
            deposed: None,
            id: "1234".into(),
            days: 7,
            date: Some("2026-12-01".into()),
            fates: vec![fate("Other", Outcome::Outside), fate("Post", Outcome::Deleted)],
            not_looked_at: vec!["Grants of the key could not be listed: no.".into()],
        }]
    }

    #[test]
    fn text_says_who_loses_what_and_when() {
        let text = report(&losses(), Paint::default());
        assert_eq!(
            text,
            "\nDeleted While in Use:\n  - aws_kms_key.a (1234)\n      It can't be used from the apply on, and is gone for good \
             7 days later (2026-12-01, if it is applied today).\n      used by table `Other`, not of this stack: can't be read \
             any more, nor its point-in-time backups\n      used by table `Post`, deleted by this plan: its point-in-time backups \
             until now can't be read any more\n      Grants of the key could not be listed: no.\n"
        );
        assert_eq!(report(&[], Paint::default()), "");
    }

    #[test]
    fn reviews_say_the_same() {
        let document = Document { sections: section(&losses()).into_iter().collect(), ..Document::default() };
        for text in [
            markdown::render(&document, markdown::ROOM),
            html::page(&document, &Default::default(), |_| None),
        ] {
            for part in ["Deleted while in use", "Data is lost", "Other", "2026-12-01", "could not be listed"]
            {
                assert!(text.contains(part), "{part}: {text}");
            }
        }
        assert!(section(&[]).is_none());
    }
}
