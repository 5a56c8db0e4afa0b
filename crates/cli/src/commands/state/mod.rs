//! `terrane state`: looks at the state, and moves things in it. This file says what can be asked for, and what addresses
//! mean.

mod look;
pub mod push;
mod remove;
mod rename;
mod replace_provider;

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Subcommand, ValueHint};
use terrane_model::address::{ModulePath, ModuleStep};
use terrane_model::nearest::nearest;
use terrane_model::{Address, Diagnostic};
use terrane_state::{Snapshot, Store};

use crate::cli::Lock;
use crate::exit::{Ended, Problem};
use crate::stack::state_backend;
use crate::terminal::Terminal;
use crate::work::{nothing_open, open_store};

/// The commands.
#[derive(Debug, Subcommand)]
pub enum State {
    /// List the objects
    List {
        /// Only these: an object, or all of a resource or module
        addresses: Vec<String>,
        /// Only what has this `id`
        #[arg(long, value_name = "ID")]
        id: Option<String>,
    },
    /// Show one object
    Show {
        /// The object
        address: String,
    },
    /// Write the state to standard output
    Pull,
    /// Replace the state
    Push {
        /// The new state; `-` reads standard input
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Though it is of another lineage or older
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        lock: Lock,
    },
    /// Copy the state to where the spec says it is now, or encrypt it as the spec says
    Migrate {
        /// Write over a state that is there already; encrypt anew though the method is the same
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        lock: Lock,
    },
    /// Take objects out of the state and leave them in AWS
    Rm {
        /// The objects: instances, or all of a resource or module
        #[arg(required = true)]
        addresses: Vec<String>,
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        lock: Lock,
    },
    /// Give an object, or all of a resource or module, another address
    Mv {
        /// What it is called now
        from: String,
        /// What it is to be called
        to: String,
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        lock: Lock,
    },
    /// Say that objects belong to another provider
    ReplaceProvider {
        /// The provider that they belong to, such as `registry.opentofu.org/hashicorp/aws`
        from: String,
        /// The provider that they are to belong to, such as `hashicorp/aws`
        to: String,
        /// Don't ask
        #[arg(long)]
        auto_approve: bool,
        #[command(flatten)]
        lock: Lock,
    },
}

/// Runs the command.
pub fn run(command: State, terminal: &Terminal) -> Ended {
    match command {
        State::List { addresses, id } => look::list(&addresses, id.as_deref(), terminal),
        State::Show { address } => look::show(&address, terminal),
        State::Pull => look::pull(terminal),
        State::Push { file, force, lock } => push::run(&file, force, &lock, terminal),
        State::Migrate { force, lock } => super::migrate::run(force, &lock, terminal),
        State::Rm { addresses, dry_run, lock } => remove::run(&addresses, dry_run, &lock, terminal),
        State::Mv { from, to, dry_run, lock } => rename::run(&from, &to, dry_run, &lock, terminal),
        State::ReplaceProvider { from, to, auto_approve, lock } => {
            replace_provider::run(&from, &to, auto_approve, &lock, terminal)
        }
    }
}

/// The state as it is, read without lock.
fn peek() -> Result<Option<Snapshot>, Problem> {
    let mut backend = state_backend()?;
    Ok(Store::peek(backend.as_mut())?)
}

/// Locks the state, and finds in it what is to be done. What can't be found changes nothing.
fn looked_up<T>(
    lock: &Lock,
    operation: &str,
    terminal: &Terminal,
    find: impl FnOnce(&Snapshot) -> Result<T, Problem>,
) -> Result<(Store, T), Problem> {
    let store = open_store(state_backend()?, lock, operation, "", terminal)?;
    match nothing_open(&store).and_then(|()| find(store.snapshot())) {
        Ok(found) => Ok((store, found)),
        Err(problem) => {
            store.leave()?;
            Err(problem)
        }
    }
}

fn addresses(snapshot: &Snapshot) -> Vec<Address> {
    snapshot.instances().map(|(address, _, _)| address).collect()
}

/// Whether an address is the named object, or belongs to the named resource or module.
fn covers(filter: &str, address: &Address) -> bool {
    let resource = &address.resource;
    let is_module = |length: usize| {
        let mut steps: Vec<ModuleStep> = resource.module.0.iter().take(length).cloned().collect();
        let named = |steps: &[ModuleStep]| ModulePath(steps.into()).to_string() == filter;
        named(&steps) || {
            // Without a key it is the whole call.
            steps.iter_mut().last().into_iter().for_each(|step| step.key = None);
            named(&steps)
        }
    };
    address.to_string() == filter
        || resource.to_string() == filter
        || (1..=resource.module.0.len()).any(is_module)
}

/// The objects that the names stand for, in the order of the state.
///
/// # Errors
/// When one of them stands for nothing.
fn covered(filters: &[String], snapshot: &Snapshot) -> Result<Vec<Address>, Problem> {
    let all = addresses(snapshot);
    if let Some(filter) = filters.iter().find(|filter| !all.iter().any(|address| covers(filter, address))) {
        return Err(absent(filter, snapshot).into());
    }
    Ok(all.into_iter().filter(|address| filters.iter().any(|filter| covers(filter, address))).collect())
}

/// What can be named: objects, resources, modules.
fn names(snapshot: &Snapshot) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for address in addresses(snapshot) {
        let text = address.to_string();
        let module = address.resource.module.to_string();
        names.extend(
            [address.resource.to_string(), text].into_iter().chain((!module.is_empty()).then_some(module)),
        );
    }
    names
}

/// Says that there is no such object, and which ones are called nearly so.
fn absent(name: &str, snapshot: &Snapshot) -> Diagnostic {
    const SHOWN: usize = 5;
    let names = names(snapshot);
    // A name without its module, or of a resource whose name alone was given.
    let within: Vec<&String> = names
        .iter()
        .filter(|known| known.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')))
        .collect();
    let near = nearest(name, names.iter().map(String::as_str)).map(str::to_owned);
    let offered = match (within.as_slice(), near) {
        ([], Some(near)) => format!(" Did you mean `{near}`?"),
        ([], None) => String::new(),
        ([one], _) => format!(" Did you mean `{one}`?"),
        (many, _) => {
            let shown: Vec<String> = many.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
            format!(" Did you mean one of {}?", shown.join(", "))
        }
    };
    let detail = format!("The state has no `{name}`.{offered}");
    Diagnostic::error("not-in-state", "Object not in the state", detail)
        .hint("`terrane state list` names all objects.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrane_state::Object;

    /// A state with these objects.
    pub fn snapshot(all: &[&str]) -> Snapshot {
        let mut snapshot = Snapshot::empty("l");
        for address in all {
            snapshot.put(&address.parse().unwrap(), "p", Object::default());
        }
        snapshot
    }

    #[test]
    fn a_name_covers_what_belongs_to_it() {
        let address: Address = r#"module.m[0].aws_a.b["x"]"#.parse().unwrap();
        for filter in [r#"module.m[0].aws_a.b["x"]"#, "module.m[0].aws_a.b", "module.m[0]", "module.m"] {
            assert!(covers(filter, &address), "{filter}");
        }
        // A type alone, or `module`, would take more than anybody means.
        for filter in [
            "",
            "module",
            "module.m[0].aws_a",
            "module.m[0].aws_a.bb",
            r#"module.m[0].aws_a.b["y"]"#,
            "module.m[1]",
        ] {
            assert!(!covers(filter, &address), "{filter}");
        }
    }

    #[test]
    fn what_is_offered_instead() {
        let snapshot = snapshot(&[
            "aws_a.b[0]",
            "module.m.aws_a.reader",
            "module.n.aws_a.reader",
            "module.n.aws_a.only",
        ]);
        for (name, offered) in [
            ("aws_a.c", "Did you mean `aws_a.b`?"),
            ("module.q", "Did you mean `module.m`?"),
            ("aws_a.only", "Did you mean `module.n.aws_a.only`?"),
            ("aws_a.reader", "Did you mean one of `module.m.aws_a.reader`, `module.n.aws_a.reader`?"),
            ("reader", "one of `module.m.aws_a.reader`"),
            ("something_else", "The state has no `something_else`."),
        ] {
            let told = absent(name, &snapshot).detail;
            assert!(told.contains(offered), "{told}");
        }
    }
}
