//! What IAM's policy simulator says about the identity that deploys.
//!
//! The simulator looks at identity policies, the permissions boundary and the organization's policies. It does not look at
//! policies of resources, nor at the policies of a session.
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html>

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType};
use aws_smithy_types::timeout::TimeoutConfig;
use futures::StreamExt;
use terrane_provider::{Error, ErrorKind, Verdict};

use crate::client::Clients;
use crate::error::failed;

/// Actions on resources: each on each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The actions.
    pub actions: Vec<String>,
    /// ARNs, with `*` for what is not known of them.
    pub resources: Vec<String>,
    /// A condition key and its value, where the request has one.
    pub context: Option<(&'static str, String)>,
}

/// An action on a resource, with the value of the condition key that was given.
pub type Asked = (String, String, Option<String>);

/// Whose policies can be simulated: a user's or a role's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The ARN of a user.
    User(String),
    /// The role of a session: its name, and the ARN that it has without a path.
    Role(String, String),
}

impl Subject {
    /// Whose policies bind a caller; nothing for the root user, federated users, and what is none of AWS's ARNs.
    pub fn of(caller: &str) -> Option<Subject> {
        let mut fields = caller.splitn(6, ':');
        let mut field = || fields.next().unwrap_or_default();
        let (arn, partition, service, _, account, rest) =
            (field(), field(), field(), field(), field(), field());
        let (kind, name) = rest.split_once('/')?;
        match (arn, service, kind) {
            ("arn", "iam", "user") => Some(Subject::User(caller.to_owned())),
            ("arn", "sts", "assumed-role") => {
                let (role, _) = name.split_once('/')?;
                let arn = format!("arn:{partition}:iam::{account}:role/{role}");
                Some(Subject::Role(role.to_owned(), arn))
            }
            _ => None,
        }
    }

    /// The ARN. A session does not tell the path of its role, so IAM is asked; where it may not be, the role has no path.
    async fn arn(self, clients: &Clients) -> String {
        match self {
            Subject::User(arn) => arn,
            Subject::Role(name, arn) => {
                let found = clients.iam().get_role().role_name(name).customize();
                let found = found.config_override(patience(1)).send().await;
                found.ok().and_then(|found| found.role).map_or(arn, |role| role.arn)
            }
        }
    }
}

/// As many resources go into one call.
const RESOURCES: usize = 100;
/// As many calls are made at most; what would take more is not asked.
const CALLS: usize = 32;
/// As many calls are under way at once.
const AT_ONCE: usize = 4;
/// A plan does not wait longer than this for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the simulator said.
#[derive(Clone, Debug, Default)]
pub struct Simulated {
    /// The ARN of the user or role whose policies it looked at.
    pub arn: String,
    /// What could be asked.
    pub verdicts: BTreeMap<Asked, Verdict>,
}

/// Asks what the policies of a subject allow. What is not in the answer could not be asked.
///
/// # Errors
/// When it may not be asked, or there is no simulator: the first call tells.
pub async fn ask(clients: &Clients, subject: Subject, questions: &[Question]) -> Result<Simulated, Error> {
    let mut parts = questions.iter().flat_map(in_parts).take(CALLS);
    let mut answers = BTreeMap::new();
    let Some(first) = parts.next() else { return Ok(Simulated::default()) };
    let arn = subject.arn(clients).await;
    let mut answered = call(clients, &arn, &first, 1).await;
    if answered.as_ref().is_err_and(|error| error.kind == ErrorKind::Throttled) {
        answered = call(clients, &arn, &first, 3).await;
    }
    let mut unlike = Vec::new();
    match answered {
        Ok(found) => answers.extend(found),
        Err(error) if is_mixed(&error, &first) => unlike.push(first),
        Err(error) => return Err(error),
    }
    let rest: Vec<Question> = parts.collect();
    let left = CALLS.saturating_sub(1).saturating_sub(rest.len());
    let calls = rest.into_iter().map(|part| async {
        let answered = call(clients, &arn, &part, 3).await;
        (part, answered)
    });
    let answered: Vec<_> = futures::stream::iter(calls).buffer_unordered(AT_ONCE).collect().await;
    for (part, found) in answered {
        match found {
            Ok(found) => answers.extend(found),
            Err(error) if is_mixed(&error, &part) => unlike.push(part),
            Err(_) => {}
        }
    }
    let apart = unlike.iter().flat_map(one_by_one).take(left);
    let whose = arn.as_str();
    let calls = apart.map(|part| async move { call(clients, whose, &part, 3).await.ok() });
    let calls: Vec<_> = calls.collect();
    let answered: Vec<_> = futures::stream::iter(calls).buffer_unordered(AT_ONCE).collect().await;
    answers.extend(answered.into_iter().flatten().flatten());
    Ok(Simulated { arn, verdicts: answers })
}

/// The simulator refuses to decide actions in one call that differ in what their requests carry.
fn is_mixed(error: &Error, part: &Question) -> bool {
    error.code.as_deref() == Some("InvalidInput") && part.actions.len() > 1
}

fn in_parts(question: &Question) -> impl Iterator<Item = Question> {
    question.resources.chunks(RESOURCES).map(|resources| Question {
        actions: question.actions.clone(),
        resources: resources.to_vec(),
        context: question.context.clone(),
    })
}

fn one_by_one(question: &Question) -> impl Iterator<Item = Question> {
    question.actions.iter().map(|action| Question {
        actions: vec![action.clone()],
        resources: question.resources.clone(),
        context: question.context.clone(),
    })
}

fn patience(attempts: u32) -> aws_sdk_iam::config::Builder {
    aws_sdk_iam::config::Builder::new()
        .retry_config(aws_sdk_iam::config::retry::RetryConfig::standard().with_max_attempts(attempts))
        .timeout_config(TimeoutConfig::builder().operation_timeout(PATIENCE).build())
}

async fn call(
    clients: &Clients,
    arn: &str,
    part: &Question,
    attempts: u32,
) -> Result<BTreeMap<Asked, Verdict>, Error> {
    const OPERATION: &str = "iam:SimulatePrincipalPolicy";
    let context = part.context.as_ref().map(|(key, value)| {
        let entry = ContextEntry::builder().context_key_name(*key).context_key_values(value);
        entry.context_key_type(ContextKeyTypeEnum::String).build()
    });
    let given = part.context.as_ref().map(|(_, value)| value.clone());
    let (mut found, mut marker) = (BTreeMap::new(), None);
    loop {
        let call = clients
            .iam()
            .simulate_principal_policy()
            .policy_source_arn(arn)
            .set_action_names(Some(part.actions.clone()))
            .set_resource_arns(Some(part.resources.clone()))
            .set_context_entries(context.clone().map(|entry| vec![entry]))
            .set_marker(marker)
            .customize()
            .config_override(patience(attempts));
        let answer = call.send().await.map_err(failed(OPERATION))?;
        for result in answer.evaluation_results() {
            for (resource, verdict) in verdicts(result, &part.resources) {
                let asked = (result.eval_action_name.clone(), resource, given.clone());
                found.insert(asked, verdict);
            }
        }
        marker = answer.marker.filter(|_| answer.is_truncated);
        if marker.is_none() {
            return Ok(found);
        }
    }
}

/// The verdict on each resource of a result.
fn verdicts(result: &EvaluationResult, resources: &[String]) -> Vec<(String, Verdict)> {
    let each = result.resource_specific_results();
    if each.is_empty() {
        let verdict = verdict(&result.eval_decision, result.missing_context_values());
        return match resources {
            [one] => vec![(one.clone(), verdict)],
            _ => result.eval_resource_name.iter().map(|name| (name.clone(), verdict)).collect(),
        };
    }
    let one = |of: &aws_sdk_iam::types::ResourceSpecificResult| {
        let missing = of.missing_context_values();
        (of.eval_resource_name.clone(), verdict(&of.eval_resource_decision, missing))
    };
    each.iter().map(one).collect()
}

fn verdict(decision: &PolicyEvaluationDecisionType, missing: &[String]) -> Verdict {
    match decision {
        PolicyEvaluationDecisionType::Allowed => Verdict::Allowed,
        // With what the real request carries it may come out otherwise.
        _ if !missing.is_empty() => Verdict::Open,
        PolicyEvaluationDecisionType::ExplicitDeny => Verdict::Denied,
        PolicyEvaluationDecisionType::ImplicitDeny => Verdict::NotAllowed,
        _ => Verdict::Open,
    }
}

#[cfg(test)]
mod tests;
