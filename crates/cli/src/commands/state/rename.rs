//! `terrane state mv`: gives objects other addresses, one by one, by resource or by module.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_model::address::{ModulePath, ModuleStep};
use terrane_model::{Address, Diagnostic};
use terrane_plan::moves::rewrite_dependencies;
use terrane_state::Snapshot;
use terrane_state::journal::{Change, Outcome};

use super::{absent, addresses, looked_up};
use crate::cli::Lock;
use crate::exit::{Ended, Exit, Problem};
use crate::terminal::Terminal;

/// Runs the command.
pub fn run(from: &str, to: &str, dry_run: bool, lock: &Lock, terminal: &Terminal) -> Ended {
    let find = |snapshot: &_| moves(from, to, snapshot);
    let (mut store, moves) = looked_up(lock, "OperationTypeStateMv", terminal, find)?;
    for (old, new) in &moves {
        let verb = if dry_run { "Would move" } else { "Move" };
        terminal.say(&format!("{verb} \"{old}\" to \"{new}\"\n"));
        if !dry_run {
            store.outcome(Outcome::of(old.clone(), None, Change::Rename { to: new.clone() }))?;
        }
    }
    if dry_run {
        store.leave()?;
        return Ok(Exit::Done);
    }
    let previous: BTreeMap<Address, Address> =
        moves.iter().map(|(old, new)| (new.clone(), old.clone())).collect();
    rewrite_dependencies(store.snapshot_mut(), &previous);
    store.finish()?;
    terminal.say(&format!("Successfully moved {} object(s).\n", previous.len()));
    Ok(Exit::Done)
}

/// What is named: a module, or a resource or one of its instances.
enum Named {
    Module(ModulePath),
    Object(Address),
}

fn read(text: &str) -> Result<Named, Problem> {
    let parsed = text.parse::<Address>();
    // With a resource behind it the address of a module is one of a resource.
    match (parsed, format!("{text}.t.n").parse::<Address>()) {
        (Ok(address), _) => Ok(Named::Object(address)),
        (Err(_), Ok(inside)) if inside.key.is_none() && inside.resource.module.to_string() == text => {
            Ok(Named::Module(inside.resource.module))
        }
        (Err(error), _) => {
            Err(Diagnostic::error("invalid-address", "Invalid address", format!("{error}.")).into())
        }
    }
}

fn refused(detail: String) -> Problem {
    Diagnostic::error("not-movable", "Object not movable", detail).into()
}

/// Every object that moves, with its new address.
fn moves(from: &str, to: &str, snapshot: &Snapshot) -> Result<Vec<(Address, Address)>, Problem> {
    let moves = match (read(from)?, read(to)?) {
        (Named::Module(old), Named::Module(new)) => of_module(&old, &new, snapshot),
        (Named::Object(old), Named::Object(new)) => {
            if old.resource.type_name != new.resource.type_name || old.resource.mode != new.resource.mode {
                return Err(refused(format!("`{from}` and `{to}` are of different types.")));
            }
            of_object(&old, &new, snapshot)
        }
        _ => return Err(refused(format!("Of `{from}` and `{to}` one is a module, and the other is none."))),
    };
    if moves.is_empty() {
        return Err(absent(from, snapshot).into());
    }
    for (old, new) in &moves {
        if snapshot.instance(new).is_some() {
            return Err(refused(format!("There is an object at `{new}` already.")));
        }
        let provider = |address: &Address| snapshot.resource(&address.resource).map(|r| r.provider.as_str());
        if let (Some(here), Some(there)) = (provider(old), provider(new))
            && here != there
        {
            return Err(refused(format!(
                "`{old}` belongs to `{here}`, and what is at `{}` already belongs to `{there}`.",
                new.resource
            )));
        }
    }
    Ok(moves)
}

/// One object, or all instances of a resource under their keys.
fn of_object(old: &Address, new: &Address, snapshot: &Snapshot) -> Vec<(Address, Address)> {
    if snapshot.instance(old).is_some() {
        return vec![(old.clone(), new.clone())];
    }
    let all = addresses(snapshot).into_iter();
    all.filter(|address| old.key.is_none() && new.key.is_none() && address.resource == old.resource)
        .map(|address| (address.clone(), new.resource.instance(address.key)))
        .collect()
}

/// All that is in a module instance. Without a key it is the instance without one, or else all instances under their keys.
fn of_module(old: &ModulePath, new: &ModulePath, snapshot: &Snapshot) -> Vec<(Address, Address)> {
    let Some((last, around)) = old.0.split_last() else { return vec![] };
    let Some((new_last, new_around)) = new.0.split_last() else { return vec![] };
    let all = addresses(snapshot);
    // The steps behind the module's, with the key of its own.
    let inside = |address: &Address, exactly: bool| -> Option<(Option<_>, Vec<ModuleStep>)> {
        let steps = address.resource.module.0.strip_prefix(around)?;
        let (step, rest) = steps.split_first()?;
        let same = step.name == last.name && (step.key == last.key || (!exactly && last.key.is_none()));
        same.then(|| (step.key.clone(), rest.to_vec()))
    };
    let exactly = all.iter().any(|address| inside(address, true).is_some());
    if !exactly && new_last.key.is_some() {
        return vec![];
    }
    let moved = |address: &Address| -> Option<(Address, Address)> {
        let (key, rest) = inside(address, exactly)?;
        let key = if exactly { new_last.key.clone() } else { key };
        let step = ModuleStep { name: new_last.name.clone(), key };
        let path: Arc<[ModuleStep]> = new_around.iter().cloned().chain([step]).chain(rest).collect();
        let mut new = address.clone();
        new.resource.module = ModulePath(path);
        Some((address.clone(), new))
    };
    all.iter().filter_map(moved).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::snapshot;
    use super::*;
    use terrane_state::Object;

    fn moved(from: &str, to: &str, snapshot: &Snapshot) -> Vec<String> {
        moves(from, to, snapshot).unwrap().iter().map(|(old, new)| format!("{old} > {new}")).collect()
    }

    #[test]
    fn a_resource_moves_with_all_its_instances() {
        let snapshot = snapshot(&["aws_a.b[0]", "aws_a.b[1]", "aws_a.c"]);
        assert_eq!(
            moved("aws_a.b", "aws_a.d", &snapshot),
            ["aws_a.b[0] > aws_a.d[0]", "aws_a.b[1] > aws_a.d[1]"]
        );
        assert_eq!(moved("aws_a.b[0]", "aws_a.e[\"k\"]", &snapshot), ["aws_a.b[0] > aws_a.e[\"k\"]"]);
        assert_eq!(moved("aws_a.c", "module.m.aws_a.c", &snapshot), ["aws_a.c > module.m.aws_a.c"]);
        for (from, to, code) in [
            ("aws_a.b[0]", "aws_a.c", "not-movable"),
            ("aws_a.b", "aws_x.b", "not-movable"),
            ("aws_a.b", "aws_a.x[0]", "not-in-state"),
            ("aws_a.zz", "aws_a.y", "not-in-state"),
            ("aws_a.c", "module.m", "not-movable"),
            ("nonsense", "aws_a.y", "invalid-address"),
            ("aws_a.c", "aws_a.y[", "invalid-address"),
        ] {
            let problem = moves(from, to, &snapshot).unwrap_err();
            assert_eq!(problem.diagnostics.first().map(|d| d.code), Some(code), "{from} {to}");
        }
    }

    #[test]
    fn a_module_moves_with_all_that_is_in_it() {
        let all = [
            "module.a.t.x",
            "module.a.module.b[0].t.y[\"k\"]",
            "module.ab.t.x",
            "module.c[0].t.x",
            "module.c[1].t.x",
        ];
        let snapshot = snapshot(&all);
        assert_eq!(
            moved("module.a", "module.n[1]", &snapshot),
            [
                "module.a.t.x > module.n[1].t.x",
                "module.a.module.b[0].t.y[\"k\"] > module.n[1].module.b[0].t.y[\"k\"]"
            ]
        );
        assert_eq!(
            moved("module.c", "module.d", &snapshot),
            ["module.c[0].t.x > module.d[0].t.x", "module.c[1].t.x > module.d[1].t.x"]
        );
        assert_eq!(
            moved("module.c[1]", "module.a.module.c", &snapshot),
            ["module.c[1].t.x > module.a.module.c.t.x"]
        );
        assert_eq!(
            moved("module.a.module.b", "module.b", &snapshot),
            ["module.a.module.b[0].t.y[\"k\"] > module.b[0].t.y[\"k\"]"]
        );
        for (from, to, code) in [
            ("module.a", "module.ab", "not-movable"),
            ("module.c", "module.d[0]", "not-in-state"),
            ("module.x", "module.y", "not-in-state"),
            ("module.a", "t.x", "not-movable"),
            ("module.", "module.y", "invalid-address"),
            ("module", "module.y", "invalid-address"),
        ] {
            let problem = moves(from, to, &snapshot).unwrap_err();
            assert_eq!(problem.diagnostics.first().map(|d| d.code), Some(code), "{from} {to}");
        }
    }

    #[test]
    fn a_resource_has_one_provider() {
        let mut snapshot = snapshot(&["aws_a.b[0]"]);
        snapshot.put(&"aws_a.c[0]".parse().unwrap(), "another", Object::default());
        let problem = moves("aws_a.b[0]", "aws_a.c[1]", &snapshot).unwrap_err();
        assert!(problem.diagnostics.iter().any(|d| d.detail.contains("`another`")), "{problem:?}");
    }
}
