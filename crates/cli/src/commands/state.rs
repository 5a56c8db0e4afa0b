//! `terrane state`: looks at the state, and moves things in it.

use std::fs;
use std::io::Read;
use std::path::Path;

use terrane_model::nearest::nearest;
use terrane_model::{Address, Diagnostic};
use terrane_state::journal::{Change, Outcome};
use terrane_state::store::UNSAVED;
use terrane_state::{Snapshot, Store};

use crate::cli::{Lock, State};
use crate::encryption::file_in_the_clear;
use crate::exit::{Ended, Exit, Problem};
use crate::render::{state, state_json};
use crate::session;
use crate::stack::state_backend;
use crate::terminal::Terminal;
use crate::work::{nothing_open, open_store};

/// Runs the command.
pub fn run(command: State, terminal: &Terminal) -> Ended {
    match command {
        State::List { addresses } => list(&addresses, terminal),
        State::Show { address } => show(&address, terminal),
        State::Pull => pull(terminal),
        State::Push { file, force, lock } => push(&file, force, &lock, terminal),
        State::Migrate { force, lock } => super::migrate::run(force, &lock, terminal),
        State::Rm { addresses, dry_run, lock } => remove(&addresses, dry_run, &lock, terminal),
        State::Mv { from, to, dry_run, lock } => rename(&from, &to, dry_run, &lock, terminal),
    }
}

fn peek() -> Result<Option<Snapshot>, Problem> {
    let mut backend = state_backend()?;
    Ok(Store::peek(backend.as_mut())?)
}

fn list(filters: &[String], terminal: &Terminal) -> Ended {
    let snapshot = peek()?;
    let all = snapshot.iter().flat_map(addresses);
    let shown: Vec<Address> =
        all.filter(|address| filters.is_empty() || filters.iter().any(|f| covers(f, address))).collect();
    match terminal.json {
        true => {
            let names: Vec<String> = shown.iter().map(ToString::to_string).collect();
            terminal.say(&format!("{:#}\n", serde_json::json!(names)));
        }
        false => terminal.say(&shown.iter().map(|address| format!("{address}\n")).collect::<String>()),
    }
    Ok(Exit::Done)
}

fn addresses(snapshot: &Snapshot) -> Vec<Address> {
    snapshot.instances().map(|(address, _, _)| address).collect()
}

/// Whether an address is the named object, or belongs to the named resource or module.
fn covers(filter: &str, address: &Address) -> bool {
    let text = address.to_string();
    text.strip_prefix(filter).is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
}

fn show(address: &Address, terminal: &Terminal) -> Ended {
    let snapshot = peek()?.unwrap_or_else(|| Snapshot::empty(""));
    let Some(object) = snapshot.get(address) else {
        return Err(absent(&address.to_string(), &snapshot).into());
    };
    let catalog = session::catalog();
    let text = match terminal.json {
        true => format!("{:#}\n", state_json::one(address, &snapshot, object, &catalog)),
        false => state::one(address, None, object, &catalog, terminal.paint),
    };
    terminal.say(&text);
    Ok(Exit::Done)
}

fn absent(name: &str, snapshot: &Snapshot) -> Diagnostic {
    let all: Vec<String> = addresses(snapshot).iter().map(ToString::to_string).collect();
    let near = nearest(name, all.iter().map(String::as_str));
    let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
    let detail = format!("The state has no `{name}`.{near}");
    Diagnostic::error("not-in-state", "Object not in the state", detail)
        .hint("`terrane state list` names all objects.")
}

fn pull(terminal: &Terminal) -> Ended {
    let Some(snapshot) = peek()? else { return Ok(Exit::Done) };
    terminal.say(&String::from_utf8_lossy(&terrane_state::render(&snapshot)));
    Ok(Exit::Done)
}

fn push(file: &Path, force: bool, lock: &Lock, terminal: &Terminal) -> Ended {
    let unreadable = |error: std::io::Error| {
        let detail = format!("`{}` can't be read: {error}.", file.display());
        Diagnostic::error("unreadable-file", "File not readable", detail)
    };
    let bytes = match file == Path::new("-") {
        true => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map_err(unreadable)?;
            bytes
        }
        false => fs::read(file).map_err(unreadable)?,
    };
    let bytes = file_in_the_clear(file, bytes)?;
    let pushed = terrane_state::parse(&bytes)
        .map_err(|source| terrane_state::StateError::Format { place: file.display().to_string(), source })?;
    let mut store = open_store(state_backend()?, lock, "OperationTypeStatePush", &pushed.lineage, terminal)?;
    let current = store.snapshot().version();
    let unsaved = pushed.terrane.contains_key(UNSAVED);
    let refused = match () {
        () if force => None,
        () if current.lineage != pushed.lineage => Some(format!(
            "It is of the lineage `{}`, and the present state of `{}`.",
            pushed.lineage, current.lineage
        )),
        () if current.serial > pushed.serial || (unsaved && current.serial == pushed.serial) => {
            Some(format!("It has the serial {}, and the present state {}.", pushed.serial, current.serial))
        }
        () => None,
    };
    if let Some(why) = refused {
        store.leave()?;
        let detail = format!("The state in `{}` does not follow the present one. {why}", file.display());
        let error = Diagnostic::error("state-refused", "State refused", detail);
        return Err(error.hint("`--force` puts it in its place nevertheless.").into());
    }
    if unsaved && current.lineage == pushed.lineage {
        let taken = store.take_unsaved(pushed);
        store.finish()?;
        taken?;
        return Ok(Exit::Done);
    }
    if let Err(problem) = nothing_open(&store) {
        store.leave()?;
        return Err(problem);
    }
    *store.snapshot_mut() = Snapshot { serial: current.serial, lineage: current.lineage, ..pushed };
    store.finish()?;
    Ok(Exit::Done)
}

fn remove(filters: &[String], dry_run: bool, lock: &Lock, terminal: &Terminal) -> Ended {
    let mut store = open_store(state_backend()?, lock, "OperationTypeStateRm", "", terminal)?;
    let found = nothing_open(&store).and_then(|()| {
        let all = addresses(store.snapshot());
        let missing = filters.iter().find(|filter| !all.iter().any(|address| covers(filter, address)));
        match missing {
            Some(filter) => Err(absent(filter, store.snapshot()).into()),
            None => Ok(all.into_iter().filter(|a| filters.iter().any(|f| covers(f, a))).collect::<Vec<_>>()),
        }
    });
    let found = match found {
        Ok(found) => found,
        Err(problem) => {
            store.leave()?;
            return Err(problem);
        }
    };
    for address in &found {
        let verb = if dry_run { "Would remove" } else { "Removed" };
        terminal.say(&format!("{verb} {address}\n"));
        if dry_run {
            continue;
        }
        let deposed: Vec<String> = store
            .snapshot()
            .instance(address)
            .map(|i| i.deposed.keys().cloned().collect())
            .unwrap_or_default();
        for key in deposed {
            store.outcome(Outcome::of(address.clone(), None, Change::Remove).deposed(key))?;
        }
        if store.snapshot().get(address).is_some() {
            store.outcome(Outcome::of(address.clone(), None, Change::Remove))?;
        }
    }
    match dry_run {
        true => store.leave()?,
        false => drop(store.finish()?),
    }
    Ok(Exit::Done)
}

fn rename(from: &str, to: &str, dry_run: bool, lock: &Lock, terminal: &Terminal) -> Ended {
    let mut store = open_store(state_backend()?, lock, "OperationTypeStateMv", "", terminal)?;
    let moves = match nothing_open(&store).and_then(|()| moves(from, to, store.snapshot())) {
        Ok(moves) => moves,
        Err(problem) => {
            store.leave()?;
            return Err(problem);
        }
    };
    for (old, new) in moves {
        let verb = if dry_run { "Would move" } else { "Moved" };
        terminal.say(&format!("{verb} \"{old}\" to \"{new}\"\n"));
        if !dry_run {
            store.outcome(Outcome::of(old, None, Change::Rename { to: new }))?;
        }
    }
    match dry_run {
        true => store.leave()?,
        false => drop(store.finish()?),
    }
    Ok(Exit::Done)
}

/// One object, or all instances of a resource under their keys.
fn moves(from: &str, to: &str, snapshot: &Snapshot) -> Result<Vec<(Address, Address)>, Problem> {
    let read = |text: &str| {
        text.parse::<Address>().map_err(|error| {
            Problem::usage(Diagnostic::error("invalid-address", "Invalid address", format!("{error}.")))
        })
    };
    let (old, new) = (read(from)?, read(to)?);
    let refuse = |detail: String| Err(Diagnostic::error("not-movable", "Object not movable", detail).into());
    if old.resource.type_name != new.resource.type_name || old.resource.mode != new.resource.mode {
        return refuse(format!("`{from}` and `{to}` are of different types."));
    }
    let moves: Vec<(Address, Address)> = match snapshot.instance(&old) {
        Some(_) => vec![(old, new)],
        None => addresses(snapshot)
            .into_iter()
            .filter(|address| old.key.is_none() && new.key.is_none() && address.resource == old.resource)
            .map(|address| (address.clone(), new.resource.instance(address.key)))
            .collect(),
    };
    if moves.is_empty() {
        return Err(absent(from, snapshot).into());
    }
    if let Some((_, taken)) = moves.iter().find(|(_, new)| snapshot.instance(new).is_some()) {
        return refuse(format!("There is an object at `{taken}` already."));
    }
    Ok(moves)
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrane_state::Object;

    fn snapshot(all: &[&str]) -> Snapshot {
        let mut snapshot = Snapshot::empty("l");
        for address in all {
            snapshot.put(&address.parse().unwrap(), "p", Object::default());
        }
        snapshot
    }

    #[test]
    fn a_name_covers_what_belongs_to_it() {
        let address: Address = r#"module.m.aws_a.b["x"]"#.parse().unwrap();
        for filter in [r#"module.m.aws_a.b["x"]"#, "module.m.aws_a.b", "module.m"] {
            assert!(covers(filter, &address), "{filter}");
        }
        for filter in ["mod", "module.m.aws", "module.m.aws_a.bb", r#"module.m.aws_a.b["y"]"#] {
            assert!(!covers(filter, &address), "{filter}");
        }
    }

    #[test]
    fn a_resource_moves_with_all_its_instances() {
        let snapshot = snapshot(&["aws_a.b[0]", "aws_a.b[1]", "aws_a.c"]);
        let moved = moves("aws_a.b", "aws_a.d", &snapshot).unwrap();
        assert_eq!(
            moved.iter().map(|(_, new)| new.to_string()).collect::<Vec<_>>(),
            ["aws_a.d[0]", "aws_a.d[1]"]
        );
        let one = moves("aws_a.b[0]", "aws_a.e[\"k\"]", &snapshot).unwrap();
        assert_eq!(one.len(), 1);
        for (from, to, code) in [
            ("aws_a.b[0]", "aws_a.c", "not-movable"),
            ("aws_a.b", "aws_x.b", "not-movable"),
            ("aws_a.zz", "aws_a.y", "not-in-state"),
            ("nonsense", "aws_a.y", "invalid-address"),
        ] {
            let problem = moves(from, to, &snapshot).unwrap_err();
            assert_eq!(problem.diagnostics.first().map(|d| d.code), Some(code), "{from} {to}");
        }
    }
}
