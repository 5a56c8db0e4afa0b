//! The audit trail: what CloudTrail would have recorded of each call, the newest of them kept with the rest of the sandbox.
//!
//! While a call is served, what it is about and what a service does in the caller's name is noted in [`Seen`]. Afterwards the
//! call becomes a [`Record`], refused or not: in the transaction of the call, or in one of its own where that is undone. A call
//! whose caller is not known is not recorded.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>

mod lookup;
mod record;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

pub(crate) use lookup::serve;
pub(crate) use record::Record;
use record::Who;

use crate::clock::Moment;
use crate::identity::Identity;
use crate::ids;
use crate::store::{Changes, StoreError};
use crate::wire::{Call, Refusal};

/// So many records are kept.
const KEPT: i64 = 10_000;
/// How long DynamoDB keeps the key of a table for a caller, and does not ask KMS again.
const KEY_KEPT: Duration = Duration::from_secs(300);

pub(crate) const KEY: &str = "AWS::KMS::Key";
pub(crate) const TABLE: &str = "AWS::DynamoDB::Table";

/// What a call turned out to be about.
#[derive(Debug, Default)]
pub(crate) struct Seen(RefCell<Notes>);

#[derive(Debug, Default)]
struct Notes {
    resources: Vec<(String, String)>,
    through: Vec<Through>,
}

/// What a service asked of a key in the caller's name.
#[derive(Debug)]
pub(crate) struct Through {
    /// The service, such as `dynamodb`.
    pub(crate) service: &'static str,
    /// The operation of KMS, such as `Decrypt`.
    pub(crate) operation: String,
    /// The key's ARN.
    pub(crate) key: String,
    /// The name of the table, where it is about one.
    pub(crate) table: Option<String>,
    /// What KMS answered, where it refused.
    pub(crate) refusal: Option<String>,
}

impl Seen {
    /// The call is about a resource: its type in CloudFormation's words, and its ARN or name.
    pub(crate) fn resource(&self, kind: &str, name: &str) {
        let mut notes = self.0.borrow_mut();
        let resource = (kind.to_owned(), name.to_owned());
        if !notes.resources.contains(&resource) {
            notes.resources.push(resource);
        }
    }

    /// A service used a key in the caller's name.
    pub(crate) fn through(&self, through: Through) {
        self.0.borrow_mut().through.push(through);
    }
}

/// The callers and tables for which KMS need not be asked again yet.
#[derive(Debug, Default)]
pub(crate) struct KeysKept(Mutex<BTreeMap<(String, String), Moment>>);

impl KeysKept {
    /// Whether KMS is asked at all; from then on the key is kept for a while.
    fn asks(&self, caller: &str, through: &Through, now: Moment) -> bool {
        let Some(table) = through.table.as_ref().filter(|_| through.refusal.is_none()) else { return true };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = kept.entry((caller.to_owned(), table.clone())).or_insert(Moment(i64::MIN));
        let asks = now >= *until;
        if asks {
            *until = now.plus(KEY_KEPT);
        }
        asks
    }
}

/// Where and when a call was served.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) call: &'a Call,
    pub(crate) caller: &'a Identity,
    pub(crate) account: &'a str,
    pub(crate) now: Moment,
    pub(crate) kept: &'a KeysKept,
}

/// Keeps the record of a call, and of what was asked of KMS meanwhile.
pub(crate) fn keep(
    store: &Changes<'_>,
    scene: Scene<'_>,
    seen: &Seen,
    refusal: Option<&Refusal>,
) -> Result<(), StoreError> {
    let Scene { call, caller, account, now, kept } = scene;
    let Notes { resources, through } = seen.0.take();
    let who = Who::of(caller, account, call.access_key.as_deref().unwrap_or_default());
    let base = Record {
        id: ids::uuid(),
        request: ids::uuid(),
        at: now,
        region: call.region.clone(),
        source: call.service.source().to_owned(),
        name: call.operation.clone(),
        who,
        through: None,
        error: refusal.map(|refusal| (error_code(&refusal.code), refusal.message.clone())),
        resources: if resources.is_empty() { record::named(call) } else { resources },
        parameters: record::parameters(call),
        reads: record::reads(&call.operation),
        data: record::is_data(call),
        agent: call.user_agent.clone(),
    };
    for asked in through.into_iter().filter(|asked| kept.asks(&caller.arn(account), asked, now)) {
        let service = format!("{}.amazonaws.com", asked.service);
        let context = asked
            .table
            .map(|table| json!({ "aws:dynamodb:tableName": table, "aws:dynamodb:subscriberId": account }));
        let record = Record {
            id: ids::uuid(),
            request: ids::uuid(),
            source: "kms".to_owned(),
            reads: record::reads(&asked.operation),
            name: asked.operation,
            through: Some(service.clone()),
            error: asked.refusal.map(|message| (error_code("AccessDeniedException"), message)),
            parameters: Some(
                json!({ "keyId": asked.key, "encryptionContext": context.unwrap_or(Value::Null) }),
            ),
            resources: vec![(KEY.to_owned(), asked.key)],
            data: false,
            agent: service,
            ..base.clone()
        };
        store.record(&record, KEPT)?;
    }
    store.record(&base, KEPT)
}

/// CloudTrail's word for an error code.
fn error_code(code: &str) -> String {
    match code {
        "AccessDeniedException" => "AccessDenied".to_owned(),
        other => other.to_owned(),
    }
}
