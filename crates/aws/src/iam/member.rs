//! Users go into groups and out of them.

use terrane_provider::wait::retry;
use terrane_provider::{Context, Error};

use crate::client::Clients;
use crate::error::{failed, present};
use crate::iam::RETRIES;

/// Puts a user into a group. That it is in it is no error.
pub async fn add(cx: &Context<'_>, group: &str, user: &str) -> Result<(), Error> {
    let iam = cx.session.clients::<Clients>()?.iam();
    let add = || async {
        let call = iam.add_user_to_group().group_name(group).user_name(user);
        call.send().await.map(drop).map_err(failed("iam:AddUserToGroup"))
    };
    retry(cx, RETRIES, add).await
}

/// Takes a user out of a group. That it is not in it is no error.
pub async fn remove(clients: &Clients, group: &str, user: &str) -> Result<(), Error> {
    let call = clients.iam().remove_user_from_group().group_name(group).user_name(user);
    present(call.send().await.map(drop).map_err(failed("iam:RemoveUserFromGroup"))).map(drop)
}
