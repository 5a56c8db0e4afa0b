//! The policies that belong to a caller, gathered from IAM and read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use terrane_iam::{Caller, Document, GroupPolicies, NamedPolicy, PolicySources};

use crate::iam::{self, Entity, InlinePolicy, ManagedPolicy};
use crate::identity::{Identity, entity_of};
use crate::options::Organization;
use crate::store::Changes;
use crate::wire::Refusal;

/// Texts read before are not read again, up to this many.
const CACHED: usize = 4096;

/// Policy texts and what they say.
#[derive(Debug, Default)]
pub(crate) struct PolicyCache(Mutex<HashMap<String, Arc<Document>>>);

impl PolicyCache {
    /// Reads a stored policy, which was checked when it was put.
    pub(crate) fn document(&self, text: &str) -> Result<Arc<Document>, Refusal> {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(document) = cached.get(text) {
            return Ok(Arc::clone(document));
        }
        let document = Document::parse(text)
            .map_err(|error| Refusal::internal(format!("A stored policy cannot be read: {error}")))?;
        let document = Arc::new(document);
        if cached.len() >= CACHED {
            cached.clear();
        }
        cached.insert(text.to_owned(), Arc::clone(&document));
        Ok(document)
    }
}

/// A policy with its name.
type Named = (String, Arc<Document>);

/// What limits and permits a caller.
#[derive(Debug, Default)]
pub(crate) struct CallerPolicies {
    identity: Vec<Named>,
    groups: Vec<(String, Vec<Named>)>,
    boundary: Option<Named>,
    session: Vec<Named>,
}

impl CallerPolicies {
    pub(crate) fn of(
        caller: &Identity,
        store: &Changes<'_>,
        cache: &PolicyCache,
    ) -> Result<CallerPolicies, Refusal> {
        match caller {
            Identity::Root => Ok(CallerPolicies::default()),
            Identity::User(user) => CallerPolicies::of_entity(user, store, cache),
            Identity::Session { role, session } => {
                let mut policies = CallerPolicies::of_entity(role, store, cache)?;
                for (number, text) in session.policies.iter().enumerate() {
                    policies.session.push((format!("session policy {}", number + 1), cache.document(text)?));
                }
                Ok(policies)
            }
        }
    }

    pub(crate) fn of_entity(
        entity: &Entity,
        store: &Changes<'_>,
        cache: &PolicyCache,
    ) -> Result<CallerPolicies, Refusal> {
        let mut groups = Vec::new();
        for id in store.targets(iam::MEMBERSHIP, &entity.id)? {
            if let Some(group) = entity_of(store, &id)? {
                groups.push((group.name.clone(), policies_of(&group.id, store, cache)?));
            }
        }
        let boundary = match &entity.boundary {
            Some(arn) => managed(arn, store, cache)?,
            None => None,
        };
        Ok(CallerPolicies {
            identity: policies_of(&entity.id, store, cache)?,
            groups,
            boundary,
            session: Vec::new(),
        })
    }

    /// With those of the organization that bind the caller's request.
    pub(crate) fn sources<'p>(
        &'p self,
        caller: &Caller,
        action: &str,
        organization: &'p Organization,
    ) -> PolicySources<'p> {
        let resource_control = match caller.is_bound_by_resource_control(action) {
            true => named(&organization.resource_control),
            false => Vec::new(),
        };
        PolicySources {
            service_control: service_control(caller, organization),
            resource_control,
            identity: named(&self.identity),
            groups: self
                .groups
                .iter()
                .map(|(group, policies)| GroupPolicies { group: group.clone(), policies: named(policies) })
                .collect(),
            boundary: self.boundary.as_ref().map(|(name, document)| NamedPolicy::new(name, document)),
            session: named(&self.session),
            ..PolicySources::default()
        }
    }
}

/// The service control policies that bind a caller.
pub(crate) fn service_control<'p>(
    caller: &Caller,
    organization: &'p Organization,
) -> Vec<Vec<NamedPolicy<'p>>> {
    let bound = caller.is_bound_by_service_control();
    organization.service_control.iter().filter(|_| bound).map(|level| named(level)).collect()
}

fn named(policies: &[Named]) -> Vec<NamedPolicy<'_>> {
    policies.iter().map(|(name, document)| NamedPolicy::new(name, document)).collect()
}

fn policies_of(id: &str, store: &Changes<'_>, cache: &PolicyCache) -> Result<Vec<Named>, Refusal> {
    let mut policies = Vec::new();
    for inline in store.all::<InlinePolicy>(&format!("{id}|"))? {
        policies.push((inline.name, cache.document(&inline.document)?));
    }
    for arn in store.targets(iam::ATTACHMENT, id)? {
        policies.extend(managed(&arn, store, cache)?);
    }
    Ok(policies)
}

fn managed(arn: &str, store: &Changes<'_>, cache: &PolicyCache) -> Result<Option<Named>, Refusal> {
    if let Some(policy) = iam::aws_managed(arn) {
        return Ok(Some((arn.to_owned(), cache.document(policy.document)?)));
    }
    let name = arn.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    match store.get::<ManagedPolicy>(&name)?.filter(|policy| policy.arn == arn) {
        Some(policy) => Ok(Some((arn.to_owned(), cache.document(policy.document())?))),
        None => Ok(None),
    }
}
