//! Whether the objects of a state are in AWS or in the embedded one.
//!
//! A plan that looked for them in the wrong place would find all of them gone, and an apply would forget or make again what
//! is still there. So a state says where its objects are, and the other place is refused.

use serde_json::Value as Json;
use terrane_model::{Diagnostic, Mode};
use terrane_plan::ProviderKey;
use terrane_state::{Snapshot, Store};

/// The key in Terrane's own part of the state.
const KEY: &str = "sandbox";

/// Whether the state says that its objects are in the sandbox.
pub fn says_sandbox(snapshot: &Snapshot) -> bool {
    snapshot.terrane.get(KEY).and_then(Json::as_bool) == Some(true)
}

fn is_aws(provider: &str) -> bool {
    ProviderKey::from_state_name(provider).is_some_and(|key| key.name.as_ref() == "aws")
}

/// Whether anything of AWS is in the state, or may be without the state knowing.
fn has_objects(store: &Store) -> bool {
    let stored = store.snapshot().resources.iter();
    let mut managed =
        stored.filter(|(address, _)| address.mode == Mode::Managed).map(|(_, r)| r.provider.as_str());
    managed.any(is_aws) || store.open_intents().values().any(|intent| is_aws(&intent.provider))
}

/// Refuses the wrong place, and notes in the snapshot which one it is. Nothing: AWS has no part in it.
///
/// # Errors
/// When the state's objects are in the other place.
pub fn settle(store: &mut Store, in_sandbox: Option<bool>) -> Result<(), Diagnostic> {
    let Some(in_sandbox) = in_sandbox else { return Ok(()) };
    let says = says_sandbox(store.snapshot());
    if says != in_sandbox && has_objects(store) {
        return Err(refused(&store.place(), says));
    }
    let own = &mut store.snapshot_mut().terrane;
    match in_sandbox {
        true => drop(own.insert(KEY.to_owned(), Json::Bool(true))),
        false => drop(own.shift_remove(KEY)),
    }
    Ok(())
}

/// Refuses the wrong place for a command that only looks.
///
/// # Errors
/// When the state's objects are in the other place.
pub fn agrees(snapshot: &Snapshot, place: &str, in_sandbox: bool) -> Result<(), Diagnostic> {
    let says = says_sandbox(snapshot);
    if says == in_sandbox { Ok(()) } else { Err(refused(place, says)) }
}

/// Refuses to carry out a saved plan elsewhere than where it was made for.
///
/// # Errors
/// When it was made for the other place.
pub fn same_place(planned: &Snapshot, in_sandbox: Option<bool>) -> Result<(), Diagnostic> {
    let planned = says_sandbox(planned);
    if in_sandbox.is_none_or(|in_sandbox| in_sandbox == planned) {
        return Ok(());
    }
    let (made_for, run) = if planned { ("the embedded AWS", "with") } else { ("AWS", "without") };
    let detail = format!("The plan was made for {made_for}. Nothing was done.");
    let error = Diagnostic::error("wrong-place", "Plan for another AWS", detail);
    Err(error.hint(format!("Run `terrane apply` {run} `--sandbox`.")))
}

fn refused(state: &str, says_sandbox: bool) -> Diagnostic {
    let (there, run) = match says_sandbox {
        true => ("in the embedded AWS of this stack", "Run the command with `--sandbox`"),
        false => ("not in the embedded AWS", "Run the command without `--sandbox`"),
    };
    let detail = format!(
        "The objects in the state `{state}` are {there}. Looked for elsewhere they would all seem to be gone. Nothing was done."
    );
    Diagnostic::error("wrong-place", "State of another AWS", detail)
        .hint(format!("{run}, or give the other place a state of its own: TERRANE_WORKSPACE=NAME does so."))
}
