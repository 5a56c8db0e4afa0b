//! What is told while a run goes on: a line for people, or a JSON object for tools.

use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use terrane_model::{Action, Address, Key, Mode};
use terrane_reconcile::Event;

use super::value_text::line as clean;

/// The line that an event is worth, if it is worth one.
pub fn line(event: &Event<'_>) -> Option<String> {
    let text = match event {
        Event::ReadStarted { address, id } => match address.resource.mode {
            Mode::Data => format!("{address}: Reading..."),
            Mode::Managed => format!("{address}: Refreshing state...{}", bracket(*id, None)),
        },
        Event::ReadDone { address, id, elapsed } if address.resource.mode == Mode::Data => {
            format!("{address}: Read complete after {}{}", time(*elapsed), bracket(*id, None))
        }
        Event::ReadDone { .. } | Event::Stopping { .. } => return None,
        Event::Preparing { address, id } => {
            format!("{address}: Preparing import...{}", bracket(Some(id), None))
        }
        Event::Importing { address, id } => format!("{address}: Importing...{}", bracket(Some(id), None)),
        Event::Imported { address, id } => format!("{address}: Import complete{}", bracket(Some(id), None)),
        Event::Started { address, action, id } => {
            format!("{address}: {}...{}", doing(*action), bracket(*id, None))
        }
        Event::Waiting { address, what } => format!("{address}: Waiting for {what}..."),
        Event::Remark { address, sentence } => format!("{address}: {sentence}"),
        Event::Still { address, action, id, elapsed } => {
            let elapsed = format!("{} elapsed", time(elapsed.saturating_add(Duration::from_millis(500))));
            format!("{address}: Still {}...{}", doing(*action).to_lowercase(), bracket(*id, Some(&elapsed)))
        }
        Event::Done { address, action, id, elapsed, .. } => {
            let id = if *action == Action::Delete { None } else { *id };
            format!("{address}: {} complete after {}{}", done(*action), time(*elapsed), bracket(id, None))
        }
        Event::Failed { address, action, elapsed, .. } => {
            format!("{address}: {} failed after {}", done(*action), time(*elapsed))
        }
    };
    Some(clean(&text))
}

fn bracket(id: Option<&str>, more: Option<&str>) -> String {
    let id = id.map(|id| format!("id={id}"));
    let parts: Vec<&str> = id.iter().map(String::as_str).chain(more).collect();
    if parts.is_empty() { String::new() } else { format!(" [{}]", parts.join(", ")) }
}

/// What is being done, as a word.
pub fn doing(action: Action) -> &'static str {
    match action {
        Action::Create => "Creating",
        Action::Update => "Modifying",
        Action::Delete => "Destroying",
        Action::Read => "Reading",
        Action::Forget => "Removing",
        Action::DeleteThenCreate | Action::CreateThenDelete => "Replacing",
        Action::NoOp => "Checking",
    }
}

fn done(action: Action) -> &'static str {
    match action {
        Action::Create => "Creation",
        Action::Update => "Modifications",
        Action::Delete => "Destruction",
        Action::Read => "Read",
        Action::Forget => "Removal",
        Action::DeleteThenCreate | Action::CreateThenDelete => "Replacement",
        Action::NoOp => "Check",
    }
}

/// `7s`, `1m30s`, `2h0m5s`.
pub fn time(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// The message of an event for tools: its type, and what goes beside the type. As Terraform names them.
pub fn json(event: &Event<'_>) -> Option<(&'static str, Json)> {
    let hook = |address: &Address, action: Option<Action>, id: Option<&str>, elapsed: Option<Duration>| {
        let mut hook = Map::new();
        hook.insert("resource".into(), resource(address));
        if let Some(action) = action {
            hook.insert("action".into(), verb(action).into());
        }
        if let Some(id) = id {
            hook.insert("id_key".into(), "id".into());
            hook.insert("id_value".into(), id.into());
        }
        if let Some(elapsed) = elapsed {
            hook.insert("elapsed_seconds".into(), elapsed.as_secs().into());
        }
        json!({ "hook": hook })
    };
    Some(match event {
        Event::ReadStarted { address, id } => match address.resource.mode {
            Mode::Data => ("apply_start", hook(address, Some(Action::Read), None, None)),
            Mode::Managed => ("refresh_start", hook(address, None, *id, None)),
        },
        Event::ReadDone { address, id, elapsed } => match address.resource.mode {
            Mode::Data => ("apply_complete", hook(address, Some(Action::Read), *id, Some(*elapsed))),
            Mode::Managed => ("refresh_complete", hook(address, None, *id, None)),
        },
        Event::Started { address, action, id } => ("apply_start", hook(address, Some(*action), *id, None)),
        Event::Still { address, action, elapsed, .. } => {
            ("apply_progress", hook(address, Some(*action), None, Some(*elapsed)))
        }
        Event::Done { address, action, id, elapsed, .. } => {
            ("apply_complete", hook(address, Some(*action), *id, Some(*elapsed)))
        }
        Event::Failed { address, action, elapsed, .. } => {
            ("apply_errored", hook(address, Some(*action), None, Some(*elapsed)))
        }
        Event::Waiting { .. } | Event::Remark { .. } => ("log", json!({})),
        // Terraform's stream tells imports in what is planned, and in the sum.
        Event::Preparing { .. }
        | Event::Importing { .. }
        | Event::Imported { .. }
        | Event::Stopping { .. } => {
            return None;
        }
    })
}

/// An address in parts.
pub fn resource(address: &Address) -> Json {
    let module = match address.resource.module.is_root() {
        true => String::new(),
        false => address.resource.module.to_string(),
    };
    let within = match module.is_empty() {
        true => address.to_string(),
        false => address.to_string().trim_start_matches(&format!("{module}.")).to_owned(),
    };
    json!({
        "addr": address.to_string(),
        "module": module,
        "resource": within,
        "implied_provider": terrane_provider::catalog::provider_of(&address.resource.type_name),
        "resource_type": address.resource.type_name.as_ref(),
        "resource_name": address.resource.name.as_ref(),
        "resource_key": match &address.key {
            None => Json::Null,
            Some(Key::Index(i)) => json!(i),
            Some(Key::Name(name)) => json!(name.as_ref()),
        },
    })
}

/// An action in one word, as the stream of events calls it.
pub fn verb(action: Action) -> &'static str {
    match action {
        Action::NoOp => "noop",
        Action::Create => "create",
        Action::Read => "read",
        Action::Update => "update",
        Action::DeleteThenCreate | Action::CreateThenDelete => "replace",
        Action::Delete => "delete",
        Action::Forget => "remove",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_terraforms() {
        let address: Address = "aws_kms_key.a".parse().unwrap();
        let (address, id, action) = (&address, Some("k-1"), Action::Create);
        let elapsed = Duration::from_secs(75);
        let cases = [
            (Event::ReadStarted { address, id }, "aws_kms_key.a: Refreshing state... [id=k-1]"),
            (Event::Started { address, action, id: None }, "aws_kms_key.a: Creating..."),
            (
                Event::Still { address, action, id: None, elapsed: Duration::from_secs(10) },
                "aws_kms_key.a: Still creating... [10s elapsed]",
            ),
            (
                Event::Still { address, action: Action::Delete, id, elapsed },
                "aws_kms_key.a: Still destroying... [id=k-1, 1m15s elapsed]",
            ),
            (
                Event::Done { address, action, id, elapsed, note: None },
                "aws_kms_key.a: Creation complete after 1m15s [id=k-1]",
            ),
            (
                Event::Done { address, action: Action::Delete, id, elapsed, note: None },
                "aws_kms_key.a: Destruction complete after 1m15s",
            ),
            (Event::Remark { address, sentence: "It is odd." }, "aws_kms_key.a: It is odd."),
            (Event::Waiting { address, what: "the policy" }, "aws_kms_key.a: Waiting for the policy..."),
        ];
        for (event, text) in cases {
            assert_eq!(line(&event).as_deref(), Some(text));
        }
        assert_eq!(line(&Event::Stopping { under_way: 1 }), None);
    }

    #[test]
    fn tools_get_the_parts_of_an_address() {
        let address: Address = "module.m.aws_kms_key.a[\"x\"]".parse().unwrap();
        let (kind, message) =
            json(&Event::Started { address: &address, action: Action::Update, id: Some("i") }).unwrap();
        assert_eq!(kind, "apply_start");
        assert_eq!(message["hook"]["resource"]["resource"], "aws_kms_key.a[\"x\"]");
        assert_eq!(message["hook"]["resource"]["resource_key"], "x");
        assert_eq!(message["hook"]["action"], "update");
    }
}
