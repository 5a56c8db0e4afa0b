//! Who there is: the users and roles of the stack with their policies, and everybody whom a policy names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrane_iam::managed::aws_managed;
use terrane_iam::{Caller, Document, Effect};

use super::value::{Text, field, tags, text, texts};
use super::{Items, account_of, may_share, policy};
use crate::estate::{Estate, Item, Origin, Policy, Principal};

/// The session that a role's decisions are made for, when no other is named.
const SESSION: &str = "session";

pub(super) fn read(items: &Items<'_>, estate: &mut Estate) {
    let managed = managed_policies(items);
    let mut all: Vec<Principal> = Vec::new();
    for item in items.of("aws_iam_user") {
        all.push(user(items, item, &managed));
    }
    for item in items.of("aws_iam_role") {
        all.push(role(items, item, &managed));
    }
    all.extend(attached_to_others(items, estate, &all, &managed));
    let known: BTreeSet<String> = all.iter().map(|p| p.arn.clone()).collect();
    let partition = all.iter().filter_map(|p| p.arn.split(':').nth(1)).next().unwrap_or("aws").to_owned();
    let named = named(estate, &all);
    for principal in named {
        if let Some(found) = stranger(&principal, &|account| estate.is_own(account), &known) {
            if found.origin == Origin::Named {
                estate.strangers.insert(found.arn.clone());
            }
            all.push(found);
        }
    }
    all.push(bare("*", Caller::Anonymous, Origin::Public));
    for account in &estate.accounts {
        let root = Caller::Root { account: account.clone(), partition: partition.clone() };
        all.push(bare(&root.arn(), root, Origin::Root));
    }
    all.sort_by(|a, b| (a.origin, &a.arn).cmp(&(b.origin, &b.arn)));
    all.dedup_by(|a, b| a.arn == b.arn);
    estate.principals = all;
}

/// The stack's managed policies by ARN.
fn managed_policies(items: &Items<'_>) -> BTreeMap<String, Policy> {
    let all = items.of("aws_iam_policy").iter();
    all.filter_map(|item| Some((text(item.value, "arn").known()?, policy(item, "policy")))).collect()
}

/// The policy with an ARN: one of the stack, or one of AWS's whose text is known.
fn by_arn(managed: &BTreeMap<String, Policy>, arn: Text, otherwise: &Item<'_>) -> Policy {
    match arn {
        Text::Known(arn) => {
            let by_aws = || {
                let known = aws_managed(&arn)?;
                let document = Document::parse(known.document).ok()?;
                let policy = Policy::unknown(arn.as_str(), otherwise.place);
                Some(Policy { document: Some(Arc::new(document)), by_aws: Some(known), ..policy })
            };
            let found = managed.get(&arn).cloned().or_else(by_aws);
            found.unwrap_or_else(|| Policy::unknown(arn, otherwise.place))
        }
        Text::Absent | Text::Unknown => Policy::unknown(otherwise.address, otherwise.place),
    }
}

/// Policies of a user, role or group by its name: attached ones and inline ones. What may be attached to anybody, since
/// the name is not known, counts as attached.
fn own_policies(
    items: &Items<'_>,
    kind: &str,
    name: Option<&str>,
    account: Option<&str>,
    managed: &BTreeMap<String, Policy>,
) -> Vec<Policy> {
    // The same name in another account is somebody else.
    let near = |item: &&Item<'_>| may_share(item.account, account);
    let sure = |item: &Item<'_>| name.is_some() && matches!(text(item.value, kind), Text::Known(_));
    let attached = items.held_by(&format!("aws_iam_{kind}_policy_attachment"), name).into_iter().filter(near);
    let attached = attached.map(|item| match sure(item) {
        true => by_arn(managed, text(item.value, "policy_arn"), item),
        false => Policy::unknown(item.address, item.place),
    });
    let inline = items.held_by(&format!("aws_iam_{kind}_policy"), name).into_iter().filter(near);
    let inline = inline.map(|item| match sure(item) {
        true => policy(item, "policy"),
        false => Policy::unknown(item.address, item.place),
    });
    attached.chain(inline).collect()
}

fn boundary(item: &Item<'_>, managed: &BTreeMap<String, Policy>) -> Option<Policy> {
    match text(item.value, "permissions_boundary") {
        Text::Absent => None,
        Text::Known(arn) if arn.is_empty() => None,
        arn => Some(by_arn(managed, arn, item)),
    }
}

fn user(items: &Items<'_>, item: &Item<'_>, managed: &BTreeMap<String, Policy>) -> Principal {
    let name = text(item.value, "name").known();
    let account = account_of(item);
    let account = account.as_deref();
    let arn = text(item.value, "arn").known().unwrap_or_else(|| item.address.to_owned());
    let mut groups: BTreeSet<String> = BTreeSet::new();
    // Memberships of which it can't be told whether they are this user's, or in which group.
    let mut open: Vec<&Item<'_>> = Vec::new();
    let near = |membership: &&Item<'_>| may_share(membership.account, account);
    for membership in items.of("aws_iam_group_membership").iter().filter(near) {
        match (texts(membership.value, "users"), &name, text(membership.value, "group")) {
            (Some(users), Some(name), _) if !users.contains(name) => {}
            (Some(_), Some(_), Text::Known(group)) => drop(groups.insert(group)),
            _ => open.push(membership),
        }
    }
    for membership in items.of("aws_iam_user_group_membership").iter().filter(near) {
        match (text(membership.value, "user"), &name, texts(membership.value, "groups")) {
            (Text::Known(user), Some(name), _) if user != *name => {}
            (Text::Known(_), Some(_), Some(all)) => groups.extend(all),
            _ => open.push(membership),
        }
    }
    let mut identity = own_policies(items, "user", name.as_deref(), account, managed);
    identity.extend(open.into_iter().map(|item| Policy::unknown(item.address, item.place)));
    let user_id = text(item.value, "unique_id").known();
    Principal {
        caller: Caller::User { arn: arn.clone(), user_id },
        arn,
        address: Some(item.address.to_owned()),
        origin: Origin::Managed,
        identity,
        groups: groups
            .into_iter()
            .map(|group| {
                let policies = own_policies(items, "group", Some(&group), account, managed);
                (group, policies)
            })
            .collect(),
        boundary: boundary(item, managed),
        trust: None,
        tags: tags(item.value),
    }
}

fn role(items: &Items<'_>, item: &Item<'_>, managed: &BTreeMap<String, Policy>) -> Principal {
    let name = text(item.value, "name").known();
    let arn = text(item.value, "arn").known().unwrap_or_else(|| item.address.to_owned());
    let account = account_of(item);
    let mut identity = own_policies(items, "role", name.as_deref(), account.as_deref(), managed);
    for block in field(item.value, "inline_policy").map(terrane_model::Value::elements).unwrap_or_default() {
        let inline = Item { value: block, ..*item };
        if !matches!(text(block, "policy"), Text::Absent) {
            identity.push(policy(&inline, "policy"));
        }
    }
    let unknown = || Policy::unknown(item.address, item.place);
    let arns = texts(item.value, "managed_policy_arns");
    if arns.is_none() || field(item.value, "inline_policy").is_some_and(terrane_model::Value::is_unknown) {
        identity.push(unknown());
    }
    for arn in arns.unwrap_or_default() {
        let already = managed.get(&arn).is_some_and(|p| identity.iter().any(|own| own.name == p.name));
        if !already && !identity.iter().any(|own| own.name == arn) {
            identity.push(by_arn(managed, Text::Known(arn), item));
        }
    }
    let role_id = text(item.value, "unique_id").known();
    Principal {
        caller: session(&arn, SESSION, role_id),
        arn,
        address: Some(item.address.to_owned()),
        origin: Origin::Managed,
        identity,
        groups: vec![],
        boundary: boundary(item, managed),
        trust: Some(policy(item, "assume_role_policy")),
        tags: tags(item.value),
    }
}

fn session(role_arn: &str, name: &str, role_id: Option<String>) -> Caller {
    let fields: Vec<&str> = role_arn.splitn(6, ':').collect();
    let (partition, account) = (fields.get(1).unwrap_or(&"aws"), fields.get(4).unwrap_or(&""));
    let role = role_arn.rsplit('/').next().unwrap_or_default();
    Caller::AssumedRole {
        role_arn: role_arn.to_owned(),
        session_arn: format!("arn:{partition}:sts::{account}:assumed-role/{role}/{name}"),
        role_id,
        session_name: name.to_owned(),
    }
}

/// Users and roles that are not of this stack, and to which it attaches something.
fn attached_to_others(
    items: &Items<'_>,
    estate: &Estate,
    ours: &[Principal],
    managed: &BTreeMap<String, Policy>,
) -> Vec<Principal> {
    let mut found = Vec::new();
    for kind in ["user", "role"] {
        let types = [format!("aws_iam_{kind}_policy_attachment"), format!("aws_iam_{kind}_policy")];
        let known: BTreeSet<(Option<&str>, &str)> = ours
            .iter()
            .filter(|p| p.arn.contains(&format!(":{kind}/")))
            .filter_map(|p| Some((p.caller.account(), p.arn.rsplit(['/', ':']).next()?)))
            .collect();
        let holders = types.iter().flat_map(|name| items.of(name)).filter_map(|item| {
            let account = item.account.map(str::to_owned).or_else(|| estate.account.clone())?;
            Some((account, text(item.value, kind).known()?))
        });
        for (account, name) in holders.collect::<BTreeSet<(String, String)>>() {
            if known.contains(&(Some(account.as_str()), name.as_str())) {
                continue;
            }
            let arn = format!("arn:aws:iam::{account}:{kind}/{name}");
            let caller = match kind {
                "user" => Caller::User { arn: arn.clone(), user_id: None },
                _ => session(&arn, SESSION, None),
            };
            let mut principal = bare(&arn, caller, Origin::Named);
            principal.identity = own_policies(items, kind, Some(&name), Some(&account), managed);
            principal.identity.push(others_policies(&arn));
            principal.tags = None;
            found.push(principal);
        }
    }
    found
}

fn others_policies(arn: &str) -> Policy {
    Policy::unknown(format!("(any other of {arn})"), None)
}

/// Everybody whom a policy or grant lets in, as it names them, with the kind of principal.
fn named(estate: &Estate, ours: &[Principal]) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let policies = estate.keys.iter().map(|key| &key.policy);
    let policies = policies.chain(estate.tables.iter().filter_map(|table| table.policy.as_ref()));
    let policies = policies.chain(ours.iter().filter_map(|p| p.trust.as_ref()));
    for document in policies.filter_map(|policy| policy.document.as_deref()) {
        let allows = document.statements.iter().filter(|s| s.effect == Effect::Allow);
        for principal in allows.flat_map(|s| s.principals.iter().flatten()) {
            found.insert((principal.kind.clone(), principal.value.clone()));
        }
    }
    for grant in estate.keys.iter().flat_map(|key| &key.grants) {
        let kind = if grant.grantee.ends_with(".amazonaws.com") { "Service" } else { "AWS" };
        found.insert((kind.to_owned(), grant.grantee.clone()));
    }
    found
}

pub(super) fn stranger(
    (kind, value): &(String, String),
    is_own: &dyn Fn(&str) -> bool,
    known: &BTreeSet<String>,
) -> Option<Principal> {
    if kind == "Service" {
        let caller = Caller::Service { name: value.clone() };
        return Some(bare(value, caller, Origin::Service));
    }
    if kind != "AWS" || value == "*" || known.contains(value) || value.contains(terrane_iam::UNKNOWN) {
        return None;
    }
    let fields: Vec<&str> = value.splitn(6, ':').collect();
    let (partition, their, resource) = match fields.as_slice() {
        ["arn", partition, _, _, their, resource] => (*partition, *their, *resource),
        [id] if id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()) => ("aws", *id, "root"),
        // A unique id: of somebody who is gone, or of one of ours.
        _ => return None,
    };
    let own = is_own(their);
    let origin = if own { Origin::Named } else { Origin::OtherAccount };
    let caller = if resource == "root" {
        if own {
            return None;
        }
        Caller::Root { account: their.to_owned(), partition: partition.to_owned() }
    } else if resource.starts_with("user/") {
        Caller::User { arn: value.clone(), user_id: None }
    } else if resource.starts_with("role/") {
        session(value, SESSION, None)
    } else if let Some((role, name)) = resource.strip_prefix("assumed-role/").and_then(|r| r.rsplit_once('/'))
    {
        session(&format!("arn:{partition}:iam::{their}:role/{role}"), name, None)
    } else {
        return None;
    };
    let arn = caller.principal_arn().unwrap_or_else(|| value.clone());
    if known.contains(&arn) {
        return None;
    }
    let mut principal = bare(&arn, caller, origin);
    if resource != "root" {
        principal.identity = vec![others_policies(value)];
        principal.tags = None;
    }
    Some(principal)
}

fn bare(arn: &str, caller: Caller, origin: Origin) -> Principal {
    Principal {
        arn: arn.to_owned(),
        address: None,
        caller,
        origin,
        identity: vec![],
        groups: vec![],
        boundary: None,
        trust: None,
        tags: Some(vec![]),
    }
}
