//! What a plan does to access: assertions judged, and who gains and who loses what.

mod claims;
mod doubled;
mod imagine;
mod organization;
mod report;
mod restored;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrane_access::estate::{TYPES, UNREAD};
use terrane_access::lockout::{MANAGING, shut_out, unmanageable};
use terrane_access::{Change, Claim, Estate, Item, Organization, difference};
use terrane_expr::FunctionContext;
use terrane_model::secret::Secrets;
use terrane_model::source::Sources;
use terrane_model::{Action, Address, Diagnostic, Diagnostics, Mode, Span, Value};
use terrane_provider::{Catalog, Facts};
use terrane_spec::Spec;
use terrane_state::Snapshot;

use crate::build::{Input, provider_of};
use crate::codec::decode;
use crate::graph::{Graph, graph};
use crate::plan::{Change as PlannedChange, Plan, ProviderKey};
use crate::target::Selection;
use crate::world::World;

pub use doubled::doubled;
pub use imagine::{Ground, Imagined, imagine};
pub use organization::organization;
pub use report::{Assertion, Report, own_part};
pub use restored::left_without;

/// What a plan says about access.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccessReport {
    /// Assertions, in the order of their names.
    pub assertions: Vec<Assertion>,
    /// Who gains and who loses what, the gravest first.
    pub changes: Vec<Change>,
}

/// Whether a type bears on access.
pub fn bears_on_access(type_name: &str) -> bool {
    TYPES.contains(&type_name)
}

/// The account that the default configuration of the provider works in, or else any of its configurations.
pub fn account(facts: &BTreeMap<ProviderKey, Arc<Facts>>) -> Option<Arc<str>> {
    let default = facts.get(&ProviderKey::default_of("aws")).and_then(|facts| facts.account.clone());
    default.or_else(|| facts.values().find_map(|facts| facts.account.clone()))
}

/// What is known around the objects of a stack.
#[derive(Clone, Copy, Default)]
pub struct Surroundings<'a> {
    /// The spec, for places and for the providers of objects.
    pub spec: Option<&'a Spec>,
    /// The account of the default configuration of the provider.
    pub account: Option<&'a str>,
    /// The policies of the account's organization.
    pub organization: Option<&'a Organization>,
}

/// The place of a declaration, such as `terrane.toml:12`.
pub fn place(sources: &Sources, span: Span) -> Option<String> {
    let file = sources.get(span.file)?;
    let line = sources.position(span.file, span.start)?.line;
    Some(format!("{}:{line}", file.name))
}

/// The estate of some objects.
pub fn estate(objects: &BTreeMap<Address, Value>, around: Surroundings<'_>) -> Estate {
    let relevant = objects.iter().filter(|(address, _)| {
        address.resource.mode == Mode::Managed && bears_on_access(&address.resource.type_name)
    });
    let relevant: Vec<(&Address, &Value)> = relevant.collect();
    let accounts = accounts(&relevant, around.spec);
    let described: Vec<(String, Option<String>)> = relevant
        .iter()
        .map(|(address, _)| {
            let declared = around.spec.and_then(|spec| Some((spec, spec.resource(&address.resource)?)));
            let place = declared.and_then(|(spec, resource)| place(&spec.sources, resource.span));
            (address.to_string(), place)
        })
        .collect();
    let items = relevant.iter().zip(&described).map(|((address, value), (name, place))| Item {
        address: name,
        type_name: &address.resource.type_name,
        value,
        place: place.as_deref(),
        account: around
            .spec
            .and_then(|spec| accounts.get(&provider_of(spec, &address.resource)))
            .map(String::as_str),
    });
    let mut estate = Estate::new(items, around.account);
    estate.organization = around.organization.cloned().unwrap_or_default();
    estate
}

/// The account of each provider configuration, by the ARNs of its objects.
fn accounts(objects: &[(&Address, &Value)], spec: Option<&Spec>) -> BTreeMap<ProviderKey, String> {
    let Some(spec) = spec else { return BTreeMap::new() };
    let one = |(address, value): &(&Address, &Value)| {
        let arn = value.get("arn")?.as_str()?;
        let account = arn.split(':').nth(4).filter(|account| account.len() == 12)?;
        Some((provider_of(spec, &address.resource), account.to_owned()))
    };
    objects.iter().filter_map(one).collect()
}

/// Objects of a snapshot that would bear on access and are not looked at: of types that are not read, or with values
/// that can't be.
pub fn overlooked(snapshot: &Snapshot, catalog: &Catalog) -> Vec<Address> {
    let unread = |(address, object): &(Address, &terrane_state::Object)| {
        let type_name = address.resource.type_name.as_ref();
        let readable = || {
            let schema = catalog.resource(type_name)?.schema();
            decode(schema, &object.attributes, &object.sensitive).ok()
        };
        UNREAD.contains(&type_name) || (bears_on_access(type_name) && readable().is_none())
    };
    let managed = snapshot.current().filter(|(address, ..)| address.resource.mode == Mode::Managed);
    managed.map(|(address, _, object)| (address, object)).filter(unread).map(|(address, _)| address).collect()
}

/// The objects of a snapshot that bear on access.
pub fn objects_of(snapshot: &Snapshot, catalog: &Catalog) -> BTreeMap<Address, Value> {
    let relevant = snapshot.current().filter(|(address, ..)| bears_on_access(&address.resource.type_name));
    relevant
        .filter_map(|(address, _, object)| {
            let schema = catalog.resource(&address.resource.type_name)?.schema();
            let value = decode(schema, &object.attributes, &object.sensitive).ok()?;
            Some((address, value.unmark_deep().0))
        })
        .collect()
}

/// The objects that a plan lets go of: they stay in AWS.
fn forgotten(changes: &[PlannedChange]) -> impl Iterator<Item = (Address, Value)> {
    let kept = changes.iter().filter(|change| change.action == Action::Forget);
    kept.filter_map(|change| Some((change.address.clone(), change.before.clone()?)))
}

/// The state that a plan starts from, and which part of it the plan covers.
#[derive(Clone, Copy)]
pub struct Kept<'a> {
    /// What the plan covers.
    pub selection: &'a Selection,
    /// The refreshed state.
    pub snapshot: &'a Snapshot,
}

/// The estate that the plan leads to, with stand-ins for what AWS invents.
fn planned_estate<'s>(
    input: &Input<'s>,
    world: &World<'s>,
    graph: &Graph,
    kept: Kept<'_>,
    changes: &[PlannedChange],
    around: Surroundings<'_>,
) -> (Estate, Imagined<'s>) {
    let ground = Ground {
        spec: input.spec,
        variables: &input.variables,
        workspace: &input.workspace,
        functions: &input.functions,
        catalog: input.catalog,
        facts: input.facts,
        planned: &|address| world.instance(address),
    };
    let imagined = imagine(&ground, graph);
    let mut plain = match kept.selection.is_limited() {
        true => objects_of(kept.snapshot, input.catalog),
        false => BTreeMap::new(),
    };
    plain.retain(|address, _| !kept.selection.covers(address));
    let made = imagined.objects.iter().map(|(address, value)| (address.clone(), value.clone()));
    let all = made.chain(forgotten(changes));
    plain.extend(all.map(|(address, value)| (address, value.unmark_deep().0)));
    restored::restore(&mut plain, changes);
    (estate(&plain, around), imagined)
}

/// The estates before and after a plan.
///
/// # Errors
/// When the spec of the plan has no graph.
pub fn of_plan(
    plan: &Plan,
    spec: &Spec,
    catalog: &Catalog,
    functions: &FunctionContext,
) -> Result<(Estate, Estate), Diagnostics> {
    let (mut plain, imagined) = imagined_by(plan, spec, catalog, functions)?;
    let all = imagined.into_iter().chain(forgotten(&plan.changes));
    plain.extend(all.map(|(address, value)| (address, value.unmark_deep().0)));
    restored::restore(&mut plain, &plan.changes);
    // What is wrong with the organization's files was said when the plan was made.
    let organization = organization(&spec.root.settings, functions, &mut Diagnostics::new());
    let around = Surroundings { spec: Some(spec), account: None, organization: Some(&organization) };
    let after = estate(&plain, around);
    let around = Surroundings { account: after.account.as_deref(), ..around };
    let before = estate(&objects_of(&plan.refreshed, catalog), around);
    Ok((before, after))
}

/// Objects by their addresses.
pub(crate) type Objects = BTreeMap<Address, Value>;

/// The objects that a plan does not speak of, as far as they bear on access, and those of the spec, with stand-ins for what
/// AWS invents.
pub(crate) fn imagined_by(
    plan: &Plan,
    spec: &Spec,
    catalog: &Catalog,
    functions: &FunctionContext,
) -> Result<(Objects, Objects), Diagnostics> {
    let changes = plan.changes.iter().filter(|change| change.deposed.is_none());
    let planned: BTreeMap<&Address, &Value> =
        changes.filter_map(|change| Some((&change.address, change.after.as_ref()?))).collect();
    // What a limited plan does not speak of stays as the state has it.
    let spoken_of: BTreeSet<&Address> = plan.changes.iter().map(|change| &change.address).collect();
    let mut kept = match plan.targeting.is_limited() {
        true => objects_of(&plan.refreshed, catalog),
        false => BTreeMap::new(),
    };
    kept.retain(|address, _| !spoken_of.contains(address));
    let data = |address: &Address| {
        let object = plan.refreshed.get(address).filter(|_| address.resource.mode == Mode::Data)?;
        let schema = catalog.data(&address.resource.type_name)?.schema();
        decode(schema, &object.attributes, &object.sensitive).ok()
    };
    let ground = Ground {
        spec,
        variables: &plan.variables,
        workspace: &plan.workspace,
        functions,
        catalog,
        facts: &BTreeMap::new(),
        planned: &|address| {
            let value = planned.get(address).copied().or_else(|| kept.get(address));
            value.cloned().or_else(|| data(address))
        },
    };
    let objects = imagine(&ground, &graph(spec)?).objects;
    Ok((kept, objects))
}

/// Judges every assertion of the stack, and says who gains and who loses what. Breaches are added to `diagnostics`.
pub fn report<'s>(
    input: &Input<'s>,
    world: &World<'s>,
    graph: &Graph,
    kept: Kept<'_>,
    planned: &[PlannedChange],
    diagnostics: &mut Diagnostics,
) -> AccessReport {
    let changes =
        planned.iter().any(|c| c.action.is_change() && bears_on_access(&c.address.resource.type_name));
    let asserted = input.spec.all_modules().any(|(_, module)| !module.access.is_empty());
    let organization = organization(&input.spec.root.settings, &input.functions, diagnostics);
    if !asserted && !changes {
        return AccessReport::default();
    }
    diagnostics.extend(warning_of(&overlooked(kept.snapshot, input.catalog)));
    let account = account(input.facts);
    let around = Surroundings {
        spec: Some(input.spec),
        account: account.as_deref(),
        organization: Some(&organization),
    };
    let (after, imagined) = planned_estate(input, world, graph, kept, planned, around);
    let mut report = AccessReport::default();
    if asserted {
        report.assertions = claims::judge_all(&imagined.world, &after, diagnostics);
    }
    if changes {
        diagnostics.extend(lockouts(input, &after));
        let objects = objects_of(kept.snapshot, input.catalog);
        let apart = restored::keys_of_changed_policies(planned, &objects);
        let before = estate(&objects, around);
        diagnostics.extend(shut_outs(input, (&before, &after), planned, &apart));
        report.changes = difference(&before, &after);
    }
    let secrets = secrets(input, kept.snapshot, imagined.objects.values());
    for change in &mut report.changes {
        secrets.hide_in(&mut change.principal);
        let texts = change.resources.iter_mut().chain(&mut change.actions).chain(&mut change.depends);
        texts.for_each(|text| secrets.hide_in(text));
    }
    for assertion in &mut report.assertions {
        assertion.against.iter_mut().for_each(|text| secrets.hide_in(text));
    }
    for diagnostic in diagnostics.iter_mut() {
        secrets.hide_in(&mut diagnostic.detail);
        diagnostic.hints.iter_mut().for_each(|text| secrets.hide_in(text));
    }
    report
}

/// Says that some objects are not looked at.
fn warning_of(overlooked: &[Address]) -> Option<Diagnostic> {
    let names: Vec<String> = overlooked.iter().map(|address| format!("`{address}`")).collect();
    let detail = format!(
        "What is said of access does not know {}: such objects are not read. Somebody may be able, or unable, to do more \
         than it says.",
        names.join(", ")
    );
    let warning =
        Diagnostic::warning("access-overlooked", "Objects that bear on access and are not read", detail);
    (!names.is_empty()).then_some(warning)
}

/// Keys that nobody could manage after the plan, and that no flag lets go.
fn lockouts(input: &Input<'_>, after: &Estate) -> Diagnostics {
    let allowed = |address: &str| input.options.allow_lockout.iter().any(|a| a.to_string() == address);
    let keys = unmanageable(after).into_iter().filter_map(|key| key.address.as_deref());
    keys.filter(|address| !allowed(address))
        .map(|address| {
            let detail = format!(
                "After this plan nobody could change the policy of `{address}` any more ({MANAGING}): not somebody of this \
                 stack, not somebody whom its policy names, and not the account's administrators, since no statement leaves \
                 the decision to IAM policies. Only AWS support could help then."
            );
            let error = Diagnostic::error("key-lockout", "Nobody could manage the key", detail)
                .hint("Give the account's root `kms:*` in the key's policy, which leaves the decision to IAM policies.")
                .hint(format!("`--allow-lockout '{address}'` goes on all the same."));
            match address.parse::<Address>() {
                Ok(address) => {
                    let span = input.spec.resource(&address.resource).map(|resource| resource.span);
                    error.at(span).about(&address)
                }
                Err(_) => error,
            }
        })
        .collect()
}

/// Keys whose change the caller could not undo, and that no flag lets go.
/// `apart` are keys whose policy changes through another resource, with the address of that.
fn shut_outs(
    input: &Input<'_>,
    (before, after): (&Estate, &Estate),
    planned: &[PlannedChange],
    apart: &BTreeMap<String, Address>,
) -> Diagnostics {
    let mut found = Diagnostics::new();
    // Who is shut out together with everybody else has been told.
    let told: BTreeSet<&str> =
        unmanageable(after).into_iter().filter_map(|key| key.address.as_deref()).collect();
    for caller in input.facts.values().filter_map(|facts| facts.caller.as_deref()).collect::<BTreeSet<_>>() {
        let is_changed = |address: &str| {
            let about = |change: &&PlannedChange| change.address.to_string() == address;
            let changed = |change: &PlannedChange| change.action == Action::Update;
            let policy = apart.get(address);
            let allowed = |a: &Address| a.to_string() == address || policy == Some(a);
            !told.contains(address)
                && (policy.is_some() || planned.iter().filter(about).any(changed))
                && !input.options.allow_lockout.iter().any(allowed)
        };
        for (key, lost) in shut_out(before, after, caller, &is_changed) {
            let address = key.address.clone().unwrap_or_default();
            let policy = apart.get(&address);
            let by = policy.map(|policy| format!(" through `{policy}`")).unwrap_or_default();
            let detail = format!(
                "After this plan `{caller}`, who carries it out, could not undo what it does to `{address}`{by}. Denied then, \
                 and not now: {}.",
                lost.join(", ")
            );
            let error = Diagnostic::error("key-shut-out", "The plan could not be undone by its caller", detail)
                .hint("Keep the caller, or the account's root, in the key's policy; or let one of those deploy who stay in it.")
                .hint(format!("`--allow-lockout '{address}'` goes on all the same."));
            found.push(match address.parse::<Address>() {
                Ok(address) => {
                    let declared = policy.and_then(|policy| input.spec.resource(&policy.resource));
                    let declared = declared.or_else(|| input.spec.resource(&address.resource));
                    error.at(declared.map(|resource| resource.span)).about(&address)
                }
                Err(_) => error,
            });
        }
    }
    found
}

/// The secrets of a stack: who has access is said in ARNs and names, and these may be made from one.
pub(crate) fn secrets<'v>(
    input: &'v Input<'_>,
    refreshed: &Snapshot,
    planned: impl Iterator<Item = &'v Value>,
) -> Secrets {
    let mut secrets = secrets_of_state(refreshed, input.catalog);
    input.variables.values().chain(planned).for_each(|value| secrets.learn(value));
    secrets
}

/// The secrets of a plan.
pub fn secrets_of_plan(plan: &Plan, catalog: &Catalog) -> Secrets {
    let mut secrets = secrets_of_state(&plan.refreshed, catalog);
    let values = plan.changes.iter().flat_map(|change| change.before.iter().chain(&change.after));
    plan.variables.values().chain(values).for_each(|value| secrets.learn(value));
    secrets
}

/// The secrets of a state.
pub fn secrets_of_state(snapshot: &Snapshot, catalog: &Catalog) -> Secrets {
    let mut secrets = Secrets::default();
    for (address, _, object) in snapshot.current() {
        let kind = catalog.resource(&address.resource.type_name);
        let known = kind.map(|kind| decode(kind.schema(), &object.attributes, &object.sensitive));
        if let Some(Ok(value)) = known {
            secrets.learn(&value);
        }
    }
    secrets
}

/// Judges the assertions with the values that are real now.
pub fn judge_now(
    world: &World<'_>,
    snapshot: &Snapshot,
    catalog: &Catalog,
    account: Option<&str>,
    changes: &[PlannedChange],
    diagnostics: &mut Diagnostics,
) -> Vec<Assertion> {
    if world.spec().all_modules().all(|(_, module)| module.access.is_empty()) {
        return vec![];
    }
    let mut objects = objects_of(snapshot, catalog);
    restored::restore(&mut objects, changes);
    // What is wrong with the organization's files was said when the plan was made.
    let organization = organization(&world.spec().root.settings, world.functions(), &mut Diagnostics::new());
    let around = Surroundings { spec: Some(world.spec()), account, organization: Some(&organization) };
    let estate = estate(&objects, around);
    claims::judge_all(world, &estate, diagnostics)
}

/// The assertions with the values of the world, and the estate of the state: what they can be tried on.
pub fn assertions_now(
    world: &World<'_>,
    snapshot: &Snapshot,
    catalog: &Catalog,
    account: Option<&str>,
    diagnostics: &mut Diagnostics,
) -> (Estate, Vec<Claim>) {
    let organization = organization(&world.spec().root.settings, world.functions(), diagnostics);
    let around = Surroundings { spec: Some(world.spec()), account, organization: Some(&organization) };
    let estate = estate(&objects_of(snapshot, catalog), around);
    let claims = claims::evaluated(world, &estate, diagnostics);
    (estate, claims.into_iter().map(|(claim, _)| claim).collect())
}
