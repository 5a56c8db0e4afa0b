//! The retry tables of all services, entry by entry: what each row covers, what it leaves alone, and when it gives up.

use std::time::Duration;

use terrane_provider::wait::{Retry, retry};
use terrane_provider::{Error, ErrorKind};
use tokio::time::Instant;

use crate::testing::Cloud;
use crate::{dynamodb, iam, kms};

const TABLES: [&[Retry]; 3] = [dynamodb::RETRIES, iam::RETRIES, kms::RETRIES];

/// Service, operation, code, text of the message, seconds, what is waited for.
const ALL: &str = "\
dynamodb:CreateTable LimitExceededException `can be created, updated, or deleted simultaneously` 1800 other tables to be done
dynamodb:CreateTable LimitExceededException `indexed tables that can be created simultaneously` 1800 other tables to be done
dynamodb:DeleteResourcePolicy ResourceInUseException `` 600 other changes of the table to be done
dynamodb:DeleteTable LimitExceededException `simultaneously` 600 other tables to be done
dynamodb:DeleteTable ResourceInUseException `` 600 other changes of the table to be done
dynamodb:PutResourcePolicy ResourceInUseException `` 600 other changes of the table to be done
dynamodb:PutResourcePolicy ValidationException `Invalid principal in policy` 120 the principals of the policy to be known
dynamodb:UpdateContinuousBackups ContinuousBackupsUnavailableException `` 1200 continuous backups to be available
dynamodb:UpdateTable LimitExceededException `simultaneously` 1800 other tables to be done
dynamodb:UpdateTable ResourceInUseException `` 600 other changes of the table to be done
dynamodb:UpdateTimeToLive ResourceInUseException `` 600 other changes of the table to be done
iam:AttachGroupPolicy ConcurrentModification `` 120 other changes of the group to be done
iam:AttachRolePolicy ConcurrentModification `` 120 other changes of the role to be done
iam:AttachUserPolicy ConcurrentModification `` 120 other changes of the user to be done
iam:CreateRole ConcurrentModification `` 120 other changes of the role to be done
iam:CreateUser ConcurrentModification `` 120 other changes of the user to be done
iam:AddUserToGroup NoSuchEntity `` 15 the group and the user to be known everywhere
iam:CreateAccessKey NoSuchEntity `` 15 the user to be known everywhere
iam:AttachGroupPolicy NoSuchEntity `` 15 the group and the policy to be known everywhere
iam:AttachRolePolicy NoSuchEntity `` 15 the role and the policy to be known everywhere
iam:AttachUserPolicy NoSuchEntity `` 15 the user and the policy to be known everywhere
iam:PutGroupPolicy NoSuchEntity `` 15 the group to be known everywhere
iam:PutRolePolicy NoSuchEntity `` 15 the role to be known everywhere
iam:PutUserPolicy NoSuchEntity `` 15 the user to be known everywhere
iam:CreateRole MalformedPolicyDocument `Invalid principal in policy` 120 the principals of the trust policy to be known
iam:UpdateAssumeRolePolicy MalformedPolicyDocument `Invalid principal in policy` 120 the principals of the trust policy to be known
iam:DeleteRole DeleteConflict `` 120 what hangs on the role to be gone
iam:DeleteLoginProfile EntityTemporarilyUnmodifiable `` 120 the user's password to be deletable
kms:CreateKey MalformedPolicyDocumentException `` 120 the policy's principals to be known to KMS
kms:PutKeyPolicy MalformedPolicyDocumentException `` 120 the policy's principals to be known to KMS
kms:PutKeyPolicy NotFoundException `` 120 the key to be known everywhere
kms:EnableKey NotFoundException `` 120 the key to be known everywhere
kms:DisableKey NotFoundException `` 120 the key to be known everywhere
kms:EnableKeyRotation NotFoundException `` 600 the key to be known everywhere
kms:EnableKeyRotation DisabledException `` 600 the key to be enabled
kms:DisableKeyRotation NotFoundException `` 600 the key to be known everywhere
kms:DisableKeyRotation DisabledException `` 600 the key to be enabled
kms:CreateAlias NotFoundException `` 30 the key to be known everywhere
kms:CreateGrant InvalidArnException `` 120 the grant's principals to be known to KMS
kms:CreateGrant DependencyTimeoutException `` 120 KMS to take the request
kms:CreateGrant KMSInternalException `` 120 KMS to take the request
kms:UpdateAlias NotFoundException `` 120 the alias to be known everywhere
";

fn rows() -> impl Iterator<Item = (&'static [Retry], &'static Retry)> {
    TABLES.into_iter().flat_map(|table| table.iter().map(move |row| (table, row)))
}

fn error(operation: &str, code: &str, message: &str) -> Error {
    let kind = ErrorKind::Conflict;
    Error { code: Some(code.to_owned()), ..Error::new(kind, operation, format!("Sorry: {message}!")) }
}

/// An error that the row is for.
fn its_error(row: &Retry) -> Error {
    error(row.operation, row.code, row.message)
}

#[test]
fn the_tables_are_these() {
    let rows = rows().map(|(_, row)| {
        let seconds = row.limit.as_secs();
        format!("{} {} `{}` {seconds} {}\n", row.operation, row.code, row.message, row.what)
    });
    assert_eq!(rows.collect::<String>(), ALL);
}

#[test]
fn each_row_covers_its_error_and_not_its_neighbours() {
    for (table, row) in rows() {
        let first = table.iter().find(|other| other.covers(&its_error(row)));
        assert!(first.is_some_and(|first| std::ptr::eq(first, row)), "{row:?} is never reached");
        assert!(!row.covers(&error("kms:ListKeys", row.code, row.message)), "{row:?}");
        assert!(!row.covers(&error(row.operation, "AccessDeniedException", row.message)), "{row:?}");
        assert!(!row.covers(&Error { code: None, ..its_error(row) }), "{row:?}");
        if !row.message.is_empty() {
            let quota = error(row.operation, row.code, "The account has 2500 tables");
            assert!(!table.iter().any(|other| other.covers(&quota)), "{row:?}");
        }
        // What the client repeats on its own is not repeated once more here.
        let throttled = error(row.operation, "ThrottlingException", row.message);
        assert!(!table.iter().any(|other| other.covers(&throttled)), "{row:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_row_gets_through_in_time_and_stops_at_its_limit() {
    for (table, row) in rows() {
        let mut left = 3;
        let call = || {
            left -= 1;
            let answer = if left == 0 { Ok("done") } else { Err(its_error(row)) };
            async { answer }
        };
        let got = Cloud::default().with(async |cx| retry(cx, table, call).await).await;
        assert_eq!(got.unwrap(), "done", "{row:?}");

        let (start, mut calls) = (Instant::now(), 0);
        let call = || {
            calls += 1;
            async { Err::<(), _>(its_error(row)) }
        };
        let last = Cloud::default().with(async |cx| retry(cx, table, call).await).await.unwrap_err();
        let took = start.elapsed();
        let pause = Duration::from_secs(10).min(row.limit);
        assert!(took <= row.limit && took + pause >= row.limit, "{row:?}: {took:?}");
        assert!(calls > 5, "{row:?}: {calls}");
        assert_eq!(last.code.as_deref(), Some(row.code), "{row:?}");
        let said = format!("Waited {} s for {}.", took.as_secs(), row.what);
        assert_eq!(last.hints, [said], "{row:?}");

        let mut calls = 0;
        let call = || {
            calls += 1;
            async { Err::<(), _>(error(row.operation, "ValidationException", "no")) }
        };
        Cloud::default().with(async |cx| retry(cx, table, call).await).await.unwrap_err();
        assert_eq!(calls, 1, "{row:?}");
    }
}
