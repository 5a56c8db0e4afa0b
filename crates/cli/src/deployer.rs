//! Whether the identity that deploys may do what its plan takes, as far as IAM's policy simulator tells.

use terrane_aws::client::Clients;
use terrane_aws::simulation::{Question, Simulated, Subject, ask};
use terrane_model::{Diagnostic, Diagnostics};
use terrane_plan::permissions::lacking::{Deployer, Together, to_carry_out, together, warning};
use terrane_plan::permissions::{Needed, needs};
use terrane_plan::{Plan, access};
use terrane_provider::Verdict;
use terrane_reconcile::{Sessions, Stop};

use crate::cli::Planning;
use crate::exit::Problem;
use crate::functions;
use crate::work::{Work, unless_stopped};

/// Adds a warning to a plan whose caller lacks something. A plan that changes nothing makes no call for it, and where the
/// simulator may not be asked nothing is said.
///
/// # Errors
/// Only that the run was interrupted.
pub async fn check(
    work: &Work,
    planning: &Planning,
    sessions: &Sessions,
    plan: &mut Plan,
    stop: &Stop,
) -> Result<(), Problem> {
    let is_wanted = work.stack.spec.root.settings.check_deployer.unwrap_or(true);
    if !is_wanted || !planning.refresh || !plan.has_changes() {
        return Ok(());
    }
    let found = unless_stopped(stop, async { Ok(lacking(work, sessions, plan).await) }).await?;
    plan.warnings.extend(found);
    Ok(())
}

async fn lacking(work: &Work, sessions: &Sessions, plan: &Plan) -> Diagnostics {
    let who = sessions.0.iter().filter_map(|(key, session)| {
        let caller = session.facts.caller.as_deref()?;
        let clients = session.clients::<Clients>().ok()?;
        Some((key, caller, Subject::of(caller)?, clients))
    });
    let who: Vec<_> = who.collect();
    if who.is_empty() {
        return vec![];
    }
    let all = needs(plan, &work.catalog, &sessions.facts());
    let asking = who.into_iter().map(|(key, caller, subject, clients)| {
        let needed = to_carry_out(plan, &all, key);
        async move {
            let questions: Vec<Question> = together(&needed).into_iter().map(question).collect();
            let simulated = ask(clients, subject, &questions).await.ok()?;
            of_one(work, plan, caller, &needed, &simulated)
        }
    });
    let mut found = Diagnostics::new();
    for warning in futures::future::join_all(asking).await.into_iter().flatten() {
        // Several configurations may have the same caller and lack the same.
        if !found.contains(&warning) {
            found.push(warning);
        }
    }
    found
}

fn question(Together { actions, resources, context }: Together) -> Question {
    Question { actions, resources, context }
}

fn of_one(
    work: &Work,
    plan: &Plan,
    caller: &str,
    needed: &[Needed],
    simulated: &Simulated,
) -> Option<Diagnostic> {
    let verdict = |one: &Needed| {
        let permission = &one.permission;
        let value = permission.condition.as_ref().map(|condition| condition.value.clone());
        let asked = (permission.action.to_string(), permission.resource.clone(), value);
        simulated.verdicts.get(&asked).copied().unwrap_or(Verdict::Open)
    };
    let functions = functions::planning(&work.folder, &work.plan_time);
    let estates = || access::of_plan(plan, &work.stack.spec, &work.catalog, &functions).unwrap_or_default();
    let deployer = Deployer { caller, subject: &simulated.arn };
    let mut found = warning(plan, deployer, needed, &verdict, &estates)?;
    access::secrets_of_plan(plan, &work.catalog).hide_in(&mut found.detail);
    Some(found)
}
