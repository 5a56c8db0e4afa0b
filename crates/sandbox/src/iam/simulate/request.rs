//! What a simulation is asked: whose policies, which others, which actions on which resources, and under which conditions.

use terrane_iam::{Caller, Context, ContextValue, Document, PolicyUse};

use super::super::records::{Entity, EntityKind};
use super::super::{check, entity};
use super::policies::{Part, Policies};
use crate::grammar;
use crate::options::Organization;
use crate::visit::Visit;
use crate::wire::Refusal;

/// A simulation, checked.
pub(super) struct Simulation<'a> {
    pub(super) policies: Policies,
    pub(super) caller: Caller,
    pub(super) context: Context,
    pub(super) actions: Vec<String>,
    pub(super) resources: Vec<String>,
    /// The account of resources whose ARN names none.
    pub(super) owner: String,
    pub(super) organization: &'a Organization,
}

/// How many decisions one call may ask for.
const MOST_PAIRS: usize = 100_000;

const TYPES: [&str; 12] = [
    "string",
    "stringList",
    "numeric",
    "numericList",
    "boolean",
    "booleanList",
    "ip",
    "ipList",
    "binary",
    "binaryList",
    "date",
    "dateList",
];

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidInput", message)
}

impl<'a> Simulation<'a> {
    /// Reads and checks the arguments of the call.
    pub(super) fn of(visit: &Visit<'a>) -> Result<Simulation<'a>, Refusal> {
        let form = visit.form();
        let source = source(visit)?;
        let mut policies = Policies::of(visit, &source)?;
        for (number, text) in form.texts("PolicyInputList").into_iter().enumerate() {
            given(&text, "PolicyInputList")?;
            policies.add(visit, format!("PolicyInputList.{}", number + 1), Part::Identity, text)?;
        }
        let mut boundaries = form.texts("PermissionsBoundaryPolicyInputList");
        if let Some(text) = boundaries.pop() {
            if !boundaries.is_empty() {
                return Err(invalid("Only one permissions boundary policy can be simulated."));
            }
            given(&text, "PermissionsBoundaryPolicyInputList")?;
            policies.without_boundary();
            let name = "PermissionsBoundaryPolicyInputList.1".to_owned();
            policies.add(visit, name, Part::Boundary, text)?;
        }
        let caller = caller(visit, &source)?;
        if let Some(text) = form.text("ResourcePolicy") {
            if !matches!(caller, Caller::User { .. }) || is_group(&source, visit) {
                return Err(invalid("Invalid caller - Caller must be an IAM user in this context."));
            }
            Document::parse(text)
                .map_err(|error| invalid(format!("Invalid policy in ResourcePolicy: {error}")))?;
            policies.add(visit, "ResourcePolicy".to_owned(), Part::Resource, text.to_owned())?;
        }
        let actions = actions(visit)?;
        let resources = resources(visit)?;
        if actions.len().saturating_mul(resources.len()) > MOST_PAIRS {
            return Err(invalid("The simulation has too many actions and resources."));
        }
        let owner = form.text("ResourceOwner").map(|owner| owner.split(':').nth(4).unwrap_or(owner));
        Ok(Simulation {
            policies,
            context: context(visit, &source)?,
            actions,
            resources,
            owner: owner.or(caller.account()).unwrap_or(visit.account()).to_owned(),
            organization: &visit.options.organization,
            caller,
        })
    }
}

/// The entity of an ARN: its kind and its name with the path.
fn entity_of_arn(arn: &str) -> Option<(&str, EntityKind, &str)> {
    let mut fields = arn.splitn(6, ':');
    let mut field = || fields.next().unwrap_or_default();
    let (arn, _, service, _, account, rest) = (field(), field(), field(), field(), field(), field());
    let (kind, name) = rest.split_once('/')?;
    let kind = match kind {
        "user" => EntityKind::User,
        "group" => EntityKind::Group,
        "role" => EntityKind::Role,
        _ => return None,
    };
    (arn == "arn" && service == "iam" && !name.is_empty() && !name.ends_with('/'))
        .then_some((account, kind, name))
}

/// The user, group or role whose policies are simulated.
fn source(visit: &Visit<'_>) -> Result<Entity, Refusal> {
    let arn = visit.argument("PolicySourceArn")?;
    let Some((account, kind, name)) = entity_of_arn(arn) else {
        return Err(invalid(format!(
            "Invalid Entity Arn: {arn} does not clearly define entity type and name."
        )));
    };
    if account != visit.account() {
        return Err(invalid(format!(
            "Invalid Policy Source Arn: caller's account {} does not have access to policies in account {account}",
            visit.account()
        )));
    }
    let last = name.rsplit('/').next().unwrap_or_default();
    let found = visit.store.get::<Entity>(&Entity::key_of(kind, last))?;
    found.filter(|entity| entity.arn(account) == arn).ok_or_else(|| entity::no_such(kind, last))
}

fn is_group(source: &Entity, visit: &Visit<'_>) -> bool {
    source.kind == EntityKind::Group && visit.form().text("CallerArn").is_none()
}

/// As whom the calls are simulated: the user that the call names, or else the entity itself.
fn caller(visit: &Visit<'_>, source: &Entity) -> Result<Caller, Refusal> {
    if let Some(arn) = visit.form().text("CallerArn") {
        return match entity_of_arn(arn) {
            Some((_, EntityKind::User, _)) => Ok(Caller::User { arn: arn.to_owned(), user_id: None }),
            _ => Err(invalid("Invalid caller - Caller must be an IAM user in this context.")),
        };
    }
    let account = visit.account();
    Ok(match source.kind {
        EntityKind::User | EntityKind::Group => {
            Caller::User { arn: source.arn(account), user_id: Some(source.id.clone()) }
        }
        EntityKind::Role => Caller::AssumedRole {
            role_arn: source.arn(account),
            session_arn: format!("arn:aws:sts::{account}:assumed-role/{}/simulation", source.name),
            role_id: Some(source.id.clone()),
            session_name: "simulation".to_owned(),
        },
    })
}

fn given(text: &str, field: &str) -> Result<(), Refusal> {
    let read = grammar::accepted(text, PolicyUse::Managed);
    read.map(drop).map_err(|violation| invalid(format!("Invalid policy in {field}: {}", violation.message)))
}

fn actions(visit: &Visit<'_>) -> Result<Vec<String>, Refusal> {
    let actions = visit.form().texts("ActionNames");
    if actions.is_empty() {
        return Err(check::invalid(
            "1 validation error detected: Value null at 'actionNames' failed to satisfy constraint: Member must not be null",
        ));
    }
    for action in &actions {
        check::length("ActionNames", action, 3, 128)?;
        let named = action.split_once(':').is_some_and(|(service, name)| {
            let fits = |text: &str, more: &[u8]| {
                !text.is_empty()
                    && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
            };
            fits(service, b"-") && fits(name, b"")
        });
        if !named {
            return Err(invalid(format!("Invalid Action Name: {action}")));
        }
    }
    Ok(actions)
}

fn resources(visit: &Visit<'_>) -> Result<Vec<String>, Refusal> {
    let resources = visit.form().texts("ResourceArns");
    for resource in &resources {
        check::length("ResourceArns", resource, 1, 2048)?;
        let is_arn = resource.starts_with("arn:") && resource.splitn(6, ':').count() == 6;
        if resource != "*" && !is_arn {
            return Err(invalid(format!("Invalid Resource Arn: {resource}")));
        }
    }
    Ok(if resources.is_empty() { vec!["*".to_owned()] } else { resources })
}

/// The condition keys: those that the call gives, and those that follow from whose policies they are and from the clock.
fn context(visit: &Visit<'_>, source: &Entity) -> Result<Context, Refusal> {
    let mut context = Context::complete()
        .with("aws:CurrentTime", visit.now.iso())
        .with("aws:EpochTime", visit.now.0.div_euclid(1000).to_string());
    if source.kind == EntityKind::Group {
        context.set("aws:username", ContextValue::Absent);
    }
    if let Some(id) = &visit.options.organization.id {
        context = context.with("aws:PrincipalOrgID", id).with("aws:ResourceOrgID", id);
    }
    for tag in &source.tags {
        context = context.with(&format!("aws:PrincipalTag/{}", tag.key), &tag.value);
    }
    for entry in visit.form().members("ContextEntries") {
        let Some(name) = entry.text("ContextKeyName") else {
            return Err(invalid("A context entry has no key name."));
        };
        check::length("ContextKeyName", name, 5, 256)?;
        if !name.contains(':') {
            return Err(invalid(format!("Invalid context key name: {name}")));
        }
        if let Some(said) = entry.text("ContextKeyType").filter(|said| !TYPES.contains(said)) {
            return Err(check::invalid(format!(
                "1 validation error detected: Value '{said}' at 'contextKeyType' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
                TYPES.join(", ")
            )));
        }
        context = context.with_all(name, entry.texts("ContextKeyValues"));
    }
    Ok(context)
}
