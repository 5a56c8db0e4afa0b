//! What is said above a change: what becomes of the object, and why.

use terrane_model::{Action, Key, Reason};
use terrane_plan::Change;

use super::value_text::quoted;

/// The header's sentence, and further lines in parentheses.
pub fn header(change: &Change) -> (String, Vec<String>) {
    let name = match &change.deposed {
        Some(key) => format!("{} (deposed object {key})", change.address),
        None => change.address.to_string(),
    };
    if let (Action::NoOp, Some(previous)) = (change.action, &change.previous_address) {
        return (format!("{previous} has moved to {name}"), vec![]);
    }
    let becomes = match (change.action, change.reason) {
        (Action::Create, _) => "will be created",
        (Action::Read, _) => "will be read during apply",
        (
            Action::Update,
            Reason::UpdateBecausePendingDeletion | Reason::UpdateBecausePredecessorPendingDeletion,
        ) => "will be recovered",
        (Action::Update, _) => "will be updated in-place",
        (Action::Delete, _) => "will be destroyed",
        (Action::Forget, _) => "will no longer be managed by Terrane, but will not be destroyed",
        (Action::NoOp, _) if change.importing.is_some() => "will be imported",
        (Action::NoOp, _) => "stays as it is",
        (_, Reason::ReplaceBecauseTainted) => "is tainted, so must be replaced",
        (_, Reason::ReplaceByRequest) => "will be replaced, as requested",
        (_, Reason::ReplaceByTriggers) => "will be replaced due to changes in replace_triggered_by",
        _ => "must be replaced",
    };
    let moved = change.previous_address.as_ref().map(|previous| format!("(moved from {previous})"));
    (format!("{name} {becomes}"), because(change).into_iter().chain(moved).chain(imported(change)).collect())
}

/// From where an object comes that does not stay as it was found.
fn imported(change: &Change) -> Vec<String> {
    let Some(id) = change.importing.as_ref().filter(|_| change.action != Action::NoOp) else { return vec![] };
    if change.reason == Reason::UpdateBecausePredecessorPendingDeletion {
        return vec![format!(
            "(recovered from {}; `--replace '{}'` makes a new one)",
            quoted(id),
            change.address
        )];
    }
    let mut lines = vec![format!("(imported from {})", quoted(id))];
    if change.action.is_replace() {
        lines.push("Warning: this will destroy the imported resource".to_owned());
    }
    lines
}

fn because(change: &Change) -> Option<String> {
    if change.action == Action::Forget {
        return Some("(destroy = false is set in the configuration)".to_owned());
    }
    let key = change.address.key.as_ref();
    let reason = match change.reason {
        Reason::DeleteBecauseNoResourceConfig => {
            format!("because {} is not in configuration", change.address.resource)
        }
        Reason::DeleteBecauseNoModule => {
            format!("because {} is not in configuration", change.address.resource.module)
        }
        Reason::DeleteBecauseNoMoveTarget => {
            let previous = change.previous_address.as_ref().unwrap_or(&change.address);
            format!("because {previous} was moved to {}, which is not in configuration", change.address)
        }
        Reason::DeleteBecauseWrongRepetition => match key {
            None => "because resource uses count or for_each".to_owned(),
            Some(Key::Index(_)) => "because resource does not use count".to_owned(),
            Some(Key::Name(_)) => "because resource does not use for_each".to_owned(),
        },
        Reason::DeleteBecauseCountIndex => {
            format!("because index {} is out of range for count", key.map(Key::to_string).unwrap_or_default())
        }
        Reason::DeleteBecauseEachKey => {
            format!("because key {} is not in for_each map", key.map(Key::to_string).unwrap_or_default())
        }
        Reason::UpdateBecausePendingDeletion => "because it is pending deletion".to_owned(),
        Reason::UpdateBecausePredecessorPendingDeletion => {
            "because its predecessor is pending deletion".to_owned()
        }
        Reason::ReadBecauseConfigUnknown => "config refers to values not yet known".to_owned(),
        Reason::ReadBecauseDependencyPending => {
            "depends on a resource or a module with changes pending".to_owned()
        }
        Reason::Plain if change.deposed.is_some() => {
            "left over from a partially-failed replacement of this instance".to_owned()
        }
        Reason::Plain
        | Reason::ReplaceBecauseCannotUpdate
        | Reason::ReplaceBecauseTainted
        | Reason::ReplaceByRequest
        | Reason::ReplaceByTriggers => return None,
    };
    Some(format!("({reason})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrane_plan::ProviderKey;

    fn change(address: &str, action: Action, reason: Reason) -> Change {
        Change {
            address: address.parse().unwrap(),
            previous_address: None,
            deposed: None,
            provider: ProviderKey::default_of("aws"),
            action,
            reason,
            before: None,
            after: None,
            replace_paths: vec![],
            dependencies: [].into(),
            create_before_destroy: false,
            left_over: false,
            importing: None,
        }
    }

    #[test]
    fn every_reason_has_its_words() {
        let cases = [
            ("aws_a.b", Action::Create, Reason::Plain, "aws_a.b will be created", ""),
            (
                "aws_a.b",
                Action::DeleteThenCreate,
                Reason::ReplaceBecauseTainted,
                "aws_a.b is tainted, so must be replaced",
                "",
            ),
            (
                "aws_a.b",
                Action::CreateThenDelete,
                Reason::ReplaceBecauseCannotUpdate,
                "aws_a.b must be replaced",
                "",
            ),
            (
                "aws_a.b[2]",
                Action::Delete,
                Reason::DeleteBecauseCountIndex,
                "aws_a.b[2] will be destroyed",
                "(because index [2] is out of range for count)",
            ),
            (
                "aws_a.b[\"x\"]",
                Action::Delete,
                Reason::DeleteBecauseEachKey,
                "aws_a.b[\"x\"] will be destroyed",
                "(because key [\"x\"] is not in for_each map)",
            ),
            (
                "aws_a.b",
                Action::Delete,
                Reason::DeleteBecauseNoResourceConfig,
                "aws_a.b will be destroyed",
                "(because aws_a.b is not in configuration)",
            ),
            (
                "aws_a.b[0]",
                Action::Delete,
                Reason::DeleteBecauseWrongRepetition,
                "aws_a.b[0] will be destroyed",
                "(because resource does not use count)",
            ),
            (
                "aws_a.b",
                Action::Update,
                Reason::UpdateBecausePendingDeletion,
                "aws_a.b will be recovered",
                "(because it is pending deletion)",
            ),
            (
                "aws_a.b",
                Action::Update,
                Reason::UpdateBecausePredecessorPendingDeletion,
                "aws_a.b will be recovered",
                "(because its predecessor is pending deletion)",
            ),
            (
                "data.aws_a.b",
                Action::Read,
                Reason::ReadBecauseConfigUnknown,
                "data.aws_a.b will be read during apply",
                "(config refers to values not yet known)",
            ),
        ];
        for (address, action, reason, sentence, why) in cases {
            let (header, because) = header(&change(address, action, reason));
            assert_eq!((header.as_str(), because.concat().as_str()), (sentence, why));
        }
    }

    #[test]
    fn a_move_is_told() {
        let moved = |action, reason| Change {
            previous_address: Some("aws_a.old".parse().unwrap()),
            ..change("aws_a.new", action, reason)
        };
        let told = |action, reason| {
            let (header, because) = header(&moved(action, reason));
            format!("{header} {}", because.join(" "))
        };
        assert_eq!(told(Action::NoOp, Reason::Plain), "aws_a.old has moved to aws_a.new ");
        assert_eq!(
            told(Action::Update, Reason::Plain),
            "aws_a.new will be updated in-place (moved from aws_a.old)"
        );
        assert_eq!(
            told(Action::Delete, Reason::DeleteBecauseNoMoveTarget),
            "aws_a.new will be destroyed (because aws_a.old was moved to aws_a.new, which is not in configuration) (moved \
             from aws_a.old)"
        );
    }

    #[test]
    fn an_imported_object_says_from_where() {
        let imported =
            |action| Change { importing: Some("x".into()), ..change("aws_a.b", action, Reason::Plain) };
        assert_eq!(header(&imported(Action::NoOp)), ("aws_a.b will be imported".into(), vec![]));
        let (sentence, because) = header(&imported(Action::Update));
        assert_eq!(
            (sentence.as_str(), because.concat().as_str()),
            ("aws_a.b will be updated in-place", "(imported from \"x\")")
        );
        let (_, because) = header(&imported(Action::DeleteThenCreate));
        assert_eq!(because, ["(imported from \"x\")", "Warning: this will destroy the imported resource"]);
    }

    #[test]
    fn a_deposed_object_is_named() {
        let deposed =
            Change { deposed: Some("0000000a".into()), ..change("aws_a.b", Action::Delete, Reason::Plain) };
        let (header, because) = header(&deposed);
        assert_eq!(header, "aws_a.b (deposed object 0000000a) will be destroyed");
        assert!(because.concat().contains("left over"));
    }
}
