//! Principals that changed policies name: AWS refuses a key policy or trust policy with a user or role that there is not, in the
//! middle of an apply. So it is looked while planning whether there are such, for those of the own account that this stack
//! does not have. Of others nothing can be known.

use std::collections::{BTreeMap, BTreeSet};

use terrane_iam::Document;
use terrane_model::nearest::nearest;
use terrane_model::{Action, Address, Diagnostic, Mode as ResourceMode, Path, ResourceAddress, Value};

use super::{Builder, Need, Wish};
use crate::lint::place::{Within, place};
use crate::plan::{Change, Mode, ProviderKey};

/// Where policies stand that AWS takes only with principals that exist.
const POLICIES: &[(&str, &str)] = &[
    ("aws_dynamodb_resource_policy", "policy"),
    ("aws_iam_role", "assume_role_policy"),
    ("aws_kms_key", "policy"),
    ("aws_kms_key_policy", "policy"),
];

/// A principal that a policy names.
struct Named {
    arn: String,
    /// `user` or `role`.
    kind: String,
    name: String,
    provider: ProviderKey,
    /// The object that has the policy, its argument, and the statement.
    address: Address,
    argument: &'static str,
    within: Within,
}

impl Builder<'_, '_> {
    /// Asks for every user and role that a changed policy names whether there is one, and reports those that are not.
    pub(super) fn look_for_principals(&mut self) {
        if !self.input.options.look_for_existing || self.input.options.mode != Mode::Normal {
            return;
        }
        let named: Vec<Named> = self.changes.iter().flat_map(|change| self.named_by(change)).collect();
        if named.is_empty() {
            return;
        }
        let ours = self.principals_of_stack();
        let mut asked: BTreeSet<String> = BTreeSet::new();
        for principal in named {
            let Named { arn, kind, name, provider, address, .. } = &principal;
            if ours.contains_key(&(kind.clone(), name.clone())) {
                continue;
            }
            match self.input.observed.principals.get(arn) {
                Some(Some(false)) => {
                    let near = nearest(arn, ours.values().flatten().map(String::as_str));
                    let path = Path::attribute(principal.argument);
                    let span = place(self.input.spec, address, &path, Some(&principal.within));
                    self.error(missing(&principal, near).at(span).about(&principal.address));
                }
                Some(_) => {}
                None if asked.insert(arn.clone()) => {
                    let resource = ResourceAddress::managed(format!("aws_iam_{kind}"), name.clone());
                    let what = Wish::Principal { arn: arn.clone(), name: name.clone() };
                    self.ask(Need { address: resource.instance(None), provider: provider.clone(), what });
                }
                None => {}
            }
        }
    }

    /// The users and roles of the own account that a change newly writes into a policy.
    fn named_by(&self, change: &Change) -> Vec<Named> {
        let resource = &change.address.resource;
        let makes = matches!(change.action, Action::Create | Action::Update) || change.action.is_replace();
        if !makes || change.deposed.is_some() || resource.mode != ResourceMode::Managed {
            return vec![];
        }
        let Some((_, argument)) = POLICIES.iter().find(|(name, _)| *name == resource.type_name.as_ref())
        else {
            return vec![];
        };
        let text = |value: &Option<Value>| value.as_ref()?.get(argument)?.as_str().map(str::to_owned);
        let Some(after) = text(&change.after).filter(|after| text(&change.before).as_ref() != Some(after))
        else {
            return vec![];
        };
        let Some(account) = self.facts(&change.provider).account.clone() else { return vec![] };
        let Ok(document) = Document::parse(&after) else { return vec![] };
        let mut found = Vec::new();
        for statement in &document.statements {
            let elements =
                [("Principal", &statement.principals), ("NotPrincipal", &statement.not_principals)];
            for (element, principals) in elements {
                for principal in principals.iter().flatten().filter(|principal| principal.kind == "AWS") {
                    let Some((kind, name)) = own(&principal.value, &account) else { continue };
                    found.push(Named {
                        arn: principal.value.clone(),
                        kind,
                        name,
                        provider: change.provider.clone(),
                        address: change.address.clone(),
                        argument,
                        within: Within { statement: Some(statement.index), element: Some(element) },
                    });
                }
            }
        }
        found
    }

    /// Users and roles of the plan and the state by kind and name, with their ARNs where these are known.
    fn principals_of_stack(&self) -> BTreeMap<(String, String), Option<String>> {
        let mut found = BTreeMap::new();
        fn kind_of(type_name: &str) -> Option<&str> {
            type_name.strip_prefix("aws_iam_").filter(|kind| matches!(*kind, "user" | "role"))
        }
        for change in &self.changes {
            let Some(kind) = kind_of(&change.address.resource.type_name) else { continue };
            for value in [&change.before, &change.after].into_iter().flatten() {
                let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
                found.extend(text("name").map(|name| ((kind.to_owned(), name), text("arn"))));
            }
        }
        for (address, _, object) in self.refreshed.current() {
            let Some(kind) = kind_of(&address.resource.type_name) else { continue };
            let text = |name: &str| {
                object.attributes.get(name).and_then(serde_json::Value::as_str).map(str::to_owned)
            };
            if let Some(name) = text("name") {
                found.entry((kind.to_owned(), name)).or_insert_with(|| text("arn"));
            }
        }
        found
    }
}

/// Kind and name of a user or role of the account, which may have a path.
fn own(arn: &str, account: &str) -> Option<(String, String)> {
    let fields: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "iam", "", their, resource] = fields.as_slice() else { return None };
    let (kind, rest) = resource.split_once('/')?;
    let name = rest.rsplit('/').next().filter(|name| !name.is_empty())?;
    let is_one = *their == account && matches!(kind, "user" | "role") && !rest.contains(['*', '?']);
    is_one.then(|| (kind.to_owned(), name.to_owned()))
}

fn missing(principal: &Named, near: Option<&str>) -> Diagnostic {
    let Named { arn, kind, .. } = principal;
    let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
    let detail = format!(
        "The policy names `{arn}`, and there is no such {kind}: not in the account, and not in this stack. AWS takes no \
         policy that names somebody who does not exist.{near}"
    );
    Diagnostic::error("unknown-principal", "Principal that does not exist", detail)
        .hint("Make it in this stack and refer to its `arn`, or correct the name.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_roles_of_the_account_are_looked_for() {
        let own = |arn: &str| own(arn, "123456789012").map(|(kind, name)| format!("{kind} {name}"));
        assert_eq!(own("arn:aws:iam::123456789012:user/team/ann").as_deref(), Some("user ann"));
        assert_eq!(own("arn:aws:iam::123456789012:role/r").as_deref(), Some("role r"));
        for other in [
            "arn:aws:iam::123456789012:root",
            "arn:aws:iam::210987654321:role/r",
            "arn:aws:sts::123456789012:assumed-role/r/s",
            "arn:aws:iam::123456789012:role/*",
            "arn:aws:iam::123456789012:role/",
            "AIDAEXAMPLE",
            "123456789012",
            "*",
        ] {
            assert_eq!(own(other), None, "{other}");
        }
    }
}
