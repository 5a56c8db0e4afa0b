//! A tree of differences as text: glyphs, aligned names, what is hidden counted.
//!
//! Each level is indented by four columns, and each line has four more for the glyph of what becomes of it.

use std::fmt::Write as _;

use terrane_model::Action;

use super::difference::{Body, Difference};
use super::paint::{Paint, Tone};
use super::value_text::{line, name, quoted};

/// How a tree is written.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Colours.
    pub paint: Paint,
    /// Whether there are glyphs; without, everything is shown, as of a state.
    pub glyphs: bool,
    /// Whether what stays is shown, too.
    all: bool,
    /// Whether deleted values say that they become null.
    null_suffix: bool,
    /// Whether what becomes of a line stands in its first column, where `diff` has it, and not before its name.
    margin: bool,
}

/// The attributes that are shown even where they stay as they are, so that people know which object it is.
const ALWAYS: [&str; 3] = ["id", "name", "tags"];

impl Style {
    /// What changes, with glyphs.
    pub fn changes(paint: Paint) -> Style {
        Style { paint, glyphs: true, all: false, null_suffix: true, margin: false }
    }

    /// What changes, with one sign per line in the first column: `+`, `-`, `!` for what is changed, or a blank.
    pub fn margin() -> Style {
        Style { margin: true, ..Style::changes(Paint::default()) }
    }

    /// What changes and what stays, with glyphs.
    pub fn whole(paint: Paint) -> Style {
        Style { all: true, ..Style::changes(paint) }
    }

    /// Everything, without glyphs.
    pub fn state(paint: Paint) -> Style {
        Style { paint, glyphs: false, all: true, null_suffix: false, margin: false }
    }

    fn all(self) -> Style {
        Style { all: true, ..self }
    }

    fn without_null(self) -> Style {
        Style { null_suffix: false, ..self }
    }

    /// The glyph of an action in its four columns.
    pub fn glyph(self, action: Action) -> String {
        if !self.glyphs {
            return String::new();
        }
        let paint = self.paint;
        let (add, remove) = (paint.tone(Tone::Add, "+"), paint.tone(Tone::Remove, "-"));
        match action {
            Action::NoOp => "    ".to_owned(),
            Action::Create => format!("  {add} "),
            Action::Update => format!("  {} ", paint.tone(Tone::Change, "~")),
            Action::Delete => format!("  {remove} "),
            Action::DeleteThenCreate => format!("{remove}/{add} "),
            Action::CreateThenDelete => format!("{add}/{remove} "),
            Action::Read => format!(" {} ", paint.tone(Tone::Read, "<=")),
            Action::Forget => format!(" {} ", paint.tone(Tone::Remove, ".")),
        }
    }

    fn suffix(self, difference: &Difference) -> String {
        let mut text = String::new();
        if difference.action == Action::Delete && self.null_suffix && self.glyphs {
            text.push_str(&self.paint.faint(" -> null"));
        }
        text.push_str(&self.forces(difference.replace));
        text
    }

    fn forces(self, replace: bool) -> String {
        match replace && self.glyphs {
            true => self.paint.tone(Tone::Remove, " # forces replacement"),
            false => String::new(),
        }
    }
}

/// Writes what stands behind the name and the equals sign, or behind a block's header.
pub fn write(out: &mut String, difference: &Difference, indent: usize, style: Style) {
    match &difference.body {
        Body::Plain { before, after } => {
            let shown: Vec<&str> = match (before, after) {
                (Some(before), Some(_)) if difference.is_same() => vec![before],
                (before, after) => before.iter().chain(after).map(String::as_str).collect(),
            };
            out.push_str(&shown.join(&style.paint.tone(Tone::Change, " -> ")));
            out.push_str(&style.suffix(difference));
        }
        Body::Unknown { before } => {
            if let Some(before) = before {
                write(out, before, indent, style.without_null());
                out.push_str(&style.paint.tone(Tone::Change, " -> "));
            }
            out.push_str(&style.paint.faint("(known after apply)"));
            out.push_str(&style.forces(difference.replace));
        }
        Body::Sensitive => {
            out.push_str("(sensitive value)");
            out.push_str(&style.suffix(difference));
        }
        Body::Other { before, after } => {
            write(out, before, indent, style.without_null());
            out.push_str(&style.paint.tone(Tone::Change, " -> "));
            write(out, after, indent, style.without_null());
            out.push_str(&style.suffix(difference));
        }
        Body::Lines(lines) => write_lines(out, difference, lines, indent, style),
        Body::Json { inner, layout_only } => write_json(out, difference, inner, *layout_only, indent, style),
        Body::Statements { lines, unchanged } => {
            write_statements(out, difference, lines, *unchanged, indent, style);
        }
        Body::Elements { elements, neighbours } => {
            write_elements(out, difference, elements, *neighbours, indent, style);
        }
        Body::Entries(entries) => {
            let named = entries.iter().map(|(key, entry)| (quoted(key), entry)).collect();
            write_named(out, difference, named, "element", indent, style);
        }
        Body::Attributes(entries) => {
            let named = entries.iter().map(|(key, entry)| (name(key), entry)).collect();
            write_named(out, difference, named, "attribute", indent, style);
        }
        Body::Block { .. } => write_block(out, difference, indent, style),
    }
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n("    ", indent));
}

/// The glyph columns of something that stays, behind the indentation.
fn start(out: &mut String, indent: usize, action: Action, style: Style) {
    if style.margin {
        out.push(margin(action));
        out.extend(std::iter::repeat_n("  ", indent));
        out.push(' ');
        return;
    }
    pad(out, indent);
    out.push_str(&style.glyph(action));
}

/// The sign of an action in the first column.
pub fn margin(action: Action) -> char {
    match action {
        Action::Create => '+',
        Action::Delete => '-',
        Action::Update | Action::DeleteThenCreate | Action::CreateThenDelete => '!',
        Action::NoOp | Action::Read | Action::Forget => ' ',
    }
}

fn hidden(out: &mut String, count: usize, what: &str, indent: usize, style: Style) {
    if count > 0 {
        start(out, indent, Action::NoOp, style);
        let plural = if count == 1 { "" } else { "s" };
        out.push_str(&style.paint.faint(&format!("# ({count} unchanged {what}{plural} hidden)")));
        out.push('\n');
    }
}

/// Writes lines that tell something about a difference.
fn comments(out: &mut String, comments: &[String], tone: Tone, indent: usize, style: Style) {
    for comment in comments {
        start(out, indent, Action::NoOp, style);
        out.push_str(&style.paint.tone(tone, &format!("# {comment}")));
        out.push('\n');
    }
}

fn write_lines(
    out: &mut String,
    difference: &Difference,
    lines: &[(Action, String)],
    indent: usize,
    style: Style,
) {
    out.push_str("<<-EOT");
    out.push_str(&style.forces(difference.replace));
    out.push('\n');
    for (action, text) in lines {
        let mut row = String::new();
        start(&mut row, indent + 1, *action, style);
        row.push_str(&line(text));
        out.push_str(row.trim_end());
        out.push('\n');
    }
    start(out, indent, Action::NoOp, style);
    out.push_str("EOT");
    out.push_str(&style.suffix(&Difference { replace: false, ..difference.clone() }));
}

fn write_json(
    out: &mut String,
    difference: &Difference,
    inner: &Difference,
    layout_only: bool,
    indent: usize,
    style: Style,
) {
    out.push_str("jsonencode(");
    if layout_only {
        out.push_str(&style.paint.faint(" # only the layout changes"));
    }
    out.push_str(&style.forces(difference.replace));
    out.push('\n');
    let sign = if inner.action == Action::Update { Action::Update } else { Action::NoOp };
    start(out, indent + 1, sign, style);
    let style_inside = if layout_only { style.without_null().all() } else { style.without_null() };
    write(out, inner, indent + 1, style_inside);
    out.push('\n');
    start(out, indent, Action::NoOp, style);
    out.push(')');
    out.push_str(&style.suffix(&Difference { replace: false, ..difference.clone() }));
}

fn write_statements(
    out: &mut String,
    difference: &Difference,
    lines: &[(Action, String)],
    unchanged: usize,
    indent: usize,
    style: Style,
) {
    out.push_str("statements {");
    out.push_str(&style.forces(difference.replace));
    out.push('\n');
    for (action, text) in lines {
        start(out, indent + 1, *action, style);
        out.push_str(&line(text));
        out.push('\n');
    }
    hidden(out, unchanged, "statement", indent + 1, style);
    start(out, indent, Action::NoOp, style);
    out.push('}');
}

fn write_elements(
    out: &mut String,
    difference: &Difference,
    elements: &[Difference],
    neighbours: bool,
    indent: usize,
    style: Style,
) {
    if elements.is_empty() {
        out.push_str("[]");
        out.push_str(&style.suffix(difference));
        return;
    }
    out.push('[');
    out.push_str(&style.forces(difference.replace));
    out.push('\n');
    let inside = style.without_null();
    let row = |out: &mut String, element: &Difference, style: Style| {
        comments(out, &element.remarks, Tone::Warning, indent + 1, style);
        start(out, indent + 1, element.action, style);
        write(out, element, indent + 1, style);
        out.push_str(",\n");
    };
    let mut waiting: Vec<&Difference> = Vec::new();
    let mut begun = false;
    for element in elements {
        if element.is_same() && !style.all {
            waiting.push(element);
            continue;
        }
        if !neighbours {
            row(out, element, inside);
            continue;
        }
        flush(out, &mut waiting, begun, true, indent, inside, &row);
        row(out, element, inside);
        begun = true;
    }
    match neighbours {
        true => flush(out, &mut waiting, begun, false, indent, inside, &row),
        false => hidden(out, waiting.len(), "element", indent + 1, style),
    }
    start(out, indent, Action::NoOp, style);
    out.push(']');
    out.push_str(&style.suffix(&Difference { replace: false, ..difference.clone() }));
}

/// Writes elements that stay: the nearest to a change on either side where they fit on a line, and the number of the others.
fn flush(
    out: &mut String,
    waiting: &mut Vec<&Difference>,
    after_change: bool,
    before_change: bool,
    indent: usize,
    style: Style,
    row: &dyn Fn(&mut String, &Difference, Style),
) {
    let short = |element: &&Difference| matches!(element.body, Body::Plain { .. } | Body::Sensitive);
    let shown = style.all();
    let mut rest = waiting.as_slice();
    if let Some((first, others)) = rest.split_first().filter(|(first, _)| after_change && short(first)) {
        row(out, first, shown);
        rest = others;
    }
    let last = rest.split_last().filter(|(last, _)| before_change && short(last));
    let count = last.map_or(rest.len(), |(_, others)| others.len());
    hidden(out, count, "element", indent + 1, style);
    if let Some((last, _)) = last {
        row(out, last, shown);
    }
    waiting.clear();
}

fn write_named(
    out: &mut String,
    difference: &Difference,
    named: Vec<(String, &Difference)>,
    what: &str,
    indent: usize,
    style: Style,
) {
    if named.is_empty() {
        out.push_str("{}");
        out.push_str(&style.suffix(difference));
        return;
    }
    out.push('{');
    out.push_str(&style.forces(difference.replace));
    out.push('\n');
    let width = width(named.iter().map(|(name, _)| name.as_str()));
    let mut unchanged = 0;
    for (name, entry) in &named {
        if entry.is_same() && !style.all {
            unchanged += 1;
            continue;
        }
        write_attribute(out, name, width, entry, indent + 1, style.without_null());
    }
    hidden(out, unchanged, what, indent + 1, style);
    start(out, indent, Action::NoOp, style);
    out.push('}');
    out.push_str(&style.suffix(&Difference { replace: false, ..difference.clone() }));
}

fn width<'n>(names: impl Iterator<Item = &'n str>) -> usize {
    names.map(|name| name.chars().count()).max().unwrap_or(0)
}

/// Writes `name = value` on a line of its own.
pub fn write_attribute(
    out: &mut String,
    name: &str,
    width: usize,
    difference: &Difference,
    indent: usize,
    style: Style,
) {
    comments(out, &difference.remarks, Tone::Warning, indent, style);
    start(out, indent, difference.action, style);
    // Writing into a text cannot fail.
    let _ = write!(out, "{name:width$} = ");
    write(out, difference, indent, style);
    out.push('\n');
    comments(out, &difference.footnotes, Tone::Change, indent, style);
}

fn write_block(out: &mut String, difference: &Difference, indent: usize, style: Style) {
    let Body::Block { attributes, blocks } = &difference.body else { return };
    if attributes.is_empty() && blocks.is_empty() {
        out.push_str("{}");
        out.push_str(&style.forces(difference.replace));
        return;
    }
    out.push('{');
    out.push_str(&style.forces(difference.replace));
    out.push('\n');
    let width = width(attributes.keys().map(|name| name.as_ref()));
    let mut unchanged = 0;
    for (name, attribute) in attributes {
        let always = ALWAYS.contains(&name.as_ref()) && indent == 0;
        if attribute.is_same() && !style.all && !always {
            unchanged += 1;
            continue;
        }
        let style = if always { style.all() } else { style };
        write_attribute(out, name, width, attribute, indent + 1, style);
    }
    hidden(out, unchanged, "attribute", indent + 1, style);
    let mut unchanged = 0;
    for (name, all) in blocks {
        let shown = || all.iter().filter(|block| style.all || !block.is_same());
        unchanged += all.len() - shown().count();
        for (i, block) in shown().enumerate() {
            if i == 0 && !attributes.is_empty() {
                out.push('\n');
            }
            start(out, indent + 1, block.action, style);
            out.push_str(name);
            out.push(' ');
            write(out, block, indent + 1, style);
            out.push('\n');
        }
    }
    if unchanged > 0 {
        out.push('\n');
        hidden(out, unchanged, "block", indent + 1, style);
    }
    start(out, indent, Action::NoOp, style);
    out.push('}');
}
