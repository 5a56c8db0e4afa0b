//! A spec as it is printed: tables with their comments.

use terrane_spec::write::key;

/// Tables side by side, in the order in which they are printed.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) table: Table,
}

/// Keys with values, and the tables below them.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
    pub(crate) tables: Vec<Sub>,
    /// The comment behind what opens the table.
    pub(crate) opening: Option<String>,
    /// Comments behind the last entry.
    pub(crate) tail: Vec<String>,
}

/// A key with its value.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) before: Vec<String>,
    pub(crate) name: String,
    pub(crate) value: Value,
    pub(crate) after: Option<String>,
}

/// A table with a header of its own.
#[derive(Debug)]
pub(crate) struct Sub {
    pub(crate) before: Vec<String>,
    /// Its names below the table around it.
    pub(crate) path: Vec<String>,
    /// Whether it is one of several under this path.
    pub(crate) repeated: bool,
    /// Whether it may be written on one line, as the value of its key.
    pub(crate) small: bool,
    pub(crate) table: Table,
}

/// What a key has.
#[derive(Debug)]
pub(crate) enum Value {
    /// As TOML writes it.
    Scalar(String),
    Array(Vec<Element>, Vec<String>),
    Table(Table),
}

/// An element of an array.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) before: Vec<String>,
    pub(crate) value: Value,
    pub(crate) after: Option<String>,
}

/// The longest line that a table or an array is written on.
const LONG: usize = 96;

impl Document {
    /// The text, before it is laid out.
    pub(crate) fn print(&self) -> String {
        let mut out = String::new();
        body(&mut out, &self.table, &[]);
        let start = out.len() - out.trim_start_matches('\n').len();
        out.split_off(start)
    }
}

fn comment(out: &mut String, lines: &[String]) {
    for line in lines {
        match line.trim_end() {
            "" if line.is_empty() => out.push('\n'),
            "" => out.push_str("#\n"),
            text => {
                out.push_str("# ");
                // TOML refuses control characters in comments.
                out.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
                out.push('\n');
            }
        }
    }
}

fn line(out: &mut String, text: &str, after: Option<&String>) {
    out.push_str(text);
    if let Some(after) = after {
        out.push_str(" # ");
        out.extend(after.chars().map(|c| if c.is_control() { ' ' } else { c }));
    }
    out.push('\n');
}

fn body(out: &mut String, table: &Table, path: &[String]) {
    let mut below = Vec::new();
    for entry in &table.entries {
        match of_key(entry) {
            Some(text) => {
                comment(out, &entry.before);
                line(out, &text, entry.after.as_ref());
            }
            None => below.push(entry),
        }
    }
    for sub in &table.tables {
        if let Some(text) = beside(sub) {
            comment(out, &sub.before);
            line(out, &text, sub.table.opening.as_ref());
        }
    }
    // Where there are tables alone, what stands at the end stands behind the last of them.
    let ends = table.entries.is_empty();
    if !ends {
        comment(out, &table.tail);
    }
    for entry in below {
        let path = joined(path, std::slice::from_ref(&entry.name));
        let before = [entry.before.clone(), entry.after.clone().into_iter().collect()].concat();
        match &entry.value {
            Value::Table(inside) => section(out, &before, &path, false, inside),
            Value::Array(elements, _) => {
                let mut before = before;
                for element in elements {
                    before.extend(element.before.iter().cloned());
                    before.extend(element.after.clone());
                    if let Value::Table(inside) = &element.value {
                        section(out, &before, &path, true, inside);
                    }
                    before.clear();
                }
            }
            Value::Scalar(_) => {}
        }
    }
    for sub in &table.tables {
        if beside(sub).is_none() {
            section(out, &sub.before, &joined(path, &sub.path), sub.repeated, &sub.table);
        }
    }
    if ends {
        comment(out, &table.tail);
    }
}

/// A key with its value, unless the value is a table, or tables, with headers of their own.
fn of_key(entry: &Entry) -> Option<String> {
    let text = match &entry.value {
        Value::Array(elements, tail) => match short(&entry.value) {
            Some(text) => text,
            None if !tail.is_empty() || !are_tables(elements) => array(elements, tail),
            None => return None,
        },
        value => short(value)?,
    };
    Some(format!("{} = {text}", key(&entry.name)))
}

/// A table as the value of its key, where it is a small one.
fn beside(sub: &Sub) -> Option<String> {
    let [name] = sub.path.as_slice() else { return None };
    let text = on_one_line(&sub.table).filter(|_| sub.small && !sub.repeated)?;
    let text = format!("{} = {text}", key(name));
    (text.len() <= LONG).then_some(text)
}

fn section(out: &mut String, before: &[String], path: &[String], repeated: bool, table: &Table) {
    let is_empty = table.tail.is_empty()
        && table.opening.is_none()
        && table.entries.iter().all(|entry| of_key(entry).is_none())
        && table.tables.iter().all(|sub| beside(sub).is_none());
    // The table of a path that only leads to others.
    let has_more = !table.tables.is_empty() || !table.entries.is_empty();
    let leads_on = is_empty && has_more && before.is_empty() && !repeated;
    if !leads_on {
        out.push('\n');
        let start = before.iter().take_while(|line| line.is_empty()).count();
        comment(out, before.get(start..).unwrap_or_default());
        let header = path.iter().map(|name| key(name)).collect::<Vec<_>>().join(".");
        let header = if repeated { format!("[[{header}]]") } else { format!("[{header}]") };
        line(out, &header, table.opening.as_ref());
    }
    body(out, table, path);
}

fn joined(path: &[String], below: &[String]) -> Vec<String> {
    path.iter().chain(below).cloned().collect()
}

/// Whether `[[header]]`s say the same.
fn are_tables(elements: &[Element]) -> bool {
    !elements.is_empty() && elements.iter().all(|e| matches!(e.value, Value::Table(_)))
}

/// The value on one line, where that is a short one and loses no comment.
fn short(value: &Value) -> Option<String> {
    let text = match value {
        // A string over several lines is as long as it is.
        Value::Scalar(text) => return Some(text.clone()),
        Value::Array(..) => {
            let (text, comments) = one_line(value);
            if !comments.is_empty() || text.contains('\n') {
                return None;
            }
            text
        }
        Value::Table(table) => on_one_line(table)?,
    };
    (text.len() <= LONG).then_some(text)
}

/// A table as the value of a key.
fn on_one_line(table: &Table) -> Option<String> {
    if !table.tables.is_empty() || !table.tail.is_empty() {
        return None;
    }
    let mut entries = Vec::new();
    for entry in &table.entries {
        if entry.before.iter().any(|line| !line.is_empty()) || entry.after.is_some() {
            return None;
        }
        let text = short(&entry.value).filter(|text| !text.contains('\n'))?;
        entries.push(format!("{} = {text}", key(&entry.name)));
    }
    Some(braced(&entries))
}

fn braced(entries: &[String]) -> String {
    if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
}

/// An array over several lines, each element on its own.
fn array(elements: &[Element], tail: &[String]) -> String {
    let mut out = String::from("[\n");
    for element in elements {
        comment(&mut out, &element.before);
        match &element.value {
            value @ Value::Array(inside, tail) => {
                let text = short(value).unwrap_or_else(|| array(inside, tail));
                line(&mut out, &format!("{text},"), element.after.as_ref());
            }
            value => {
                let (text, comments) = one_line(value);
                comment(&mut out, &comments);
                line(&mut out, &format!("{text},"), element.after.as_ref());
            }
        }
    }
    comment(&mut out, tail);
    out.push(']');
    out
}

/// The value on one line, however long, and the comments that have no place there.
fn one_line(value: &Value) -> (String, Vec<String>) {
    let mut comments = Vec::new();
    let text = match value {
        Value::Scalar(text) => text.clone(),
        Value::Array(elements, tail) => {
            let mut texts = Vec::new();
            for element in elements {
                let (text, inside) = one_line(&element.value);
                comments.extend(element.before.iter().filter(|line| !line.is_empty()).cloned());
                comments.extend(element.after.clone());
                comments.extend(inside);
                texts.push(text);
            }
            comments.extend(tail.iter().filter(|line| !line.is_empty()).cloned());
            format!("[{}]", texts.join(", "))
        }
        Value::Table(table) => {
            let mut texts = Vec::new();
            comments.extend(table.opening.clone());
            for entry in &table.entries {
                let (text, inside) = one_line(&entry.value);
                comments.extend(entry.before.iter().filter(|line| !line.is_empty()).cloned());
                comments.extend(entry.after.clone());
                comments.extend(inside);
                texts.push(format!("{} = {text}", key(&entry.name)));
            }
            comments.extend(table.tail.iter().filter(|line| !line.is_empty()).cloned());
            braced(&texts)
        }
    };
    (text, comments)
}
