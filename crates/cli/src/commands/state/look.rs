//! `terrane state list`, `show` and `pull`: look, and need no lock.

use terrane_model::{Address, Diagnostic};
use terrane_state::{Object, Snapshot};

use super::{absent, addresses, covered, covers, peek};
use crate::exit::{Ended, Exit, Problem};
use crate::render::{state, state_json};
use crate::session;
use crate::terminal::Terminal;

/// Lists the objects, all or some.
pub fn list(filters: &[String], id: Option<&str>, terminal: &Terminal) -> Ended {
    let snapshot = peek()?.unwrap_or_else(|| Snapshot::empty(""));
    let mut shown = match filters {
        [] => addresses(&snapshot),
        _ => covered(filters, &snapshot)?,
    };
    if let Some(id) = id {
        shown.retain(|address| snapshot.get(address).and_then(Object::id) == Some(id));
    }
    match terminal.json {
        true => {
            let names: Vec<String> = shown.iter().map(ToString::to_string).collect();
            terminal.say(&format!("{:#}\n", serde_json::json!(names)));
        }
        false => terminal.say(&shown.iter().map(|address| format!("{address}\n")).collect::<String>()),
    }
    Ok(Exit::Done)
}

/// Shows one object.
pub fn show(name: &str, terminal: &Terminal) -> Ended {
    let snapshot = peek()?.unwrap_or_else(|| Snapshot::empty(""));
    let (address, object) = one(name, &snapshot)?;
    let catalog = session::catalog();
    let text = match terminal.json {
        true => format!("{:#}\n", state_json::one(&address, &snapshot, object, &catalog)),
        false => state::one(&address, None, object, &catalog, terminal.paint),
    };
    terminal.say(&text);
    Ok(Exit::Done)
}

/// The one object that is called so.
fn one<'s>(name: &str, snapshot: &'s Snapshot) -> Result<(Address, &'s Object), Problem> {
    let address = name.parse::<Address>();
    if let Some((address, object)) = address.as_ref().ok().and_then(|a| Some((a.clone(), snapshot.get(a)?))) {
        return Ok((address, object));
    }
    const SHOWN: usize = 5;
    let within: Vec<String> =
        addresses(snapshot).iter().filter(|a| covers(name, a)).map(|a| format!("`{a}`")).collect();
    let error = match (within.as_slice(), address) {
        ([], Err(bad)) => {
            let near = absent(name, snapshot).detail;
            Diagnostic::error("invalid-address", "Invalid address", format!("{bad}. {near}"))
        }
        ([], Ok(_)) => absent(name, snapshot),
        (many, _) => {
            let shown = many.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
            let more = if many.len() > SHOWN { ", …" } else { "" };
            let detail = format!("`{name}` is not one object. The state has {shown}{more} there.");
            Diagnostic::error("ambiguous-address", "Ambiguous address", detail).hint("Name one of them.")
        }
    };
    Err(error.into())
}

/// Writes the state, as it would be pushed.
pub fn pull(terminal: &Terminal) -> Ended {
    let Some(snapshot) = peek()? else { return Ok(Exit::Done) };
    terminal.say(&String::from_utf8_lossy(&terrane_state::render(&snapshot)));
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::super::tests::snapshot;
    use super::*;

    #[test]
    fn one_object_or_why_not() {
        let snapshot = snapshot(&["aws_a.b[0]", "aws_a.b[1]", "aws_a.c"]);
        assert_eq!(one("aws_a.c", &snapshot).unwrap().0.to_string(), "aws_a.c");
        for (name, code) in
            [("aws_a.b", "ambiguous-address"), ("aws_a.x", "not-in-state"), ("aws_a", "invalid-address")]
        {
            let problem = one(name, &snapshot).unwrap_err();
            assert_eq!(problem.diagnostics.first().map(|d| d.code), Some(code), "{name}");
        }
    }
}
