//! Sections as text for a terminal: what stands beside a plan's own text.

use terrane_model::Action;

use super::document::{Block, Folded, Inline, Line, Section, Table, Tone, word};
use crate::render::paint::{Paint, Tone as Colour};
use crate::render::tree_text::margin;
use crate::render::value_text::line as clean;

/// A section with its heading; begins with an empty line.
pub fn section(section: &Section, paint: Paint) -> String {
    let mut out = format!("\n{}\n", paint.strong(&clean(&section.title)));
    for block in &section.blocks {
        write(&mut out, block, 1, paint);
    }
    out
}

fn write(out: &mut String, block: &Block, indent: usize, paint: Paint) {
    match block {
        Block::Paragraph(line) => row(out, indent, &inlines(line, paint)),
        Block::Notice(tone, lines) => {
            let (colour, name) = match tone {
                Tone::Note => (Colour::Read, "Note: "),
                Tone::Good => (Colour::Good, ""),
                Tone::Warning => (Colour::Warning, "Warning: "),
                Tone::Danger => (Colour::Error, "Caution: "),
            };
            for line in lines {
                row(out, indent, &format!("{}{}", paint.tone(colour, name), inlines(line, paint)));
            }
        }
        Block::List(points) => {
            for point in points {
                row(out, indent, &format!("- {}", inlines(point, paint)));
            }
        }
        Block::Table(table) => rows(out, table, indent, paint),
        Block::Lines(lines) => {
            for line in lines {
                row(out, indent, &signed(line, paint));
            }
        }
        Block::Folded(Folded { summary, blocks, .. }) => {
            row(out, indent, &inlines(summary, paint));
            for block in blocks {
                write(out, block, indent + 1, paint);
            }
        }
    }
}

fn row(out: &mut String, indent: usize, text: &str) {
    out.extend(std::iter::repeat_n("  ", indent));
    out.push_str(text.trim_end());
    out.push('\n');
}

/// Columns as wide as what stands in them. Colours take no room.
fn rows(out: &mut String, table: &Table, indent: usize, paint: Paint) {
    let plain = Paint::default();
    let width = |column: usize| {
        let cells = table.rows.iter().filter_map(|row| row.cells.get(column));
        let widths = cells.map(|cell| inlines(cell, plain).chars().count());
        widths.chain(table.head.get(column).map(|head| head.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..table.head.len()).map(width).collect();
    let head = table.head.iter().map(|cell| (cell.chars().count(), paint.faint(cell)));
    let cells = |cells: &[Vec<Inline>]| -> Vec<(usize, String)> {
        cells.iter().map(|cell| (inlines(cell, plain).chars().count(), inlines(cell, paint))).collect()
    };
    let all = std::iter::once(head.collect::<Vec<_>>()).chain(table.rows.iter().map(|row| cells(&row.cells)));
    for columns in all {
        let mut text = String::new();
        for ((count, cell), width) in columns.iter().zip(&widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width.saturating_sub(*count) + 2));
        }
        row(out, indent, &text);
    }
}

fn signed(line: &Line, paint: Paint) -> String {
    let sign = match margin(line.action) {
        '!' => '~',
        other => other,
    };
    let text = format!("{sign}{}", clean(&line.text));
    match line.action {
        Action::Create => paint.tone(Colour::Add, &text),
        Action::Delete => paint.tone(Colour::Remove, &text),
        Action::Update => paint.tone(Colour::Change, &text),
        _ => text,
    }
}

fn inlines(all: &[Inline], paint: Paint) -> String {
    let one = |inline: &Inline| match inline {
        Inline::Text(text) => clean(text),
        Inline::Strong(text) => paint.strong(&clean(text)),
        Inline::Code(text) | Inline::Link { name: text, .. } => clean(text),
        Inline::Action(action) => {
            let colour = match action {
                Action::Create => Colour::Add,
                Action::Update => Colour::Change,
                Action::Read | Action::NoOp => Colour::Read,
                _ => Colour::Remove,
            };
            paint.tone(colour, word(*action))
        }
    };
    all.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::review::document::{Importance, Row, lines, prose};

    fn shown(blocks: Vec<Block>, paint: Paint) -> String {
        let (title, importance) = ("Access".to_owned(), Importance::High);
        section(&Section { id: "access", title, importance, share: 20, blocks }, paint)
    }

    #[test]
    fn every_kind_of_block() {
        let row = |action: Action, name: &str| Row {
            action: Some(action),
            name: name.to_owned(),
            cells: vec![vec![Inline::Action(action)], vec![Inline::code(name)]],
        };
        let blocks = vec![
            Block::Paragraph(prose("One `x`.")),
            Block::Notice(Tone::Warning, vec![prose("Look \u{1b}[2J.")]),
            Block::List(vec![prose("a"), prose("b")]),
            Block::Table(Table {
                head: vec!["Action", "Object"],
                rows: vec![row(Action::Create, "a.b"), row(Action::DeleteThenCreate, "c.d")],
            }),
            Block::Folded(Folded {
                id: "f".into(),
                action: None,
                name: "f".into(),
                summary: prose("More"),
                blocks: vec![Block::Lines(lines("+ a\n! b\n  c\n"))],
            }),
        ];
        let text = "\nAccess\n  One x.\n  Warning: Look \\u001b[2J.\n  - a\n  - b\n  Action   Object\n  create   a.b\n  \
                    replace  c.d\n  More\n    + a\n    ~ b\n      c\n";
        assert_eq!(shown(blocks, Paint::default()), text);
    }

    #[test]
    fn colours_take_no_room() {
        let cells = |text: &str| vec![vec![Inline::Strong(text.to_owned())], vec![Inline::text("x")]];
        let rows = ["a", "long"].map(|text| Row { action: None, name: String::new(), cells: cells(text) });
        let table = Block::Table(Table { head: vec!["1", "2"], rows: rows.into() });
        let (plain, coloured) =
            (shown(vec![table.clone()], Paint::default()), shown(vec![table], Paint::new(true)));
        let stripped =
            regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap().replace_all(&coloured, "").into_owned();
        assert_eq!(stripped, plain);
        assert_ne!(coloured, plain);
    }
}
