//! Managed policies and their versions: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Policy.html>.

use terrane_iam::PolicyUse;

use super::records::{ATTACHMENT, BOUNDARY, ManagedPolicy, PolicyVersion};
use super::{check, entity, paging};
use crate::clock::Moment;
use crate::ids;
use crate::visit::Visit;
use crate::wire::{Refusal, Reply, Xml};
use terrane_iam::managed::{self as aws, AwsManaged, aws_managed};

/// A managed policy of the account or of AWS.
pub(super) enum Found {
    Own(ManagedPolicy),
    Aws(&'static AwsManaged),
}

/// When AWS's own policies were made, as far as the sandbox tells.
const AWS_CREATED: Moment = Moment(1_423_161_600_000);

/// The policy of an ARN.
pub(super) fn find(visit: &Visit<'_>, arn: &str) -> Result<Found, Refusal> {
    if let Some(policy) = aws_managed(arn) {
        return Ok(Found::Aws(policy));
    }
    own(visit, arn).map(Found::Own)
}

/// The account's policy of an ARN; AWS's own cannot be changed.
pub(super) fn own(visit: &Visit<'_>, arn: &str) -> Result<ManagedPolicy, Refusal> {
    if !(arn.starts_with("arn:") && arn.contains(":policy/")) {
        return Err(Refusal::new("InvalidInput", format!("ARN {arn} is not valid.")));
    }
    if aws_managed(arn).is_some() {
        let message = format!("Policy {arn} is managed by AWS and cannot be changed.");
        return Err(Refusal::with_status(403, "AccessDenied", message));
    }
    let name = arn.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let found = visit.store.get::<ManagedPolicy>(&name)?.filter(|policy| policy.arn == arn);
    found.ok_or_else(|| entity::not_found(format!("Policy {arn} was not found.")))
}

/// Refuses to attach what does not exist.
pub(super) fn must_exist(visit: &Visit<'_>, arn: &str) -> Result<(), Refusal> {
    find(visit, arn).map(drop).map_err(|refusal| match refusal.code.as_ref() {
        "NoSuchEntity" => entity::not_found(format!("Policy {arn} does not exist or is not attachable.")),
        _ => refusal,
    })
}

fn document(visit: &Visit<'_>) -> Result<String, Refusal> {
    let text = visit.argument("PolicyDocument")?;
    check::policy(text, PolicyUse::Managed)?;
    Ok(text.to_owned())
}

pub(super) fn create(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let name = visit.argument("PolicyName")?.to_owned();
    check::name("PolicyName", &name, 128)?;
    let path = visit.form().text("Path").unwrap_or("/").to_owned();
    check::path("Path", &path)?;
    if visit.store.get::<ManagedPolicy>(&name.to_ascii_lowercase())?.is_some() {
        return Err(entity::exists(format!(
            "A policy called {name} already exists. Duplicate names are not allowed."
        )));
    }
    let policy = ManagedPolicy {
        arn: visit.iam_arn(&format!("policy{path}{name}")),
        name,
        path,
        id: ids::unique_id("ANPA")?,
        description: visit.form().text("Description").filter(|text| !text.is_empty()).map(str::to_owned),
        created: visit.now,
        updated: visit.now,
        default_version: 1,
        next_version: 2,
        versions: vec![PolicyVersion { number: 1, document: document(visit)?, created: visit.now }],
        tags: check::tags(visit.form())?,
    };
    visit.store.put(&policy)?;
    described(visit, &Found::Own(policy))
}

pub(super) fn get(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    described(visit, &find(visit, visit.argument("PolicyArn")?)?)
}

fn described(visit: &Visit<'_>, policy: &Found) -> Result<Reply, Refusal> {
    let mut inside = Xml::new();
    describe(visit, policy, &mut inside)?;
    let (description, tags) = match policy {
        Found::Own(policy) => (policy.description.as_deref(), policy.tags.as_slice()),
        Found::Aws(policy) => (Some(policy.description), &[][..]),
    };
    inside.optional("Description", description);
    if !tags.is_empty() {
        entity::describe_tags(tags, &mut inside);
    }
    let mut xml = Xml::new();
    xml.raw("Policy", inside);
    Ok(xml.into())
}

/// The fields that a policy has in every answer.
pub(super) fn describe(visit: &Visit<'_>, policy: &Found, xml: &mut Xml) -> Result<(), Refusal> {
    let (name, id, arn, path, version, created, updated) = match policy {
        Found::Own(own) => (
            own.name.as_str(),
            own.id.as_str(),
            own.arn.as_str(),
            own.path.as_str(),
            own.default_version,
            own.created,
            own.updated,
        ),
        Found::Aws(aws) => (aws.name(), aws.id, aws.arn, aws.path(), 1, AWS_CREATED, AWS_CREATED),
    };
    xml.text("PolicyName", name)
        .text("PolicyId", id)
        .text("Arn", arn)
        .text("Path", path)
        .text("DefaultVersionId", format!("v{version}"))
        .text("AttachmentCount", visit.store.sources(ATTACHMENT, arn)?.len())
        .text("PermissionsBoundaryUsageCount", visit.store.sources(BOUNDARY, arn)?.len())
        .text("IsAttachable", true)
        .text("CreateDate", created.iso())
        .text("UpdateDate", updated.iso());
    Ok(())
}

pub(super) fn list(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let form = visit.form();
    let prefix = form.text("PathPrefix").unwrap_or("/");
    let scope = form.text("Scope").unwrap_or("All");
    let only_attached = form.text("OnlyAttached") == Some("true");
    let used_as = match form.text("PolicyUsageFilter") {
        Some("PermissionsBoundary") => BOUNDARY,
        _ => ATTACHMENT,
    };
    let mut found = Vec::new();
    if scope != "Local" {
        found.extend(aws::ALL.iter().filter(|aws| aws.path().starts_with(prefix)).map(Found::Aws));
    }
    if scope != "AWS" {
        let all = visit.store.all::<ManagedPolicy>("")?;
        found.extend(all.into_iter().filter(|own| own.path.starts_with(prefix)).map(Found::Own));
    }
    if only_attached {
        let mut attached = Vec::new();
        for policy in found {
            if !visit.store.sources(used_as, arn_of(&policy))?.is_empty() {
                attached.push(policy);
            }
        }
        found = attached;
    }
    let page = paging::at_hand(visit, found, |policy| arn_of(policy).to_owned())?;
    let mut members = Xml::new();
    for policy in &page.items {
        let mut inside = Xml::new();
        describe(visit, policy, &mut inside)?;
        members.raw("member", inside);
    }
    let mut xml = Xml::new();
    xml.raw("Policies", members);
    page.finish(&mut xml);
    Ok(xml.into())
}

fn arn_of(policy: &Found) -> &str {
    match policy {
        Found::Own(own) => &own.arn,
        Found::Aws(aws) => aws.arn,
    }
}

pub(super) fn delete(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let policy = own(visit, visit.argument("PolicyArn")?)?;
    let attached = !visit.store.sources(ATTACHMENT, &policy.arn)?.is_empty();
    if attached || !visit.store.sources(BOUNDARY, &policy.arn)?.is_empty() {
        return Err(entity::conflict("Cannot delete a policy attached to entities."));
    }
    if policy.versions.len() > 1 {
        return Err(entity::conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        ));
    }
    visit.store.delete::<ManagedPolicy>(&policy.name.to_ascii_lowercase())?;
    Ok(Reply::Empty)
}
