//! Versions of managed policies: at most five, one of them in force.

use terrane_iam::PolicyUse;

use super::managed::{self, Found};
use super::records::{ManagedPolicy, PolicyVersion};
use super::{check, entity, paging};
use crate::clock::Moment;
use crate::visit::Visit;
use crate::wire::{Refusal, Reply, Xml, encode};

const MOST_VERSIONS: usize = 5;

pub(super) fn create(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let mut policy = managed::own(visit, visit.argument("PolicyArn")?)?;
    let text = visit.argument("PolicyDocument")?;
    check::policy(text, PolicyUse::Managed)?;
    if policy.versions.len() >= MOST_VERSIONS {
        return Err(entity::limit(
            "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.",
        ));
    }
    let version =
        PolicyVersion { number: policy.next_version, document: text.to_owned(), created: visit.now };
    policy.next_version += 1;
    if visit.form().text("SetAsDefault") == Some("true") {
        policy.default_version = version.number;
    }
    policy.updated = visit.now;
    policy.versions.push(version.clone());
    visit.store.put(&policy)?;
    let mut xml = Xml::new();
    xml.element("PolicyVersion", |xml| {
        describe(xml, version.number, version.number == policy.default_version, version.created);
    });
    Ok(xml.into())
}

pub(super) fn describe(xml: &mut Xml, number: u32, is_default: bool, created: Moment) {
    xml.text("VersionId", format!("v{number}"))
        .text("IsDefaultVersion", is_default)
        .text("CreateDate", created.iso());
}

fn number(visit: &Visit<'_>) -> Result<u32, Refusal> {
    let text = visit.argument("VersionId")?;
    text.strip_prefix('v').and_then(|number| number.parse().ok()).ok_or_else(|| {
        check::invalid(format!(
            "1 validation error detected: Value '{text}' at 'versionId' failed to satisfy constraint: Member must satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?"
        ))
    })
}

fn no_version(policy: &ManagedPolicy, number: u32) -> Refusal {
    entity::not_found(format!("Policy {} version v{number} does not exist or is not attachable.", policy.arn))
}

pub(super) fn get(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let number = number(visit)?;
    let (document, is_default, created) = match managed::find(visit, visit.argument("PolicyArn")?)? {
        Found::Own(policy) => {
            let version = policy.version(number).ok_or_else(|| no_version(&policy, number))?;
            (version.document.clone(), number == policy.default_version, version.created)
        }
        Found::Aws(policy) if number == 1 => (policy.document.to_owned(), true, visit.now),
        Found::Aws(policy) => {
            return Err(entity::not_found(format!(
                "Policy {} version v{number} does not exist.",
                policy.arn
            )));
        }
    };
    let mut xml = Xml::new();
    xml.element("PolicyVersion", |xml| {
        xml.text("Document", encode(&document));
        describe(xml, number, is_default, created);
    });
    Ok(xml.into())
}

/// Lists the versions, newest first.
pub(super) fn list(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let versions = match managed::find(visit, visit.argument("PolicyArn")?)? {
        Found::Own(policy) => policy
            .versions
            .iter()
            .map(|version| (version.number, version.number == policy.default_version, version.created))
            .collect(),
        Found::Aws(_) => vec![(1, true, visit.now)],
    };
    let page = paging::at_hand(visit, versions, |(number, ..)| format!("{:010}", u32::MAX - number))?;
    let mut xml = Xml::new();
    xml.list("Versions", &page.items, |xml, (number, is_default, created)| {
        describe(xml, *number, *is_default, *created);
    });
    page.finish(&mut xml);
    Ok(xml.into())
}

pub(super) fn delete(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let mut policy = managed::own(visit, visit.argument("PolicyArn")?)?;
    let number = number(visit)?;
    if policy.version(number).is_none() {
        return Err(no_version(&policy, number));
    }
    if number == policy.default_version {
        return Err(entity::conflict("Cannot delete the default version of a policy."));
    }
    policy.versions.retain(|version| version.number != number);
    policy.updated = visit.now;
    visit.store.put(&policy)?;
    Ok(Reply::Empty)
}

pub(super) fn set_default(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let mut policy = managed::own(visit, visit.argument("PolicyArn")?)?;
    let number = number(visit)?;
    if policy.version(number).is_none() {
        return Err(no_version(&policy, number));
    }
    policy.default_version = number;
    policy.updated = visit.now;
    visit.store.put(&policy)?;
    Ok(Reply::Empty)
}
