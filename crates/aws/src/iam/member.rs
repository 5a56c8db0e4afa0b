//! Users go into groups and out of them, declared from either side: all members of a group, or some groups of a user.

use std::collections::BTreeSet;

use terrane_model::{Type, Value};
use terrane_provider::wait::{Wait, retry};
use terrane_provider::{Context, Deleted, Error, Failure};

use crate::client::Clients;
use crate::error::{failed, present};
use crate::iam::{Holder, PROPAGATION, RETRIES};
use crate::object::{elements, needed, settled, texts};

/// The side from which memberships are declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// All users of one group.
    Group,
    /// Some groups of one user.
    User,
}

impl Side {
    /// The attribute that names the group or the user.
    const fn owner(self) -> &'static str {
        match self {
            Side::Group => "group",
            Side::User => "user",
        }
    }

    /// The attribute that lists what is on the other side.
    const fn list(self) -> &'static str {
        match self {
            Side::Group => "users",
            Side::User => "groups",
        }
    }

    const fn operation(self) -> &'static str {
        match self {
            Side::Group => "iam:GetGroup",
            Side::User => "iam:ListGroupsForUser",
        }
    }

    /// The object with what is there now; nothing when the group or the user is not there.
    pub async fn read(self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        let owner = needed(prior, self.owner(), self.operation())?;
        let there = self.there(cx.session.clients()?, owner).await?;
        Ok(there.map(|there| self.into_state(&there, prior)))
    }

    /// Makes the memberships of an object that has its id.
    pub async fn create(self, cx: &Context<'_>, object: &Value) -> Result<Value, Failure> {
        let object = settled(object.clone());
        match self.bring(cx, &BTreeSet::new(), &object).await {
            Ok(()) => Ok(object),
            Err(error) => {
                let partial = self.read(cx, &object).await.ok().flatten();
                Err(Failure { error, partial: Some(partial.unwrap_or(object)) })
            }
        }
    }

    /// Brings the memberships of the prior object to those planned.
    pub async fn update(self, cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Failure> {
        let object = settled(planned.clone());
        let before = texts(prior, self.list()).into_iter().collect();
        match self.bring(cx, &before, &object).await {
            Ok(()) => Ok(object),
            Err(error) => Err(Failure { error, partial: self.read(cx, prior).await.ok().flatten() }),
        }
    }

    /// Ends the memberships of an object.
    pub async fn delete(self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error> {
        let owner = needed(prior, self.owner(), "iam:RemoveUserFromGroup")?;
        let names = &cx.session.clients::<Clients>()?.iam_cache.renamed;
        for other in texts(prior, self.list()) {
            let (old_group, old_user) = self.pair(owner, &other);
            let group = names.name(Holder::Group, old_group);
            let user = names.name(Holder::User, old_user);
            let is_renamed = (old_group, old_user) != (group.as_str(), user.as_str());
            // The successor of a membership may be the same one.
            if !is_renamed || !names.is_made(Holder::User, &user, &place(&group)) {
                Side::Group.remove(cx, &group, &user).await?;
            }
        }
        Ok(Deleted::default())
    }

    /// Names of all that is on the other side; nothing when the group or the user is not there.
    pub async fn there(self, clients: &Clients, owner: &str) -> Result<Option<BTreeSet<String>>, Error> {
        match self {
            Side::Group => users(clients, owner).await,
            Side::User => groups(clients, owner).await,
        }
    }

    /// Of a group's list all users, of a user's list the groups in it that the user is in.
    pub fn into_state(self, there: &BTreeSet<String>, prior: &Value) -> Value {
        let listed: BTreeSet<String> = texts(prior, self.list()).into_iter().collect();
        let shown = there.iter().filter(|name| self == Side::Group || listed.contains(*name));
        let shown: Vec<Value> = shown.map(|name| Value::from(name.as_str())).collect();
        prior.clone().with(self.list(), Value::set(Type::String, shown))
    }

    /// Ends what is no longer wanted, makes what is wanted anew, and waits until all is listed.
    async fn bring(self, cx: &Context<'_>, before: &BTreeSet<String>, planned: &Value) -> Result<(), Error> {
        let owner = needed(planned, self.owner(), "iam:AddUserToGroup")?;
        let after: BTreeSet<String> = texts(planned, self.list()).into_iter().collect();
        for other in before.difference(&after) {
            self.remove(cx, owner, other).await?;
        }
        for other in after.difference(before) {
            self.add(cx, owner, other).await?;
        }
        let clients: &Clients = cx.session.clients()?;
        let look = || async {
            Ok(match self.there(clients, owner).await? {
                Some(there) if after.is_subset(&there) => Ok(()),
                Some(_) => Err(format!("an old list of {}", self.list())),
                None => Err(format!("no such {}", self.owner())),
            })
        };
        let what = format!("the {} to be listed", if self == Side::Group { "members" } else { "groups" });
        Wait::new(&what, PROPAGATION).until(cx, self.operation(), look).await
    }

    fn pair<'a>(self, owner: &'a str, other: &'a str) -> (&'a str, &'a str) {
        match self {
            Side::Group => (owner, other),
            Side::User => (other, owner),
        }
    }

    /// Puts a user into a group. That it is in it is no error.
    async fn add(self, cx: &Context<'_>, owner: &str, other: &str) -> Result<(), Error> {
        let (group, user) = self.pair(owner, other);
        let iam = cx.session.clients::<Clients>()?.iam();
        let add = || async {
            let call = iam.add_user_to_group().group_name(group).user_name(user);
            call.send().await.map(drop).map_err(failed("iam:AddUserToGroup"))
        };
        retry(cx, RETRIES, add).await?;
        cx.session.clients::<Clients>()?.iam_cache.renamed.made(Holder::User, user, &place(group));
        Ok(())
    }

    /// Takes a user out of a group. That it is not in it is no error.
    async fn remove(self, cx: &Context<'_>, owner: &str, other: &str) -> Result<(), Error> {
        let (group, user) = self.pair(owner, other);
        let iam = cx.session.clients::<Clients>()?.iam();
        let call = iam.remove_user_from_group().group_name(group).user_name(user);
        present(call.send().await.map(drop).map_err(failed("iam:RemoveUserFromGroup"))).map(drop)
    }
}

/// What a membership is on its user.
fn place(group: &str) -> String {
    format!("group {group}")
}

async fn users(clients: &Clients, group: &str) -> Result<Option<BTreeSet<String>>, Error> {
    let mut users = BTreeSet::new();
    let mut marker = None;
    loop {
        let call = clients.iam().get_group().group_name(group).set_marker(marker.take());
        let Some(answer) = present(call.send().await.map_err(failed("iam:GetGroup")))? else {
            return Ok(None);
        };
        users.extend(answer.users.into_iter().map(|user| user.user_name));
        marker = answer.marker.filter(|_| answer.is_truncated);
        if marker.is_none() {
            return Ok(Some(users));
        }
    }
}

async fn groups(clients: &Clients, user: &str) -> Result<Option<BTreeSet<String>>, Error> {
    let pages = clients.iam().list_groups_for_user().user_name(user).into_paginator().items().send();
    let groups: Result<Vec<_>, _> =
        pages.collect::<Result<_, _>>().await.map_err(failed("iam:ListGroupsForUser"));
    Ok(present(groups)?.map(|groups| groups.into_iter().map(|group| group.group_name).collect()))
}

/// What of a set comes anew, and what goes. A set that is not known yet may hold anything.
pub fn changed(prior: &Value, planned: &Value, name: &str) -> (Vec<Value>, Vec<Value>) {
    let before = elements(prior, name);
    if planned.get(name).is_some_and(Value::is_unknown) {
        return (vec![Value::unknown(Type::String)], before.to_vec());
    }
    let after = elements(planned, name);
    let without = |these: &[Value], those: &[Value]| -> Vec<Value> {
        these.iter().filter(|value| !those.contains(value)).cloned().collect()
    };
    (without(after, before), without(before, after))
}
