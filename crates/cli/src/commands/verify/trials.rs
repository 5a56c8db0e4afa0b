//! What is to be tried: every question of every assertion, and why some are not.

use terrane_access::estate::{Origin, Principal};
use terrane_access::{Answered, Claim, Estate, Question, Real, Refusal};
use terrane_aws::attempt::{Asked, Circumstances, Happened, Manner, manner};
use terrane_iam::Caller;
use terrane_reconcile::Sessions;

/// One question of an assertion.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The assertion.
    pub claim: Claim,
    /// The ARN of who is to try.
    pub principal: String,
    /// The action; empty where the assertion is not known yet.
    pub action: String,
    /// The ARN of the resource.
    pub resource: String,
    /// What the call is to bring about.
    pub circumstances: Circumstances,
    /// What the proof says; nothing where there was nothing to prove.
    pub proof: Option<Answered>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a question.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Not yet tried.
    Pending,
    /// It is not tried, and why.
    Untried(Untried),
    /// It was tried.
    Tried(Happened),
}

/// Why something is not tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untried {
    /// It is a write, and nobody asked for writes.
    Write,
    /// It could change or destroy something.
    CouldChange,
    /// There is no harmless call for it.
    NoCall,
    /// Nobody can act as the principal, and why.
    Nobody(String),
    /// Nobody could be made to act as the principal: what failed, and what was said.
    NotActing(&'static str, String),
    /// The table can't be looked at, and why.
    NoTable(String),
    /// The key can't be looked at, and why.
    NoKey(String),
    /// The key is of a kind that this is not done with.
    OtherKind,
    /// The call takes another right, too, and that was refused.
    Beside(String),
    /// The assertion gives the request condition keys that a real one can't be given, and which.
    Context(String),
    /// Something of the assertion is not known before an apply.
    Unknown(String),
}

impl Untried {
    /// The reason, behind `not tried: `.
    pub fn reason(&self) -> String {
        match self {
            Untried::Write => "it writes; `--write` tries it".to_owned(),
            Untried::CouldChange => "it could change something".to_owned(),
            Untried::NoCall => "no harmless call is known for it".to_owned(),
            Untried::Nobody(why) => why.clone(),
            Untried::NotActing(what, why) => format!("{what}: {why}"),
            Untried::NoTable(why) => format!("the table can't be looked at: {why}"),
            Untried::NoKey(why) => format!("the key can't be looked at: {why}"),
            Untried::OtherKind => "the key is of a kind that this is not done with".to_owned(),
            Untried::Beside(action) => format!("the call takes {action}, too, and that was refused"),
            Untried::Context(why) => why.clone(),
            Untried::Unknown(what) => format!("not all of it is known before an apply ({what})"),
        }
    }
}

impl Trial {
    /// What really happened; nothing where it was not tried.
    pub fn real(&self) -> Option<Real> {
        match &self.outcome {
            Outcome::Tried(Happened::Allowed { .. }) => Some(Real::Allowed),
            Outcome::Tried(Happened::Refused { message, .. }) => {
                Some(Real::Refused(Refusal::read(&self.action, message)))
            }
            Outcome::Tried(Happened::Failed { .. }) => Some(Real::Unclear),
            Outcome::Pending | Outcome::Untried(_) => None,
        }
    }

    /// Whether it is as asserted; true where it was not tried.
    pub fn is_as_asserted(&self) -> bool {
        self.real().is_none_or(|real| real.is_as_asserted(&self.claim))
    }

    /// Whether it is as proved; true where it was not tried.
    pub fn is_as_proved(&self) -> bool {
        match (self.real(), &self.proof) {
            (Some(real), Some(proof)) => real.is_as_proved(proof),
            _ => true,
        }
    }

    /// Whether nothing speaks against it.
    pub fn agrees(&self) -> bool {
        self.is_as_asserted() && self.is_as_proved()
    }

    /// Whether it was not tried.
    pub fn is_untried(&self) -> bool {
        self.real().is_none()
    }
}

/// Every question of every assertion.
pub fn all(estate: &Estate, claims: &[Claim], sessions: &Sessions, write: bool) -> Vec<Trial> {
    let mut all = Vec::new();
    for claim in claims {
        if !claim.unknown.is_empty() {
            let what = claim.unknown.join(" and ");
            all.push(Trial {
                claim: claim.clone(),
                principal: claim.principals.first().cloned().unwrap_or_default(),
                action: String::new(),
                resource: String::new(),
                circumstances: Circumstances::default(),
                proof: None,
                outcome: Outcome::Untried(Untried::Unknown(what)),
            });
            continue;
        }
        for (principal, action, resource) in claim.questions() {
            let somebody = estate.somebody(&principal);
            let question = Question {
                principal: &somebody,
                action: &action,
                resource: &resource,
                context: &claim.context,
            };
            let proof = estate.ask(&question);
            let (circumstances, outcome) =
                match prepared(claim, &somebody, &action, &resource, sessions, write) {
                    Ok(circumstances) => (circumstances, Outcome::Pending),
                    Err(untried) => (Circumstances::default(), Outcome::Untried(untried)),
                };
            all.push(Trial {
                claim: claim.clone(),
                circumstances,
                outcome,
                proof: Some(proof),
                principal,
                action,
                resource,
            });
        }
    }
    all
}

/// What a call is to bring about, or why it is not made.
fn prepared(
    claim: &Claim,
    principal: &Principal,
    action: &str,
    resource: &str,
    sessions: &Sessions,
    write: bool,
) -> Result<Circumstances, Untried> {
    use terrane_aws::attempt::Untried as By;
    if let Some(why) = nobody(principal, sessions) {
        return Err(Untried::Nobody(why));
    }
    match manner(action, resource) {
        Ok(Manner::Write) if !write => return Err(Untried::Write),
        Ok(Manner::Read | Manner::Write) => {}
        Err(By::CouldChange) => return Err(Untried::CouldChange),
        Err(By::NoCall) => return Err(Untried::NoCall),
    }
    let by_role = matches!(principal.caller, Caller::AssumedRole { .. });
    let asked = Asked {
        action,
        resource,
        caller: &principal.arn,
        by_role: by_role && !is_deployer(&principal.arn, sessions),
        tags: principal.tags.as_deref(),
    };
    Circumstances::bringing_about(&claim.context, &asked).map_err(Untried::Context)
}

/// The right besides the one asked for that a call takes, where it was that one which was refused.
pub fn beside(action: &str, happened: &Happened) -> Option<String> {
    const BOTH: [&str; 2] = ["kms:ReEncryptFrom", "kms:ReEncryptTo"];
    let Happened::Refused { message, .. } = happened else { return None };
    let refused = Refusal::read(action, message).action;
    (BOTH.contains(&action) && BOTH.contains(&refused.as_str()) && refused != action).then_some(refused)
}

/// Why nobody can act as a principal; nothing when somebody can.
fn nobody(principal: &Principal, sessions: &Sessions) -> Option<String> {
    if is_deployer(&principal.arn, sessions) {
        return None;
    }
    let why = match (principal.origin, &principal.caller) {
        (Origin::Managed, Caller::User { .. } | Caller::AssumedRole { .. }) => return None,
        (Origin::Public, _) => "`*` stands for anybody",
        (Origin::Service, _) => "it is a service of AWS",
        (Origin::Root, _) => "it is the root user",
        (Origin::OtherAccount, _) => "it is of another account",
        (Origin::Managed | Origin::Named, _) => "it is not of this stack",
    };
    Some(why.to_owned())
}

/// Whether a principal is the identity that deploys.
pub fn is_deployer(arn: &str, sessions: &Sessions) -> bool {
    let callers = sessions.0.values().filter_map(|session| session.facts.caller.as_deref());
    callers.into_iter().any(|caller| caller == arn || role_of(caller).is_some_and(|role| is_role(arn, role)))
}

/// Account and name of the role behind a session's ARN.
fn role_of(caller: &str) -> Option<(&str, &str)> {
    let (front, rest) = caller.split_once(":assumed-role/")?;
    Some((front.split(':').nth(4)?, rest.split('/').next()?))
}

fn is_role(arn: &str, (account, name): (&str, &str)) -> bool {
    let last = arn.split_once(":role/").map(|(_, path)| path.rsplit('/').next().unwrap_or_default());
    last == Some(name) && arn.split(':').nth(4) == Some(account)
}

/// The ARN of the table behind that of an index.
pub fn table_of(resource: &str) -> &str {
    resource.split_once("/index/").map_or(resource, |(table, _)| table)
}

/// The region of an ARN; IAM has none.
pub fn region_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(3).filter(|region| !region.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_its_role() {
        let caller = "arn:aws:sts::123456789012:assumed-role/deploy/ci";
        let role = role_of(caller).unwrap();
        assert!(is_role("arn:aws:iam::123456789012:role/teams/deploy", role));
        assert!(!is_role("arn:aws:iam::210987654321:role/deploy", role));
        assert!(!is_role("arn:aws:iam::123456789012:role/deployer", role));
        assert!(!is_role("arn:aws:iam::123456789012:user/deploy", role));
        assert_eq!(role_of("arn:aws:iam::123456789012:user/ann"), None);
    }

    #[test]
    fn a_call_of_two_rights_shows_the_one_that_was_refused() {
        let refused = |action: &str| Happened::Refused {
            code: "AccessDeniedException".to_owned(),
            message: format!("User: arn is not authorized to perform: {action} on resource: arn because no"),
        };
        let (from, to) = ("kms:ReEncryptFrom", "kms:ReEncryptTo");
        assert_eq!(beside(to, &refused(from)).as_deref(), Some(from));
        assert_eq!(beside(from, &refused(from)), None);
        assert_eq!(beside("dynamodb:GetItem", &refused("kms:Decrypt")), None);
        assert_eq!(beside(to, &Happened::Allowed { code: None }), None);
    }

    #[test]
    fn indexes_are_of_their_table() {
        let table = "arn:aws:dynamodb:eu-west-3:123456789012:table/Post";
        assert_eq!(table_of(&format!("{table}/index/ByDate")), table);
        assert_eq!((table_of(table), region_of(table)), (table, Some("eu-west-3")));
        assert_eq!(region_of("arn:aws:iam::123456789012:user/ann"), None);
    }
}
