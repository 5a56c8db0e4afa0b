//! Who may do what with a key: the key's policy, its grants and the caller's policies, put before `terrane-iam`.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_iam::{Context, Decision, Document, GrantConstraint, KeyAuthority, Request, decide_key};

use super::records::{ALIAS_OF, Grant, Key};
use crate::authorize;
use crate::policies::CallerPolicies;
use crate::principals;
use crate::store::Document as _;
use crate::trail::{self, Through};
use crate::visit::Visit;
use crate::wire::Refusal;

/// What a key says about its use, read.
#[derive(Debug)]
pub(crate) struct Authority {
    pub(crate) arn: String,
    pub(crate) policy: Arc<Document>,
    pub(crate) grants: Vec<terrane_iam::Grant>,
    pub(crate) tags: Vec<(String, String)>,
}

impl Authority {
    pub(crate) fn of(visit: &Visit<'_>, key: &Key) -> Result<Authority, Refusal> {
        let text = principals::rendered(visit, &key.policy)?;
        Authority::with_policy(visit, key, &text)
    }

    /// The same with another policy in place.
    pub(super) fn with_policy(visit: &Visit<'_>, key: &Key, text: &str) -> Result<Authority, Refusal> {
        let mut grants = Vec::new();
        for grant in visit.store.all::<Grant>(&Grant::prefix_of(key))? {
            grants.push(terrane_iam::Grant {
                grantee: super::grant::shown(visit, &grant.grantee)?,
                id: grant.id,
                operations: grant.operations,
                constraint: grant.constraints.and_then(|constraints| {
                    let pairs = |map: BTreeMap<String, String>| map.into_iter().collect();
                    let equals = constraints.encryption_context_equals;
                    let subset = constraints.encryption_context_subset;
                    equals
                        .map(|map| GrantConstraint::Equals(pairs(map)))
                        .or_else(|| subset.map(|map| GrantConstraint::Subset(pairs(map))))
                }),
            });
        }
        let tags = key.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
        Ok(Authority { arn: key.arn(visit.account()), policy: visit.policies.document(text)?, grants, tags })
    }

    pub(crate) fn as_key(&self) -> KeyAuthority<'_> {
        KeyAuthority {
            key_arn: &self.arn,
            key_policy: Some(&self.policy),
            grants: &self.grants,
            tags: Some(&self.tags),
        }
    }
}

/// The condition keys that speak of a key.
pub(crate) fn key_context(visit: &Visit<'_>, key: &Key) -> Result<Context, Refusal> {
    let mut context = Context::complete()
        .with("kms:KeySpec", &key.spec)
        .with("kms:KeyUsage", &key.usage)
        .with("kms:KeyOrigin", &key.origin)
        .with("kms:MultiRegion", key.multi_region.to_string());
    let aliases = aliases_of(visit, key)?;
    if !aliases.is_empty() {
        context = context.with_all("kms:ResourceAliases", aliases);
    }
    Ok(context)
}

/// The names of a key's aliases.
pub(super) fn aliases_of(visit: &Visit<'_>, key: &Key) -> Result<Vec<String>, Refusal> {
    let keys = visit.store.sources(ALIAS_OF, &key.key())?;
    Ok(keys.iter().filter_map(|key| key.split_once('|')).map(|(_, name)| name.to_owned()).collect())
}

/// Adds an encryption context to the condition keys.
pub(super) fn with_encryption_context(context: Context, pairs: &BTreeMap<String, String>) -> Context {
    if pairs.is_empty() {
        return context;
    }
    let context = context.with_all("kms:EncryptionContextKeys", pairs.keys());
    pairs
        .iter()
        .fold(context, |context, (name, value)| context.with(&format!("kms:EncryptionContext:{name}"), value))
}

/// Refuses the call unless the caller may do `action` with the key.
pub(super) fn may(visit: &Visit<'_>, key: &Key, action: &str, context: Context) -> Result<(), Refusal> {
    let authority = Authority::of(visit, key)?;
    visit.seen.resource(trail::KEY, &authority.arn);
    authorize::allowed(visit, &weigh(visit, &authority, action, context)?)
}

pub(super) fn weigh(
    visit: &Visit<'_>,
    authority: &Authority,
    action: &str,
    context: Context,
) -> Result<Decision, Refusal> {
    let policies = CallerPolicies::of(visit.caller, visit.store, visit.policies)?;
    let caller = authorize::caller(visit);
    let context = authorize::surroundings(visit, context);
    let request = Request { caller: &caller, action, resource: &authority.arn, context };
    let sources = policies.sources(&caller, action, &visit.options.organization);
    Ok(decide_key(&request, &sources, &authority.as_key()))
}

/// The same with nothing but the key's own condition keys.
pub(super) fn may_plainly(visit: &Visit<'_>, key: &Key, action: &str) -> Result<(), Refusal> {
    may(visit, key, action, key_context(visit, key)?)
}

/// Refuses what a service does with a key in the caller's name.
pub(crate) fn may_through(
    visit: &Visit<'_>,
    key: &Key,
    action: &str,
    service: &'static str,
) -> Result<(), Refusal> {
    let through = format!("{service}.{}.amazonaws.com", visit.region());
    let context = key_context(visit, key)?
        .with("kms:ViaService", through)
        .with("kms:GrantIsForAWSResource", "true")
        .with_all("aws:CalledVia", [format!("{service}.amazonaws.com")]);
    let authority = Authority::of(visit, key)?;
    let allowed = authorize::allowed(visit, &weigh(visit, &authority, action, context)?);
    visit.seen.through(Through {
        service,
        operation: operation(action).to_owned(),
        key: authority.arn,
        table: None,
        refusal: allowed.as_ref().err().map(|refusal| refusal.message.clone()),
    });
    allowed
}

/// The operation of an action: `Decrypt` of `kms:Decrypt`.
pub(crate) fn operation(action: &str) -> &str {
    action.split_once(':').map_or(action, |(_, name)| name)
}
