//! The policies that a simulation is made with, under the names that its answer gives them.

use std::sync::Arc;

use terrane_iam::{Document, GroupPolicies, NamedPolicy, PolicySources};

use super::super::managed::{self, Found};
use super::super::records::{ATTACHMENT, Entity, EntityKind, InlinePolicy, MEMBERSHIP};
use crate::identity::entity_of;
use crate::visit::Visit;
use crate::wire::Refusal;

/// Which part a policy plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Of the entity, or given with the call.
    Identity,
    /// Of a group of the entity.
    Group,
    /// The permissions boundary.
    Boundary,
    /// The resource's.
    Resource,
}

/// One policy.
pub(super) struct Simulated {
    /// The name in the answer.
    pub(super) source: String,
    pub(super) part: Part,
    pub(super) text: String,
    document: Arc<Document>,
}

/// All policies of a simulation. The engine knows each by its number.
pub(super) struct Policies(Vec<Simulated>);

impl Policies {
    /// The policies of a user with those of its groups, of a group, or of a role.
    pub(super) fn of(visit: &Visit<'_>, entity: &Entity) -> Result<Policies, Refusal> {
        let mut all = Policies(Vec::new());
        all.add_of(visit, entity, Part::Identity)?;
        if entity.kind == EntityKind::User {
            for id in visit.store.targets(MEMBERSHIP, &entity.id)? {
                if let Some(group) = entity_of(visit.store, &id)? {
                    all.add_of(visit, &group, Part::Group)?;
                }
            }
        }
        if let Some(arn) = &entity.boundary {
            let (name, text) = managed_text(visit, arn)?;
            all.add(visit, name, Part::Boundary, text)?;
        }
        Ok(all)
    }

    fn add_of(&mut self, visit: &Visit<'_>, entity: &Entity, part: Part) -> Result<(), Refusal> {
        for inline in visit.store.all::<InlinePolicy>(&format!("{}|", entity.id))? {
            let source = format!("{}_{}_{}", entity.kind.word(), entity.name, inline.name);
            self.add(visit, source, part, inline.document)?;
        }
        for arn in visit.store.targets(ATTACHMENT, &entity.id)? {
            let (name, text) = managed_text(visit, &arn)?;
            self.add(visit, name, part, text)?;
        }
        Ok(())
    }

    /// Adds a policy whose text was checked before.
    pub(super) fn add(
        &mut self,
        visit: &Visit<'_>,
        source: String,
        part: Part,
        text: String,
    ) -> Result<(), Refusal> {
        let document = visit.policies.document(&text)?;
        self.0.push(Simulated { source, part, text, document });
        Ok(())
    }

    /// Forgets the boundary that the entity has: another one is given.
    pub(super) fn without_boundary(&mut self) {
        self.0.retain(|policy| policy.part != Part::Boundary);
    }

    /// The policy that the engine knows by this name.
    pub(super) fn by_number(&self, name: &str) -> Option<&Simulated> {
        name.parse::<usize>().ok().and_then(|number| self.0.get(number))
    }

    pub(super) fn has_boundary(&self) -> bool {
        self.0.iter().any(|policy| policy.part == Part::Boundary)
    }

    /// The policy of the resources, if one was given.
    pub(super) fn resource(&self) -> Option<&Simulated> {
        self.0.iter().find(|policy| policy.part == Part::Resource)
    }

    /// What it says.
    pub(super) fn of_resource(&self) -> Option<&Document> {
        self.resource().map(|policy| policy.document.as_ref())
    }

    fn named(&self, part: Part) -> Vec<NamedPolicy<'_>> {
        let all = self.0.iter().enumerate().filter(|(_, policy)| policy.part == part);
        all.map(|(number, policy)| NamedPolicy::new(number.to_string(), &policy.document)).collect()
    }

    /// The policies as the engine takes them.
    pub(super) fn sources(&self) -> PolicySources<'_> {
        PolicySources {
            identity: self.named(Part::Identity),
            groups: vec![GroupPolicies { group: String::new(), policies: self.named(Part::Group) }],
            boundary: self.named(Part::Boundary).into_iter().next(),
            resource: self.named(Part::Resource).into_iter().next(),
            ..PolicySources::default()
        }
    }
}

fn managed_text(visit: &Visit<'_>, arn: &str) -> Result<(String, String), Refusal> {
    Ok(match managed::find(visit, arn)? {
        Found::Own(policy) => (policy.name.clone(), policy.document().to_owned()),
        Found::Aws(policy) => (policy.name().to_owned(), policy.document.to_owned()),
    })
}
