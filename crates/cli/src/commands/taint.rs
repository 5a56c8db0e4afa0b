//! `terrane taint` and `terrane untaint`: marks an object as one to be made anew, and takes the mark off again.

use terrane_model::nearest::meant;
use terrane_model::{Address, Diagnostic, Mode, Sources};
use terrane_state::journal::{Change, Outcome};
use terrane_state::{Object, Snapshot, Status};

use crate::cli::Taint;
use crate::exit::{Ended, Exit, Problem};
use crate::stack::state_backend;
use crate::terminal::Terminal;
use crate::work::{nothing_open, open_store};

/// Marks an object: the next plan replaces it.
pub fn taint(arguments: &Taint, terminal: &Terminal) -> Ended {
    run(arguments, Status::Tainted, terminal)
}

/// Takes the mark off.
pub fn untaint(arguments: &Taint, terminal: &Terminal) -> Ended {
    run(arguments, Status::Ready, terminal)
}

fn run(arguments: &Taint, status: Status, terminal: &Terminal) -> Ended {
    let address = &arguments.address;
    if address.resource.mode == Mode::Data {
        let detail = format!("Resource instance {address} cannot be tainted: a data source is only read.");
        return Err(Problem::usage(Diagnostic::error("invalid-address", "Invalid address", detail)));
    }
    let operation = if status == Status::Tainted { "taint" } else { "untaint" };
    let mut store = open_store(state_backend()?, &arguments.lock, operation, "", terminal)?;
    let found = nothing_open(&store).and_then(|()| Ok(marked(store.snapshot(), address, status)?));
    let done = match status {
        Status::Tainted => format!("Resource instance {address} has been marked as tainted.\n"),
        Status::Ready => format!("Resource instance {address} has been successfully untainted.\n"),
    };
    match found {
        Ok(Some(change)) => {
            store.outcome(Outcome::of(address.clone(), None, change))?;
            store.finish()?;
        }
        Ok(None) => store.leave()?,
        Err(problem) => {
            store.leave()?;
            let missing = problem.diagnostics.iter().any(|error| error.code == MISSING);
            if !missing || !arguments.allow_missing {
                return Err(problem);
            }
            terminal.report(&[tolerated(address)], &Sources::default());
            return Ok(Exit::Done);
        }
    }
    terminal.say(&done);
    Ok(Exit::Done)
}

/// The code of the error that there is no such object, which `--allow-missing` tolerates.
const MISSING: &str = "no-such-instance";

/// What brings the state of an object to what is wanted; nothing where it is tainted already.
fn marked(snapshot: &Snapshot, address: &Address, status: Status) -> Result<Option<Change>, Diagnostic> {
    let missing = |detail: String| Diagnostic::error(MISSING, "No such resource instance", detail);
    let Some(instance) = snapshot.instance(address) else {
        let all: Vec<String> = snapshot.instances().map(|(address, _, _)| address.to_string()).collect();
        let near = meant(&address.to_string(), all.iter().map(String::as_str));
        let detail = format!(
            "There is no resource instance in the state with the address {address}.{near} If the resource has just been \
             added, run `terrane apply` once to create the corresponding instance(s) before they can be tainted."
        );
        return Err(missing(detail).hint("`terrane state list` names all objects."));
    };
    let Some(object) = &instance.current else {
        return Err(missing(format!(
            "Resource instance {address} is currently part-way through a create_before_destroy replacement action. Run \
             `terrane apply` to complete its replacement before tainting or untainting it."
        )));
    };
    match (object.status, status) {
        (Status::Tainted, Status::Tainted) => return Ok(None),
        (Status::Ready, Status::Ready) => {
            let detail = format!(
                "Resource instance {address} is not currently tainted, and so it cannot be untainted."
            );
            return Err(Diagnostic::error("not-tainted", "Resource instance is not tainted", detail));
        }
        _ => {}
    }
    let provider = snapshot.resource(&address.resource).map(|r| r.provider.clone()).unwrap_or_default();
    let object = Box::new(Object { status, ..object.clone() });
    Ok(Some(Change::Put { provider, object }))
}

fn tolerated(address: &Address) -> Diagnostic {
    let detail = format!(
        "Resource instance {address} was not found, but this is not an error because --allow-missing was set."
    );
    Diagnostic::warning(MISSING, "No such resource instance", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_marked_once_and_only_where_it_is() {
        let at = |text: &str| text.parse::<Address>().unwrap();
        let mut snapshot = Snapshot::empty("l");
        snapshot.put(&at("aws_a.ready"), "p", Object::default());
        snapshot.put(&at("aws_a.bad"), "p", Object { status: Status::Tainted, ..Object::default() });
        snapshot.put_deposed(&at("aws_a.aside"), "p", "0000000a", Object::default());
        let outcome = |address: &str, status| match marked(&snapshot, &at(address), status) {
            Ok(Some(Change::Put { object, .. })) => format!("{:?}", object.status),
            Ok(change) => format!("{change:?}"),
            Err(error) => error.code.to_owned(),
        };
        assert_eq!(outcome("aws_a.ready", Status::Tainted), "Tainted");
        assert_eq!(outcome("aws_a.bad", Status::Tainted), "None");
        assert_eq!(outcome("aws_a.bad", Status::Ready), "Ready");
        assert_eq!(outcome("aws_a.ready", Status::Ready), "not-tainted");
        assert_eq!(outcome("aws_a.aside", Status::Tainted), MISSING);
        assert_eq!(outcome("aws_a.redy", Status::Tainted), MISSING);
        let error = marked(&snapshot, &at("aws_a.redy"), Status::Tainted).unwrap_err();
        assert!(error.detail.contains("Did you mean `aws_a.ready`?"), "{}", error.detail);
    }
}
