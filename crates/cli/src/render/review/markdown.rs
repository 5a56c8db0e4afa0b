//! A document as a comment on GitHub: it fits, it can be found again, and nothing in it breaks out.
//!
//! Where there is no room for all, whole entries are left out, what matters least first, and each section says what is
//! missing. Room is counted in UTF-16 units, of which there are never fewer than characters.

use std::cmp::Reverse;

use terrane_model::Action;

use super::document::{
    Block, Document, Folded, Importance, Inline, Line, Section, Table, Tone, rank, shortened, word,
};
use super::escape::{fenced, html_code, markdown, markdown_code};
use crate::render::tree_text::margin;

/// GitHub takes 65,536 characters; the rest is for what is put around the comment.
pub const ROOM: usize = 60_000;
/// The room for what a section says about what is left out.
const NOTE_ROOM: usize = 900;
/// How many characters of names such a note holds.
const NOTE_NAMES: usize = 500;

/// The document in at most so much room. With less than some thousand, only the head is left.
pub fn render(document: &Document, room: usize) -> String {
    let head = head(document);
    let foot = foot(document);
    let sections: Vec<Part> = document.sections.iter().map(part).collect();
    let fixed: usize = sections.iter().map(|part| size(&part.fixed()) + NOTE_ROOM).sum();
    let left = room.saturating_sub(size(&head) + size(&foot) + fixed + NOTE_ROOM);
    let taken = choose(&sections, left, room);
    let cut: usize = taken.iter().flatten().filter(|taken| !**taken).count();
    let mut out = head;
    if cut > 0 {
        let whole = inlines(&document.whole, Place::Line);
        let (entries, are) = if cut == 1 { ("entry", "is") } else { ("entries", "are") };
        out.push_str(&format!(
            "\n> [!NOTE]\n> **Shortened:** {cut} {entries} {are} left out for want of room, what matters least first. {whole}\n"
        ));
    }
    for (part, taken) in sections.iter().zip(&taken) {
        out.push_str(&part.text(taken, &document.whole));
    }
    out.push_str(&foot);
    out
}

/// What tells one stack's comment from another's, also for the program that updates it.
pub fn marker(title: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._/".contains(c) { c } else { '-' };
    let mut key: String = shortened(title, 100).chars().map(plain).collect();
    // Two hyphens would end the comment early in some readers.
    while key.contains("--") {
        key = key.replace("--", "-");
    }
    let key = key.trim_matches('-');
    if key.is_empty() { "<!-- terrane-plan -->".to_owned() } else { format!("<!-- terrane-plan {key} -->") }
}

fn head(document: &Document) -> String {
    let title = match document.title.is_empty() {
        true => String::new(),
        false => format!(" · {}", markdown(&shortened(&document.title, 100))),
    };
    let mut out = format!("{}\n### Terrane plan{title}\n\n", marker(&document.title));
    out.push_str(&format!("**{}**\n", markdown(&document.totals)));
    for block in &document.lead {
        out.push('\n');
        out.push_str(&whole(block));
    }
    out
}

fn foot(document: &Document) -> String {
    let lines: Vec<String> = document.closing.iter().map(|line| inlines(line, Place::Html)).collect();
    if lines.is_empty() { String::new() } else { format!("\n<sub>{}</sub>\n", lines.join("<br>")) }
}

/// A section in pieces that can be left out.
struct Part {
    heading: String,
    importance: Importance,
    share: usize,
    groups: Vec<Group>,
}

/// Pieces that belong between the same lines, such as the rows of a table.
struct Group {
    before: String,
    pieces: Vec<Piece>,
}

struct Piece {
    text: String,
    name: Option<String>,
    rank: u8,
}

impl Part {
    fn fixed(&self) -> String {
        self.groups.iter().fold(self.heading.clone(), |all, group| all + &group.before)
    }

    fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.groups.iter().flat_map(|group| &group.pieces)
    }

    fn text(&self, taken: &[bool], whole: &[Inline]) -> String {
        let mut out = self.heading.clone();
        let mut taken = taken.iter().copied();
        let mut missing = Vec::new();
        for group in &self.groups {
            let mut begun = false;
            for piece in &group.pieces {
                if !taken.next().unwrap_or(false) {
                    missing.push(piece);
                    continue;
                }
                if !begun {
                    out.push_str(&group.before);
                    begun = true;
                }
                out.push_str(&piece.text);
            }
        }
        if !missing.is_empty() {
            out.push_str(&note(&missing, whole));
        }
        out
    }
}

/// What is missing, by name as far as there is room.
fn note(missing: &[&Piece], whole: &[Inline]) -> String {
    let mut names = String::new();
    let mut named = 0;
    for piece in missing {
        let Some(name) = &piece.name else { continue };
        let name = markdown_code(name);
        if size(&names) + size(&name) > NOTE_NAMES {
            break;
        }
        names.push_str(if named == 0 { ": " } else { ", " });
        names.push_str(&name);
        named += 1;
    }
    let rest = missing.len() - named;
    let more = match (named, rest) {
        (0, _) | (_, 0) => String::new(),
        _ => format!(" and {rest} more"),
    };
    let (entries, are) = if missing.len() == 1 { ("entry", "is") } else { ("entries", "are") };
    let how = inlines(whole, Place::Line);
    format!("\n> [!NOTE]\n> {} {entries} {are} left out here{names}{more}. {how}\n", missing.len())
}

/// Which pieces of which section there is room for.
fn choose(sections: &[Part], mut left: usize, room: usize) -> Vec<Vec<bool>> {
    let mut order = Vec::new();
    for (i, part) in sections.iter().enumerate() {
        for (j, piece) in part.pieces().enumerate() {
            order.push((Reverse((part.importance, piece.rank)), i, j, size(&piece.text)));
        }
    }
    order.sort();
    let mut taken: Vec<Vec<bool>> = sections.iter().map(|part| vec![false; part.pieces().count()]).collect();
    let mut shares: Vec<usize> = sections.iter().map(|part| room * part.share.min(100) / 100).collect();
    for (_, i, j, size) in order {
        let (Some(share), Some(taken)) = (shares.get_mut(i), taken.get_mut(i).and_then(|t| t.get_mut(j)))
        else {
            continue;
        };
        if size <= left && size <= *share {
            left -= size;
            *share -= size;
            *taken = true;
        }
    }
    taken
}

fn size(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

fn part(section: &Section) -> Part {
    Part {
        heading: format!("\n#### {}\n", markdown(&shortened(&section.title, 100))),
        importance: section.importance,
        share: section.share,
        groups: section.blocks.iter().map(group).collect(),
    }
}

fn group(block: &Block) -> Group {
    match block {
        Block::Table(table) => Group { before: table_head(table), pieces: rows(table) },
        Block::List(points) => {
            let piece = |point: &Vec<Inline>| Piece {
                text: format!("- {}\n", inlines(point, Place::Line)),
                name: None,
                rank: rank(None),
            };
            Group { before: "\n".to_owned(), pieces: points.iter().map(piece).collect() }
        }
        Block::Folded(folded) => {
            let (name, rank) = (Some(folded.name.clone()), rank(folded.action));
            Group {
                before: String::new(),
                pieces: vec![Piece { text: format!("\n{}", open(folded)), name, rank }],
            }
        }
        other => {
            let text = format!("\n{}", whole(other));
            Group { before: String::new(), pieces: vec![Piece { text, name: None, rank: rank(None) }] }
        }
    }
}

fn table_head(table: &Table) -> String {
    let head: Vec<String> = table.head.iter().map(|cell| markdown(cell)).collect();
    format!("\n| {} |\n|{}\n", head.join(" | "), " --- |".repeat(head.len()))
}

fn rows(table: &Table) -> Vec<Piece> {
    let columns = table.head.len();
    let piece = |row: &super::document::Row| {
        let cells = row.cells.iter().take(columns).map(|cell| inlines(cell, Place::Line));
        Piece {
            text: format!("| {} |\n", cells.collect::<Vec<_>>().join(" | ")),
            name: Some(row.name.clone()),
            rank: rank(row.action),
        }
    };
    table.rows.iter().map(piece).collect()
}

/// A block with everything that it holds.
fn whole(block: &Block) -> String {
    match block {
        Block::Paragraph(line) => format!("{}\n", inlines(line, Place::Line)),
        Block::Notice(tone, lines) => {
            let kind = match tone {
                Tone::Note => "NOTE",
                Tone::Good => "TIP",
                Tone::Warning => "WARNING",
                Tone::Danger => "CAUTION",
            };
            let lines: Vec<String> = lines.iter().map(|line| inlines(line, Place::Line)).collect();
            format!("> [!{kind}]\n> {}\n", lines.join("<br>\n> "))
        }
        Block::Lines(lines) => code(lines),
        Block::Folded(folded) => open(folded),
        Block::List(_) | Block::Table(_) => {
            let group = group(block);
            let pieces: String = group.pieces.iter().map(|piece| piece.text.as_str()).collect();
            format!("{}{pieces}", group.before.trim_start_matches('\n'))
        }
    }
}

/// What is in it is Markdown again, since an empty line stands before it.
fn open(folded: &Folded) -> String {
    let inside: Vec<String> = folded.blocks.iter().map(whole).collect();
    let summary = inlines(&folded.summary, Place::Html);
    format!("<details><summary>{summary}</summary>\n\n{}\n</details>\n", inside.join("\n"))
}

fn code(lines: &[Line]) -> String {
    let signed: Vec<String> =
        lines.iter().map(|line| format!("{}{}", margin(line.action), line.text)).collect();
    fenced("diff", signed.iter().map(String::as_str))
}

/// Where a piece of a sentence stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a line of Markdown.
    Line,
    /// In HTML, where Markdown is not read.
    Html,
}

fn inlines(all: &[Inline], place: Place) -> String {
    let text: String = all.iter().map(|inline| one(inline, place)).collect();
    // Four blanks would begin a block of code.
    text.trim_start_matches(' ').to_owned()
}

fn one(inline: &Inline, place: Place) -> String {
    match (inline, place) {
        (Inline::Text(text), _) => markdown(text),
        (Inline::Strong(text), _) => format!("<b>{}</b>", markdown(text)),
        (Inline::Code(text) | Inline::Link { name: text, .. }, Place::Line) => markdown_code(text),
        (Inline::Code(text) | Inline::Link { name: text, .. }, Place::Html) => html_code(text),
        (Inline::Action(action), Place::Line) => format!("{} {}", dot(*action), strong(*action, "**", "**")),
        (Inline::Action(action), Place::Html) => {
            format!("{} {}", dot(*action), strong(*action, "<b>", "</b>"))
        }
    }
}

/// What can't be undone stands out.
fn strong(action: Action, before: &str, behind: &str) -> String {
    match action {
        Action::Delete | Action::DeleteThenCreate | Action::CreateThenDelete => {
            format!("{before}{}{behind}", word(action))
        }
        _ => word(action).to_owned(),
    }
}

fn dot(action: Action) -> &'static str {
    match action {
        Action::Delete | Action::DeleteThenCreate | Action::CreateThenDelete => "🔴",
        Action::Forget => "🟠",
        Action::Update => "🟡",
        Action::Create => "🟢",
        Action::Read => "🔵",
        Action::NoOp => "⚪",
    }
}

#[cfg(test)]
pub mod tests;
