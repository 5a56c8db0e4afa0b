//! STS: who calls, and temporary credentials of roles.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html>

mod assume_role;

use terrane_iam::Context;

use crate::authorize;
use crate::iam::AccessKey;
use crate::identity::{ADMIN_KEY, ROOT_KEY, Session};
use crate::visit::Visit;
use crate::wire::{Refusal, Reply, Xml};

/// Serves one call.
pub(crate) fn serve(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    match visit.call.operation.as_str() {
        // Needs no permission, and none can forbid it.
        "GetCallerIdentity" => Ok(caller_identity(visit)),
        "AssumeRole" => assume_role::assume(visit),
        "GetAccessKeyInfo" => access_key_info(visit),
        other => Err(Refusal::new(
            "InvalidAction",
            format!("Could not find operation {other} for version 2011-06-15"),
        )),
    }
}

fn caller_identity(visit: &Visit<'_>) -> Reply {
    let mut xml = Xml::new();
    xml.text("Arn", visit.caller.arn(visit.account()))
        .text("UserId", visit.caller.user_id(visit.account()))
        .text("Account", visit.account());
    xml.into()
}

fn access_key_info(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    authorize::identity(visit, "sts:GetAccessKeyInfo", "*", Context::complete())?;
    let id = visit.argument("AccessKeyId")?;
    let known = id == ROOT_KEY.0
        || id == ADMIN_KEY.0
        || visit.store.get::<AccessKey>(id)?.is_some()
        || visit.store.get::<Session>(id)?.is_some();
    if !known {
        let message = "The access key id is not known.";
        return Err(Refusal::with_status(400, "ValidationError", message));
    }
    let mut xml = Xml::new();
    xml.text("Account", visit.account());
    Ok(xml.into())
}
