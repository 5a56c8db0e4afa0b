//! A cloud in memory with the resource type `fake_thing` and the data source `fake_lookup`.
//!
//! A thing has a `name` that can't be changed and that is unique in the cloud, a `value` that can, a `size` that the cloud
//! chooses where the spec does not, and an `id` that only the cloud knows. A thing whose name begins with `lock` opens what
//! others, whose `value` is its id, hold: deleting it is weighed. Its value is noted beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use terrane_model::conform::Problem;
use terrane_model::schema::{Check, block, computed, optional, optional_computed, required};
use terrane_model::{Mode, Schema, Type, Value};
use terrane_provider::{
    Catalog, Context, DataSource, Deleted, Error, ErrorKind, Extent, Facts, Failure, Holds, Identity,
    PlanRequest, ResourceType, Session, User, Users,
};

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is refused before anything happens.
    Refused,
    /// It is carried out, and the answer is an error without the object.
    AnswerLost,
    /// It is carried out in part: the error carries the object.
    Partial,
}

/// The cloud. Clones are the same cloud.
#[derive(Clone, Default)]
pub struct Cloud {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    things: BTreeMap<String, Value>,
    markers: BTreeMap<String, String>,
    next_id: u64,
    faults: BTreeMap<(&'static str, String), Fault>,
    calls: Vec<(&'static str, String)>,
    at_once: usize,
    most_at_once: usize,
    latency: Duration,
}

impl Inner {
    /// The thing of a name.
    fn named(&self, name: &str) -> Option<Value> {
        self.things.values().find(|thing| name_of(thing) == name).cloned()
    }
}

impl Cloud {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the next call of an operation (`create`, `read`, `update`, `delete`) on the thing of a name fail.
    pub fn fail(&self, operation: &'static str, name: &str, fault: Fault) {
        self.lock().faults.insert((operation, name.to_owned()), fault);
    }

    /// How long each call takes.
    pub fn latency(&self, latency: Duration) {
        self.lock().latency = latency;
    }

    /// The names of all things there are.
    pub fn names(&self) -> BTreeSet<String> {
        let name = |thing: &Value| thing.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        self.lock().things.values().map(name).collect()
    }

    /// An attribute of the thing of a name.
    pub fn attribute(&self, name: &str, attribute: &str) -> Option<Value> {
        let inner = self.lock();
        let thing = inner.things.values().find(|t| t.get("name").and_then(Value::as_str) == Some(name))?;
        thing.get(attribute).cloned()
    }

    /// Makes a thing behind the engine's back.
    pub fn conjure(&self, name: &str, value: &str) {
        let mut inner = self.lock();
        inner.next_id += 1;
        let id = format!("thing-{}", inner.next_id);
        let thing = Value::object([
            ("id", Value::from(id.as_str())),
            ("name", Value::from(name)),
            ("secret", Value::null(Type::String)),
            ("size", Value::from(7)),
            ("value", Value::from(value)),
        ]);
        inner.things.insert(id, thing);
    }

    /// Deletes a thing behind the engine's back.
    pub fn vanish(&self, name: &str) {
        self.lock().things.retain(|_, thing| thing.get("name").and_then(Value::as_str) != Some(name));
    }

    /// Changes a thing behind the engine's back.
    pub fn meddle(&self, name: &str, attribute: &str, value: Value) {
        for thing in self.lock().things.values_mut() {
            if thing.get("name").and_then(Value::as_str) == Some(name) {
                *thing = thing.clone().with(attribute, value.clone());
            }
        }
    }

    /// Operation and name of every call since the last time, in the order of their ends.
    pub fn take_calls(&self) -> Vec<(&'static str, String)> {
        std::mem::take(&mut self.lock().calls)
    }

    /// The largest number of calls that were under way at once.
    pub fn most_at_once(&self) -> usize {
        self.lock().most_at_once
    }

    /// The catalog of a program that knows this cloud and `terraform_data`.
    pub fn catalog(&self) -> Catalog {
        let mut catalog = Catalog::default();
        catalog.add_resource(Arc::new(Thing));
        catalog.add_resource(Arc::new(terrane_provider::terraform_data::TerraformData));
        catalog.add_data(Arc::new(Lookup));
        catalog.add_provider("fake", block([], []));
        catalog
    }

    /// A session with this cloud.
    pub fn session(&self) -> Session {
        Session::new(Facts::default(), Arc::new(self.clone()))
    }

    async fn call<T>(
        &self,
        operation: &'static str,
        name: &str,
        act: impl FnOnce(&mut Inner) -> Result<T, Error>,
    ) -> Result<T, (Error, Option<T>)> {
        let latency = {
            let mut inner = self.lock();
            inner.at_once += 1;
            inner.most_at_once = inner.most_at_once.max(inner.at_once);
            inner.latency
        };
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        let mut inner = self.lock();
        inner.at_once -= 1;
        inner.calls.push((operation, name.to_owned()));
        let failed =
            || Error::new(ErrorKind::Unavailable, format!("fake:{operation}"), "The test wants it so.");
        match inner.faults.remove(&(operation, name.to_owned())) {
            None => act(&mut inner).map_err(|e| (e, None)),
            Some(Fault::Refused) => Err((failed(), None)),
            Some(Fault::AnswerLost) => Err((act(&mut inner).map_or_else(|e| e, |_| failed()), None)),
            Some(Fault::Partial) => match act(&mut inner) {
                Ok(made) => Err((failed(), Some(made))),
                Err(error) => Err((error, None)),
            },
        }
    }
}

struct Thing;

static THING: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "fake_thing",
        Mode::Managed,
        "A thing of the fake cloud.",
        block(
            [
                computed("id", Type::String).doc("Chosen by the cloud."),
                required("name", Type::String)
                    .force_new()
                    .check(Check::Length(1, 40))
                    .doc("Unique in the cloud."),
                optional_computed("size", Type::Number)
                    .check(Check::Range(1, 100))
                    .doc("7 unless the spec says."),
                optional("value", Type::String).doc("Anything."),
                optional("secret", Type::String).sensitive().doc("Never shown."),
            ],
            [],
        ),
    )
});

fn name_of(value: &Value) -> String {
    value.get("name").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn value_of(value: &Value) -> String {
    value.get("value").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn id_of(value: &Value) -> String {
    value.get("id").and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[async_trait]
impl ResourceType for Thing {
    fn schema(&self) -> &Schema {
        &THING
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<(), Vec<Problem>> {
        if request.config.get("value").and_then(Value::as_str) == Some("forbidden") {
            return Err(vec![Problem {
                path: terrane_model::Path::attribute("value"),
                code: "invalid-value",
                summary: "Value out of bounds",
                detail: "`value` must not be `forbidden`.".into(),
            }]);
        }
        Ok(())
    }

    async fn read(&self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        let cloud = cx.session.clients::<Cloud>()?;
        let id = id_of(prior);
        if cx.noted().is_none() {
            cx.remember(value_of(prior));
        }
        cloud.call("read", &name_of(prior), |inner| Ok(inner.things.get(&id).cloned())).await.map_err(|e| e.0)
    }

    async fn create(&self, cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        let cloud = cx.session.clients::<Cloud>()?;
        let name = name_of(planned);
        let marker = cx.marker.unwrap_or_default().to_owned();
        cx.remember(value_of(planned));
        let made = cloud.call("create", &name, |inner| {
            if inner.things.values().any(|t| name_of(t) == name) {
                let text = format!("`{name}` exists already.");
                return Err(Error::new(ErrorKind::Conflict, "fake:create", text));
            }
            inner.next_id += 1;
            let id = format!("thing-{}", inner.next_id);
            let mut object = planned.clone().with("id", Value::from(id.as_str()));
            if object.get("size").is_some_and(Value::is_unknown) {
                object = object.with("size", Value::from(7));
            }
            inner.markers.insert(marker, id.clone());
            inner.things.insert(id, object.clone());
            Ok(object)
        });
        made.await.map_err(|(error, partial)| Failure { error, partial })
    }

    async fn update(&self, cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Failure> {
        let cloud = cx.session.clients::<Cloud>()?;
        let (id, name) = (id_of(prior), name_of(planned));
        cx.remember(value_of(planned));
        let changed = cloud.call("update", &name, |inner| match inner.things.get_mut(&id) {
            Some(thing) => {
                *thing = planned.clone();
                Ok(planned.clone())
            }
            None => Err(Error::new(ErrorKind::NotFound, "fake:update", "It is gone.")),
        });
        changed.await.map_err(|(error, partial)| Failure { error, partial })
    }

    async fn delete(&self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error> {
        let cloud = cx.session.clients::<Cloud>()?;
        let (id, name) = (id_of(prior), name_of(prior));
        let deleted = cloud.call("delete", &name, |inner| {
            inner.things.remove(&id);
            Ok(Deleted::default())
        });
        deleted.await.map_err(|e| e.0)
    }

    async fn import(&self, cx: &Context<'_>, id: &str) -> Result<Option<Value>, Error> {
        let cloud = cx.session.clients::<Cloud>()?;
        cloud.call("import", id, |inner| Ok(inner.named(id))).await.map_err(|e| e.0)
    }

    fn identity(&self) -> Identity {
        Identity::chosen(&["name"])
    }

    async fn exists(&self, cx: &Context<'_>, id: &str) -> Result<bool, Error> {
        let cloud = cx.session.clients::<Cloud>()?;
        cloud.call("exists", id, |inner| Ok(inner.named(id).is_some())).await.map_err(|e| e.0)
    }

    fn can_be_brought_back(&self) -> bool {
        true
    }

    fn days_until_lost(&self, object: &Value) -> Option<u32> {
        name_of(object).starts_with("lock").then_some(30)
    }

    async fn users(&self, cx: &Context<'_>, object: &Value, _: Extent) -> Result<Users, Error> {
        let cloud = cx.session.clients::<Cloud>()?;
        let name = name_of(object);
        let users = cloud.call("users", &name, |inner| {
            let found = inner.things.values().filter_map(|thing| user_of(object, thing)).collect();
            Ok(Users { found, not_looked_at: vec![] })
        });
        users.await.map_err(|e| e.0)
    }

    fn user(&self, object: &Value, _: &str, other: &Value) -> Option<User> {
        user_of(object, other)
    }

    async fn find(&self, cx: &Context<'_>, _planned: &Value) -> Result<Option<Value>, Error> {
        let cloud = cx.session.clients::<Cloud>()?;
        let inner = cloud.lock();
        let id = cx.marker.and_then(|marker| inner.markers.get(marker));
        Ok(id.and_then(|id| inner.things.get(id)).cloned())
    }
}

/// A thing as the user of another.
fn user_of(lock: &Value, other: &Value) -> Option<User> {
    let used = other.get("value").and_then(Value::as_str) == Some(&id_of(lock));
    used.then(|| User { what: "thing".into(), name: name_of(other), id: id_of(other), holds: Holds::Data })
}

struct Lookup;

static LOOKUP: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "fake_lookup",
        Mode::Data,
        "A thing of the fake cloud, by its name.",
        block(
            [
                computed("id", Type::String).doc("The thing's id."),
                required("name", Type::String).doc("The thing's name."),
                computed("value", Type::String).doc("The thing's value."),
            ],
            [],
        ),
    )
});

#[async_trait]
impl DataSource for Lookup {
    fn schema(&self) -> &Schema {
        &LOOKUP
    }

    async fn read(&self, cx: &Context<'_>, config: &Value) -> Result<Value, Error> {
        let cloud = cx.session.clients::<Cloud>()?;
        let name = name_of(config);
        let found = cloud.call("lookup", &name, |inner| {
            let thing = inner.things.values().find(|t| name_of(t) == name);
            thing
                .cloned()
                .ok_or_else(|| Error::new(ErrorKind::NotFound, "fake:lookup", format!("No `{name}`.")))
        });
        let thing = found.await.map_err(|e| e.0)?;
        let of = |attribute| thing.get(attribute).cloned().unwrap_or_else(|| Value::null(Type::String));
        Ok(config.clone().with("id", of("id")).with("value", of("value")))
    }
}
