//! Whether a caller may make a call. The sandbox gathers what counts; `terrane-iam` decides.

use terrane_iam::{Caller, Context, Decision, Request, decide};

use crate::identity::Identity;
use crate::policies::CallerPolicies;
use crate::visit::Visit;
use crate::wire::{Refusal, Service};

/// Refuses the call unless identity policies allow it.
pub(crate) fn identity(
    visit: &Visit<'_>,
    action: &str,
    resource: &str,
    context: Context,
) -> Result<(), Refusal> {
    let policies = CallerPolicies::of(visit.caller, visit.store, visit.policies)?;
    let caller = caller(visit);
    let sources = policies.sources(&caller, action, &visit.options.organization);
    let context = surroundings(visit, context);
    allowed(visit, &decide(&Request { caller: &caller, action, resource, context }, &sources))
}

/// The refusal of a decision that is not `ALLOWED`, in the words and the shape of the called service.
pub(crate) fn allowed(visit: &Visit<'_>, decision: &Decision) -> Result<(), Refusal> {
    match decision.message() {
        None => Ok(()),
        Some(message) => Err(denied(visit.call.service, message)),
    }
}

/// An access-denied error of a service.
pub(crate) fn denied(service: Service, message: String) -> Refusal {
    match service {
        Service::Iam | Service::Sts => Refusal::with_status(403, "AccessDenied", message),
        Service::Kms | Service::DynamoDb | Service::DynamoDbStreams | Service::CloudTrail => {
            Refusal::new("AccessDeniedException", message)
        }
    }
}

/// The caller as the decisions know it.
pub(crate) fn caller(visit: &Visit<'_>) -> Caller {
    let account = visit.account();
    match visit.caller {
        Identity::Root => Caller::Root { account: account.to_owned(), partition: "aws".to_owned() },
        Identity::User(user) => Caller::User { arn: user.arn(account), user_id: Some(user.id.clone()) },
        Identity::Session { role, session } => Caller::AssumedRole {
            role_arn: role.arn(account),
            session_arn: visit.caller.arn(account),
            role_id: Some(role.id.clone()),
            session_name: session.name.clone(),
        },
    }
}

/// Adds the condition keys that every call has.
pub(crate) fn surroundings(visit: &Visit<'_>, mut context: Context) -> Context {
    context = context
        .with("aws:CurrentTime", visit.now.iso())
        .with("aws:EpochTime", visit.now.0.div_euclid(1000).to_string())
        .with("aws:SourceIp", "127.0.0.1")
        .with("aws:SecureTransport", "true")
        .with("aws:RequestedRegion", visit.region())
        .with("aws:UserAgent", "terrane-sandbox")
        .with("aws:userid", visit.caller.user_id(visit.account()));
    let tags = match visit.caller {
        Identity::Root => &[][..],
        Identity::User(entity) | Identity::Session { role: entity, .. } => &entity.tags,
    };
    if let Some(id) = &visit.options.organization.id {
        context = context.with("aws:PrincipalOrgID", id).with("aws:ResourceOrgID", id);
    }
    let of_session = match visit.caller {
        Identity::Session { session, .. } => session.tags.as_slice(),
        Identity::Root | Identity::User(_) => &[],
    };
    for tag in tags.iter().chain(of_session) {
        context = context.with(&format!("aws:PrincipalTag/{}", tag.key), &tag.value);
    }
    context
}
