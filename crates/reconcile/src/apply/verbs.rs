//! One action, from call to answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use terrane_model::{Action, Address, Value};
use terrane_plan::Change;
use terrane_plan::loss::Loss;
use terrane_provider::{
    Catalog, Context, Deleted, Error, ErrorKind, Extent, Facts, Failure, Holds, Note, ResourceType, Session,
};

use crate::events::{Events, Waits};

/// What is to be done, with the values that are to become real.
pub(super) enum Verb {
    Create { desired: Value },
    Update { prior: Value, desired: Value },
    Delete { prior: Value, deposed: Option<String> },
    Read { config: Value, facts: Arc<Facts> },
}

impl Verb {
    pub(super) fn action(&self) -> Action {
        match self {
            Verb::Create { .. } => Action::Create,
            Verb::Update { .. } => Action::Update,
            Verb::Delete { .. } => Action::Delete,
            Verb::Read { .. } => Action::Read,
        }
    }

    pub(super) fn prior(&self) -> Option<&Value> {
        match self {
            Verb::Update { prior, .. } | Verb::Delete { prior, .. } => Some(prior),
            Verb::Create { .. } | Verb::Read { .. } => None,
        }
    }

    pub(super) fn desired(&self) -> Option<&Value> {
        match self {
            Verb::Create { desired } | Verb::Update { desired, .. } => Some(desired),
            Verb::Delete { .. } | Verb::Read { .. } => None,
        }
    }
}

/// What came of an action.
pub(super) enum Came {
    /// The object as it is now.
    Object(Value),
    /// It is gone.
    Gone(Deleted),
}

/// What ends in a walk.
pub(super) enum Ended {
    /// An action.
    Action(Finished),
    /// Looking what is there before an object is made.
    Surveyed { node: usize, verb: Verb, result: Result<String, Error>, elapsed: Duration },
    /// Taking the marker off an object.
    Settled { address: Address, result: Result<(), Error> },
}

pub(super) struct Finished {
    pub node: usize,
    pub verb: Verb,
    pub marker: String,
    pub note: Note,
    pub result: Result<Came, Failure>,
    pub elapsed: Duration,
}

pub(super) struct Work<'r> {
    pub node: usize,
    pub change: &'r Change,
    pub verb: Verb,
    pub marker: String,
    pub note: Note,
    pub session: &'r Session,
    pub events: &'r dyn Events,
    pub catalog: &'r Catalog,
    pub timeout: Duration,
    /// What the plan says is lost with the object, when it is deleted.
    pub loss: Option<&'r Loss>,
}

impl Work<'_> {
    pub(super) async fn carry_out(self) -> Finished {
        let started = Instant::now();
        let result = self.call().await;
        let Work { node, verb, marker, note, .. } = self;
        Finished { node, verb, marker, note, result, elapsed: started.elapsed() }
    }

    async fn call(&self) -> Result<Came, Failure> {
        let waits = Waits(self.events);
        let cx = Context {
            session: self.session,
            address: &self.change.address,
            timeout: self.timeout,
            marker: Some(&self.marker),
            note: Some(&self.note),
            progress: &waits,
        };
        let type_name = &self.change.address.resource.type_name;
        if let Verb::Read { config, facts } = &self.verb {
            let Some(data) = self.catalog.data(type_name) else { return Err(no_type(type_name)) };
            let config = plain(config);
            return match data.compute(&config, facts) {
                Some(Ok(value)) => Ok(Came::Object(value)),
                Some(Err(problems)) => {
                    let details: Vec<String> = problems.into_iter().map(|p| p.detail).collect();
                    Err(Error::new(ErrorKind::Invalid, type_name.to_string(), details.join(" ")).into())
                }
                None => Ok(Came::Object(data.read(&cx, &config).await?)),
            };
        }
        let Some(resource) = self.catalog.resource(type_name) else { return Err(no_type(type_name)) };
        match &self.verb {
            Verb::Create { desired } => resource.create(&cx, &plain(desired)).await.map(Came::Object),
            Verb::Update { prior, desired } => {
                resource.update(&cx, &plain(prior), &plain(desired)).await.map(Came::Object)
            }
            Verb::Delete { prior, .. } => {
                let prior = plain(prior);
                self.nobody_came(resource.as_ref(), &cx, &prior).await?;
                Ok(Came::Gone(resource.delete(&cx, &prior).await?))
            }
            Verb::Read { .. } => Err(no_type(type_name)),
        }
    }
}

impl Work<'_> {
    /// Refuses to delete what somebody has begun to keep data with since the plan was made.
    async fn nobody_came(
        &self,
        kind: &dyn ResourceType,
        cx: &Context<'_>,
        prior: &Value,
    ) -> Result<(), Error> {
        if kind.days_until_lost(prior).is_none() || kind.is_pending_deletion(prior) {
            return Ok(());
        }
        let users = kind.users(cx, prior, Extent::Data).await?;
        let known = |id: &str| {
            let fates = self.loss.into_iter().flat_map(|loss| &loss.fates);
            fates.into_iter().any(|fate| fate.user.id == id)
        };
        let come = users.found.iter().filter(|user| user.holds != Holds::Nothing && !known(&user.id));
        let come: Vec<String> = come.map(|user| format!("{} `{}`", user.what, user.name)).collect();
        if come.is_empty() {
            return Ok(());
        }
        let type_name = self.change.address.resource.type_name.to_string();
        let message = format!(
            "It was not deleted: since the plan was made, data has come to be kept with it, by {}",
            come.join(", ")
        );
        Err(Error::new(ErrorKind::Conflict, type_name, message).hint("Plan again to see what would be lost."))
    }
}

fn plain(value: &Value) -> Value {
    value.clone().unmark_deep().0
}

fn no_type(name: &str) -> Failure {
    Error::bug(name, "The type is not in the catalog.").into()
}
