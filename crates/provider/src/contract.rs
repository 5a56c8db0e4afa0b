//! What a resource type and a data source offer to the engine.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use terrane_model::conform::Problem;
use terrane_model::{Address, Path, Schema, Value};

use crate::error::Error;
use crate::facts::Facts;
use crate::identity::Identity;
use crate::note::Note;
use crate::permission::{Doing, Ground, Permissions};
use crate::users::{Extent, User, Users};

/// A configured provider: facts and clients. One per provider configuration and run.
#[derive(Clone)]
pub struct Session {
    /// What is known about where it works.
    pub facts: Arc<Facts>,
    clients: Arc<dyn Any + Send + Sync>,
}

impl Session {
    /// A session with clients of any type; resource types take them out again with [`Session::clients`].
    pub fn new(facts: Facts, clients: Arc<dyn Any + Send + Sync>) -> Session {
        Session { facts: Arc::new(facts), clients }
    }

    /// The clients.
    ///
    /// # Errors
    /// [`ErrorKind::Bug`](crate::ErrorKind::Bug) when they are of another type.
    pub fn clients<T: Any + Send + Sync>(&self) -> Result<&T, Error> {
        self.clients.downcast_ref().ok_or_else(|| {
            Error::bug("session", "The clients of this provider are of another provider's type.")
        })
    }
}

/// Told about what takes time while a verb runs.
pub trait Progress: Send + Sync {
    /// `what` is a noun phrase: "the key policy to be in effect".
    fn waiting_for(&self, address: &Address, what: &str);

    /// `sentence` is something that the user should know though nothing failed.
    fn remark(&self, _address: &Address, _sentence: &str) {}
}

/// What a verb gets besides values.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Facts and clients.
    pub session: &'a Session,
    /// The instance that the verb works for; for messages only, never an identity.
    pub address: &'a Address,
    /// Time limit of the operation.
    pub timeout: Duration,
    /// Identifies this operation of this run: set on objects that have no name, so that they are found again.
    pub marker: Option<&'a str>,
    /// What the last verb for this object left to be remembered; nothing where nothing is kept.
    pub note: Option<&'a Note>,
    /// Told about waits.
    pub progress: &'a dyn Progress,
}

impl<'a> Context<'a> {
    /// To look at something, or to set something right: without a marker, and with nothing to remember.
    pub fn looking(
        session: &'a Session,
        address: &'a Address,
        timeout: Duration,
        progress: &'a dyn Progress,
    ) -> Context<'a> {
        Context { session, address, timeout, marker: None, note: None, progress }
    }

    /// What the last verb for this object left to be remembered.
    pub fn noted(&self) -> Option<String> {
        self.note.and_then(Note::text)
    }

    /// Leaves something to be remembered.
    pub fn remember(&self, text: String) {
        if let Some(note) = self.note {
            note.write(text);
        }
    }
}

/// What is being planned for one instance. Pure data.
pub struct PlanRequest<'a> {
    /// The object as it is, absent for a new one.
    pub prior: Option<&'a Value>,
    /// The object that this new one takes the place of. What refers to it by a name that both have must let go of it
    /// first: such a name is better left unknown.
    pub replaces: Option<&'a Value>,
    /// What the spec says, in the shape of the schema; unknown where it is not known yet.
    pub config: &'a Value,
    /// What the schema's rules make of both: to be refined in place.
    pub planned: Value,
    /// Further attributes whose change needs a new object.
    pub replace: Vec<Path>,
    /// Attributes of which a change that the schema calls force-new does not need a new object after all.
    pub keep: Vec<Path>,
    /// Facts of the provider.
    pub facts: &'a Facts,
}

impl PlanRequest<'_> {
    /// Sets a planned attribute.
    pub fn set(&mut self, name: &str, value: Value) {
        let planned = std::mem::replace(&mut self.planned, Value::bool(false));
        self.planned = planned.with(name, value);
    }

    /// A planned attribute.
    pub fn planned(&self, name: &str) -> Option<&Value> {
        self.planned.get(name)
    }

    /// Whether a new object is made.
    pub fn is_create(&self) -> bool {
        self.prior.is_none()
    }

    /// Whether the planned attribute differs from the prior one. True for a new object.
    pub fn changes(&self, name: &str) -> bool {
        self.prior.is_none_or(|prior| prior.get(name) != self.planned.get(name))
    }
}

/// A create or update that did not get through.
#[derive(Debug)]
pub struct Failure {
    /// What went wrong.
    pub error: Error,
    /// The object as far as it exists now. It is kept in the state, tainted after a create.
    pub partial: Option<Value>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure { error, partial: None }
    }
}

/// What a delete left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// A sentence for the user: "The key is pending deletion until 2026-12-01."
    pub note: Option<String>,
}

/// What became of an object that an interrupted run may have made and that is of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cleared {
    /// There is none.
    NotMade,
    /// It was deleted; a sentence says so.
    Deleted(String),
    /// It may be there, and may be somebody else's; a sentence says what to do.
    Doubtful(String),
}

/// A resource type. One file, one implementation.
///
/// Values given to verbs have the shape of the schema. `planned` values given to `create` and `update` have unknowns only
/// where the provider decides; returned values have none, and agree with every known planned value.
#[async_trait]
pub trait ResourceType: Send + Sync {
    /// The schema.
    fn schema(&self) -> &Schema;

    /// Refines what is planned: predicts values, checks combinations, drops differences that mean nothing. Pure.
    ///
    /// # Errors
    /// Everything that is wrong with the plan.
    fn plan(&self, _request: &mut PlanRequest<'_>) -> Result<(), Vec<Problem>> {
        Ok(())
    }

    /// Whether the object lives in the state alone: then there is nothing to find again after a crash.
    fn is_local(&self) -> bool {
        false
    }

    /// The object as it is now, or nothing when it is gone.
    ///
    /// # Errors
    /// Any failure of the service. "Not found" is an answer, not an error.
    async fn read(&self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error>;

    /// Makes the object and waits until what depends on it can use it.
    ///
    /// # Errors
    /// A partly made object comes back with the error.
    async fn create(&self, cx: &Context<'_>, planned: &Value) -> Result<Value, Failure>;

    /// Brings the object from `prior` to `planned`.
    ///
    /// # Errors
    /// The object as far as it got comes back with the error.
    async fn update(&self, cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Failure>;

    /// Deletes the object. Deleting what is gone succeeds.
    ///
    /// # Errors
    /// Any failure of the service.
    async fn delete(&self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error>;

    /// The object that an import id names, or nothing.
    ///
    /// # Errors
    /// Any failure of the service, or an id of the wrong form.
    async fn import(&self, cx: &Context<'_>, id: &str) -> Result<Option<Value>, Error>;

    /// What tells one object of this type from all others, and how an import id is written from it.
    fn identity(&self) -> Identity {
        Identity::INVENTED
    }

    /// Whether there is an object that an import id names. Where fewer calls than those of an import answer it, the type says
    /// how.
    ///
    /// # Errors
    /// As [`ResourceType::import`].
    async fn exists(&self, cx: &Context<'_>, id: &str) -> Result<bool, Error> {
        Ok(self.import(cx, id).await?.is_some())
    }

    /// Arguments and blocks that a resource written from an object leaves out, since they would claim what other resources
    /// manage.
    fn left_to_others(&self) -> &'static [&'static str] {
        &[]
    }

    /// Finds an object that `create(planned)` may have made in a run that died, by name or by the marker.
    ///
    /// # Errors
    /// Any failure of the service.
    async fn find(&self, cx: &Context<'_>, planned: &Value) -> Result<Option<Value>, Error>;

    /// The permissions that the calls of a verb take; nothing where they are not known. Calls that only a run makes which
    /// takes up another's work are not among them. Pure.
    fn permissions(&self, _doing: Doing<'_>, _ground: &Ground<'_>) -> Option<Permissions> {
        None
    }

    /// What finding out whether an interrupted run made this takes, or clearing it away, besides reading it. Pure.
    fn recovery(&self, _planned: &Value, _ground: &Ground<'_>) -> Permissions {
        Permissions::none()
    }

    /// Whether created objects carry the marker, since they have no name to be found by.
    fn has_marker(&self) -> bool {
        false
    }

    /// Whether objects can't be found again at all, and are of no use where the answer to their creation was not seen. Then
    /// [`ResourceType::survey`] is asked before each creation, [`ResourceType::clear`] after one that was interrupted, and no
    /// two of the type are made at once.
    fn is_surveyed(&self) -> bool {
        false
    }

    /// What tells the object that is about to be made from those that are there already. It is safe in the journal before
    /// `create` is called.
    ///
    /// # Errors
    /// Any failure of the service.
    async fn survey(&self, _cx: &Context<'_>, _planned: &Value) -> Result<String, Error> {
        Ok(String::new())
    }

    /// Deletes what `create(planned)` made in a run that died, where it is certain which one that is. `held` are the ids of
    /// the objects of this type that the state has.
    ///
    /// # Errors
    /// Any failure of the service.
    async fn clear(
        &self,
        _cx: &Context<'_>,
        _planned: &Value,
        _survey: &str,
        _held: &BTreeSet<String>,
    ) -> Result<Cleared, Error> {
        Ok(Cleared::NotMade)
    }

    /// The attribute that stays the same when `update` gives the object another `id`, for types whose `update` can: by it
    /// the object is known again after a run that died between its new name and the state.
    fn lasting_identity(&self) -> Option<&'static str> {
        None
    }

    /// Whether an object, as `read` gave it, waits for its deletion and can still be brought back by `update`. A plan says
    /// so; one whose deletion was begun counts as deleted.
    fn is_pending_deletion(&self, _object: &Value) -> bool {
        false
    }

    /// Whether deleting an object only begins its deletion, so that [`ResourceType::is_pending_deletion`] may hold of one and
    /// `update` brings it back. Before a new object is made, one that was at its address before is looked for.
    fn can_be_brought_back(&self) -> bool {
        false
    }

    /// Whether objects are names for objects of another type, as aliases are for keys. Then [`ResourceType::names`] says for
    /// which one.
    fn is_name(&self) -> bool {
        false
    }

    /// The type and the import id of the object that this one is a name for; nothing where that is not known. Pure.
    fn names(&self, _object: &Value) -> Option<(&'static str, String)> {
        None
    }

    /// For objects that take others' data with them when they are deleted, as a key does: for how many days after the deletion
    /// is begun it can still be undone. Then a plan that deletes one asks [`ResourceType::users`], and is refused while
    /// data would be lost that it does not delete itself.
    fn days_until_lost(&self, _object: &Value) -> Option<u32> {
        None
    }

    /// What uses the object, as the service knows it.
    ///
    /// # Errors
    /// Any failure of the service. What may not be looked at is part of the answer, not an error.
    async fn users(&self, _cx: &Context<'_>, _object: &Value, _extent: Extent) -> Result<Users, Error> {
        Ok(Users::default())
    }

    /// The user that another object, of any type, is of this one; nothing where it does not use it. Pure.
    fn user(&self, _object: &Value, _type_name: &str, _other: &Value) -> Option<User> {
        None
    }

    /// Takes the marker off again once the object is safely in the state. Also called for one that carries none any more.
    ///
    /// # Errors
    /// Any failure of the service.
    async fn settle(&self, _cx: &Context<'_>, _object: &Value) -> Result<(), Error> {
        Ok(())
    }
}

/// A data source.
#[async_trait]
pub trait DataSource: Send + Sync {
    /// The schema; its mode is data.
    fn schema(&self) -> &Schema;

    /// The result, where it follows from the arguments and the facts alone. Unknown arguments may give unknown parts.
    /// `None`: it must be read.
    fn compute(&self, _config: &Value, _facts: &Facts) -> Option<Result<Value, Vec<Problem>>> {
        None
    }

    /// The permissions that reading it takes; none unless it says so. Pure.
    fn permissions(&self, _config: &Value, _ground: &Ground<'_>) -> Permissions {
        Permissions::none()
    }

    /// Reads it. All of `config` is known.
    ///
    /// # Errors
    /// Any failure of the service, also that the object is not there.
    async fn read(&self, cx: &Context<'_>, config: &Value) -> Result<Value, Error>;
}
