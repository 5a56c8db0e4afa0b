//! Who tries: users with an access key for the time of the command, roles that are assumed, and the identity that deploys.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use terrane_access::Estate;
use terrane_aws::attempt::{assume, is_of_a_new_key};
use terrane_aws::client::Clients;
use terrane_aws::temporary::{Ledger, Made, Note, Trouble};
use terrane_provider::{Error, Session};
use terrane_reconcile::{Sessions, Stop};

use super::trials::{Outcome, Trial, Untried, is_deployer};
use crate::exit::Problem;
use crate::leftovers::{session_of, told};
use crate::terminal::Terminal;

/// How long a new access key may be unknown to a service. IAM names no limit; it is a matter of seconds.
const SPREADING: Duration = Duration::from_secs(60);
/// How often it is asked meanwhile.
pub const PAUSE: Duration = Duration::from_millis(500);

/// Tags of a session.
pub type Tags = BTreeMap<String, String>;

/// Somebody who can try.
#[derive(Clone)]
pub struct Actor {
    clients: Arc<Clients>,
    /// Until when the key may be unknown to a service.
    new_until: Instant,
}

impl Actor {
    /// The identity that deploys, or with credentials whoever they belong to.
    fn new(clients: &Clients, credentials: Option<Credentials>, new_for: Duration) -> Actor {
        let clients = Arc::new(clients.elsewhere(None, credentials));
        Actor { clients, new_until: Instant::now() + new_for }
    }

    /// Clients as this actor, in a region.
    pub fn clients(&self, region: Option<&str>) -> Clients {
        self.clients.elsewhere(region, None)
    }

    /// Whether a service may not have heard of the key yet.
    pub fn may_be_new(&self) -> bool {
        Instant::now() < self.new_until
    }
}

/// All who try. Keys are made when they are first needed.
pub struct Actors<'s> {
    sessions: &'s Sessions,
    ledger: Ledger,
    /// What other commands left over and could not be removed; that was told.
    old: Vec<Note>,
    /// By ARN and the tags of the session: who acts, or why nobody can.
    known: BTreeMap<(String, Tags), Result<Actor, Untried>>,
    keys: Vec<(Session, Made)>,
    /// The users for whom a key is going to be made: address and name.
    users: Vec<String>,
}

impl<'s> Actors<'s> {
    /// Nobody yet.
    pub fn of(estate: &Estate, trials: &[Trial], sessions: &'s Sessions, ledger: Ledger) -> Actors<'s> {
        let mut users = Vec::new();
        let pending = trials.iter().filter(|trial| matches!(trial.outcome, Outcome::Pending));
        for trial in
            pending.filter(|trial| is_user(&trial.principal) && !is_deployer(&trial.principal, sessions))
        {
            let user =
                format!("the user `{}` ({})", name_of(&trial.principal), estate.label_of(&trial.principal));
            if !users.contains(&user) {
                users.push(user);
            }
        }
        let old = ledger.left_over();
        Actors { sessions, ledger, old, known: BTreeMap::new(), keys: Vec::new(), users }
    }

    /// The users for whom a key is going to be made.
    pub fn users(&self) -> &[String] {
        &self.users
    }

    /// Who acts as a principal, or why nobody can.
    ///
    /// # Errors
    /// When the making of a key could not be noted: then none was made.
    pub async fn of_principal(
        &mut self,
        arn: &str,
        tags: &Tags,
        stop: &Stop,
    ) -> Result<Result<Actor, Untried>, Problem> {
        let key = (arn.to_owned(), tags.clone());
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let actor = self.made(arn, tags, stop).await?;
        self.known.insert(key, actor.clone());
        Ok(actor)
    }

    async fn made(&mut self, arn: &str, tags: &Tags, stop: &Stop) -> Result<Result<Actor, Untried>, Problem> {
        let account = arn.split(':').nth(4).unwrap_or_default();
        let Some(session) = session_of(self.sessions, account) else {
            let why = format!("no provider of this stack works in the account {account}");
            return Ok(Err(Untried::Nobody(why)));
        };
        let clients = match session.clients::<Clients>() {
            Ok(clients) => clients,
            Err(error) => return Ok(Err(Untried::Nobody(error.to_string()))),
        };
        if is_deployer(arn, self.sessions) {
            return Ok(Ok(Actor::new(clients, None, Duration::ZERO)));
        }
        if !is_user(arn) {
            let assumed = assume(clients, arn, tags).await;
            let actor = assumed.map(|credentials| Actor::new(clients, Some(credentials), Duration::ZERO));
            return Ok(actor.map_err(|error| Untried::NotActing("the role can't be assumed", said(&error))));
        }
        let user = name_of(arn);
        let made = match self.ledger.make(clients, account, user).await {
            Ok(made) => made,
            Err(trouble @ Trouble::State(_)) => return Err(told(trouble, "note a temporary access key")),
            Err(Trouble::Iam(error)) => {
                return Ok(Err(Untried::NotActing("no access key can be made for the user", said(&error))));
            }
        };
        let credentials = made.credentials.clone();
        self.keys.push((session.clone(), made));
        let actor = Actor::new(clients, Some(credentials), SPREADING);
        heard_of(&actor, stop).await;
        Ok(Ok(actor))
    }

    /// Removes every key, unless everything must end now: then what is left stays noted, and is told.
    ///
    /// # Errors
    /// What could not be removed: it stays noted, and is told.
    pub async fn leave(mut self, terminal: &Terminal, stop: &Stop) -> Result<(), Problem> {
        let keys = std::mem::take(&mut self.keys);
        let removed = tokio::select! {
            biased;
            // Dropped between two calls, the removing leaves its notes as they were.
            () = stop.asked_at_once() => Ok(()),
            removed = self.remove(keys) => removed,
        };
        for note in self.ledger.left_over().into_iter().filter(|note| !self.old.contains(note)) {
            let text = match note.id {
                Some(id) => {
                    format!("The temporary access key {id} of the user `{}` may still be there.", note.user)
                }
                None => format!("A temporary access key of the user `{}` may have been made.", note.user),
            };
            terminal.tell(&format!(
                "{text} It is noted beside the state: the next `terrane access verify` or `terrane apply` removes it.\n"
            ));
        }
        removed
    }

    async fn remove(&mut self, keys: Vec<(Session, Made)>) -> Result<(), Problem> {
        let mut failure = None;
        for (session, made) in keys {
            let removed = match session.clients::<Clients>() {
                Ok(clients) => self.ledger.remove(clients, &made).await,
                Err(error) => Err(Trouble::Iam(error)),
            };
            if let Err(trouble) = removed {
                let id = made.credentials.access_key_id();
                failure.get_or_insert_with(|| {
                    told(trouble, &format!("remove the temporary access key `{id}` again"))
                });
            }
        }
        failure.map_or(Ok(()), Err)
    }
}

/// What AWS said, in short.
fn said(error: &Error) -> String {
    let code = error.code.as_ref().map(|code| format!("{code}: ")).unwrap_or_default();
    format!("{code}{}", error.message)
}

/// Waits until STS knows a new key. Other services may hear of it later.
async fn heard_of(actor: &Actor, stop: &Stop) {
    let not_yet = |error: &Error| is_of_a_new_key(error.code.as_deref());
    while actor.may_be_new() && !stop.gently() && actor.clients.caller().await.is_err_and(|e| not_yet(&e)) {
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = stop.asked() => {}
        }
    }
}

fn is_user(arn: &str) -> bool {
    arn.contains(":user/")
}

/// The name at the end of an ARN.
fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}
