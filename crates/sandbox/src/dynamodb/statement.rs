//! What a PartiQL statement does to which table, as far as permission needs to know. The engine reads the rest.

use serde_json::{Map, Value};
use terrane_iam::Context;

use super::find;
use super::items::Access;
use crate::visit::Visit;

/// The access that the `Statement` of a request needs; `None` for one that is no statement, which the engine refuses.
pub(super) fn access(visit: &Visit<'_>, request: &Map<String, Value>) -> Option<Access> {
    let (action, table, index) = read(request.get("Statement")?.as_str()?)?;
    Some(Access {
        action: format!("dynamodb:{action}"),
        table: find::bare_name(visit, &table).to_owned(),
        index,
        context: Context::complete(),
    })
}

/// Action, table and index of a statement.
fn read(statement: &str) -> Option<(&'static str, String, Option<String>)> {
    let words = words(statement);
    let at = |position: usize| words.get(position);
    let is = |position: usize, keyword: &str| {
        at(position).is_some_and(|word| !word.quoted && word.text.eq_ignore_ascii_case(keyword))
    };
    let (action, position) = if is(0, "SELECT") {
        ("PartiQLSelect", (1..words.len()).find(|position| is(*position, "FROM"))? + 1)
    } else if is(0, "EXISTS") {
        ("ConditionCheckItem", (1..words.len()).find(|position| is(*position, "FROM"))? + 1)
    } else if is(0, "INSERT") {
        ("PartiQLInsert", 2)
    } else if is(0, "UPDATE") {
        ("PartiQLUpdate", 1)
    } else if is(0, "DELETE") {
        ("PartiQLDelete", 2)
    } else {
        return None;
    };
    let table = at(position)?.text.clone();
    let index = is(position + 1, ".").then(|| at(position + 2)).flatten();
    Some((action, table, index.map(|word| word.text.clone())))
}

struct Word {
    text: String,
    quoted: bool,
}

/// Splits a statement into names, quoted names, texts and single other characters.
fn words(statement: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = statement.chars().peekable();
    while let Some(first) = rest.next() {
        if first.is_whitespace() {
            continue;
        }
        let mut text = String::new();
        let quoted = matches!(first, '"' | '\'');
        if quoted {
            for next in rest.by_ref() {
                if next == first {
                    break;
                }
                text.push(next);
            }
        } else {
            text.push(first);
            let part = |c: char| c.is_alphanumeric() || "_-".contains(c);
            if part(first) {
                while let Some(next) = rest.next_if(|c| part(*c)) {
                    text.push(next);
                }
            }
        }
        words.push(Word { text, quoted });
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as(statement: &str) -> Option<(&'static str, String, Option<String>)> {
        read(statement)
    }

    #[test]
    fn tables_and_indexes_are_found() {
        let table = |action, name: &str| Some((action, name.to_owned(), None));
        assert_eq!(
            read_as("SELECT * FROM \"My.Table\" WHERE a='FROM x'"),
            table("PartiQLSelect", "My.Table")
        );
        assert_eq!(read_as("select \"from\" from Forum"), table("PartiQLSelect", "Forum"));
        assert_eq!(read_as("INSERT INTO Forum VALUE {'a':1}"), table("PartiQLInsert", "Forum"));
        assert_eq!(read_as("UPDATE \"F\" SET a=1 WHERE k='1'"), table("PartiQLUpdate", "F"));
        assert_eq!(read_as("DELETE FROM F-1 WHERE k='1'"), table("PartiQLDelete", "F-1"));
        assert_eq!(
            read_as("SELECT * FROM \"F\".\"by-name\""),
            Some(("PartiQLSelect", "F".to_owned(), Some("by-name".to_owned())))
        );
        for nonsense in ["", "SELECT", "SELECT * FROM", "DROP TABLE x", "\"SELECT\" * FROM x", "'"] {
            assert_eq!(read_as(nonsense), None, "{nonsense}");
        }
    }
}
