//! `terrane state replace-provider`: says that objects belong to another provider.

use std::sync::Arc;

use terrane_model::{Diagnostic, ResourceAddress};
use terrane_state::Snapshot;

use super::looked_up;
use crate::cli::Lock;
use crate::exit::{Ended, Exit, Problem};
use crate::terminal::Terminal;

/// Where a provider is from that says nothing about it.
const REGISTRY: &str = "registry.terraform.io";
const NAMESPACE: &str = "hashicorp";

/// Runs the command.
pub fn run(from: &str, to: &str, approved: bool, lock: &Lock, terminal: &Terminal) -> Ended {
    let (from, to) = (source(from, "from")?, source(to, "to")?);
    let find = |snapshot: &_| Ok(belonging(&from, snapshot));
    let (mut store, found) = looked_up(lock, "OperationTypeStateReplaceProvider", terminal, find)?;
    if found.is_empty() {
        store.leave()?;
        terminal.say("No matching resources found.\n");
        return Ok(Exit::Done);
    }
    let list: String = found.iter().map(|resource| format!("  {resource}\n")).collect();
    terminal.say(&format!(
        "Terrane will perform the following actions:\n\n  ~ Updating provider:\n    - {from}\n    + {to}\n\nChanging {} \
         resources:\n\n{list}\n",
        found.len()
    ));
    if !approved {
        if !terminal.can_ask {
            store.leave()?;
            let detail = "Nobody can be asked whether the providers are to be replaced.";
            let error = Diagnostic::error("not-approved", "Nobody to ask", detail);
            return Err(error.hint("`--auto-approve` replaces them without asking.").into());
        }
        let question =
            "Do you want to make these changes?\nOnly 'yes' will be accepted to continue.\n\nEnter a value: ";
        if terminal.ask(question).is_none_or(|answer| answer.trim() != "yes") {
            store.leave()?;
            terminal.say("Cancelled replacing providers.\n");
            return Ok(Exit::Failed);
        }
    }
    for (address, resource) in Arc::make_mut(&mut store.snapshot_mut().resources) {
        if found.contains(address) {
            resource.provider = replaced(&resource.provider, &to);
        }
    }
    store.finish()?;
    terminal.say(&format!("Successfully replaced provider for {} resources.\n", found.len()));
    Ok(Exit::Done)
}

/// A provider's full name, from `aws`, `hashicorp/aws` or `registry.terraform.io/hashicorp/aws`.
fn source(text: &str, which: &str) -> Result<String, Problem> {
    let good = |part: &&str| {
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
        !part.is_empty() && part.chars().all(letter)
    };
    let parts: Vec<&str> = text.split('/').collect();
    let whole = match parts.as_slice() {
        [name] => format!("{REGISTRY}/{NAMESPACE}/{name}"),
        [namespace, name] => format!("{REGISTRY}/{namespace}/{name}"),
        _ => text.to_owned(),
    };
    if parts.len() <= 3 && parts.iter().all(good) {
        return Ok(whole.to_ascii_lowercase());
    }
    let detail = format!(
        "Invalid \"{which}\" provider \"{text}\": it must be in the format \"[hostname/][namespace/]name\"."
    );
    Err(Diagnostic::error("invalid-provider", "Invalid provider", detail).into())
}

/// The source in the name that the state has for a provider's configuration, with what stands before and behind it.
fn split(provider: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = provider.split_once("provider[\"")?;
    let (source, behind) = rest.split_once("\"]")?;
    Some((before, source, behind))
}

fn belonging(from: &str, snapshot: &Snapshot) -> Vec<ResourceAddress> {
    let is_of = |provider: &str| split(provider).is_some_and(|(_, source, _)| source == from);
    let all = snapshot.resources.iter();
    all.filter(|(_, resource)| is_of(&resource.provider)).map(|(address, _)| address.clone()).collect()
}

fn replaced(provider: &str, to: &str) -> String {
    match split(provider) {
        Some((before, _, behind)) => format!("{before}provider[\"{to}\"]{behind}"),
        None => provider.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_providers() {
        for (text, whole) in [
            ("aws", "registry.terraform.io/hashicorp/aws"),
            ("Acme/aws", "registry.terraform.io/acme/aws"),
            ("registry.opentofu.org/hashicorp/aws", "registry.opentofu.org/hashicorp/aws"),
            ("localhost:80/a/b", "localhost:80/a/b"),
        ] {
            assert_eq!(source(text, "from").unwrap(), whole);
        }
        for text in ["", "/", "a/", "a b/c", "a/b/c/d", "a\"]/b/c"] {
            assert!(source(text, "to").is_err(), "{text}");
        }
    }

    #[test]
    fn alias_and_module_stay() {
        let old = r#"module.m.provider["registry.opentofu.org/hashicorp/aws"].paris"#;
        let new = r#"module.m.provider["registry.terraform.io/hashicorp/aws"].paris"#;
        assert_eq!(replaced(old, "registry.terraform.io/hashicorp/aws"), new);
        assert_eq!(replaced("p", "x"), "p");
    }
}
