//! What stays between two openings of the same folder, and what a folder must not be.

use std::path::Path;
use std::time::Duration;

use aws_sdk_dynamodb::types::KeyType;
use terrane_sandbox::{OpenError, Options, Sandbox};

use crate::aws::{Aws, REGION, fixed, refused};
use crate::encrypted_tables::{make, part, text, units, value};

fn open(folder: &Path) -> Sandbox {
    Sandbox::open(folder, Options { clock: fixed(), ..Options::default() }).unwrap()
}

fn refusal(folder: &Path) -> OpenError {
    Sandbox::open(folder, Options::default()).expect_err("expected a refusal")
}

#[tokio::test]
async fn everything_is_there_after_closing_and_opening() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = open(folder.path());
    let (key, _) = make(&sandbox).await;
    let admin = Aws::admin(&sandbox);
    admin.dynamodb.put_item().table_name("Forum").item("Name", value("a")).send().await.unwrap();
    let before = admin.dynamodb.describe_table().table_name("Forum").send().await.unwrap().table.unwrap();
    let sealed = admin.kms.encrypt().key_id(&key).plaintext(b"secret".to_vec().into()).send().await.unwrap();
    drop((admin, sandbox));

    let sandbox = open(folder.path());
    let admin = Aws::admin(&sandbox);
    let after = admin.dynamodb.describe_table().table_name("Forum").send().await.unwrap().table.unwrap();
    assert_eq!(after, before);
    let item = admin.dynamodb.get_item().table_name("Forum").key("Name", value("a")).send().await.unwrap();
    assert_eq!(item.item.unwrap()["Name"], value("a"));
    let opened = admin.kms.decrypt().ciphertext_blob(sealed.ciphertext_blob.unwrap()).send().await.unwrap();
    assert_eq!(opened.plaintext.unwrap().as_ref(), b"secret");
    let user = admin.user(&sandbox, "reader").await;
    let read = user.dynamodb.get_item().table_name("Forum").key("Name", value("a")).send().await;
    assert!(refused(read).1.contains("kms:Decrypt"));
}

#[tokio::test]
async fn a_clock_moved_forward_stays_so() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = open(folder.path());
    let start = sandbox.now();
    sandbox.advance_clock(Duration::from_secs(86_400)).unwrap();
    drop(sandbox);
    assert_eq!(open(folder.path()).now(), start + Duration::from_secs(86_400));
}

#[tokio::test]
async fn one_process_at_a_time_and_the_other_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = open(folder.path());
    let message = refusal(folder.path()).to_string();
    assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
    drop(sandbox);
    open(folder.path());
}

#[test]
fn another_account_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let other = Options { account: "210987654321".to_owned(), ..Options::default() };
    assert!(matches!(Sandbox::open(folder.path(), other), Err(OpenError::OtherAccount { .. })));
    let none = Options { account: "12".to_owned(), ..Options::default() };
    let fresh = tempfile::tempdir().unwrap();
    assert!(matches!(Sandbox::open(fresh.path(), none), Err(OpenError::NoAccount(_))));
}

#[test]
fn foreign_files_are_refused_and_kept() {
    for name in ["sandbox.db", "dynamodb-eu-west-3.db"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(
            &file,
            "my shopping list, which is long enough to be read as a file header of some kind",
        )
        .unwrap();
        assert!(matches!(refusal(folder.path()), OpenError::Foreign { path } if path == file), "{name}");
        assert!(std::fs::read_to_string(&file).unwrap().starts_with("my shopping list"));
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(matches!(refusal(&file.join("sandbox")), OpenError::Folder { .. }));
}

#[tokio::test]
async fn a_table_that_an_interrupted_call_left_behind_is_not_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = open(folder.path());
    Aws::admin(&sandbox).dynamodb.list_tables().send().await.unwrap();
    create(&Aws::admin(&sandbox)).await;
    Aws::admin(&sandbox).dynamodb.delete_table().table_name("Stray").send().await.unwrap();
    drop(sandbox);

    let file = folder.path().join(format!("dynamodb-{REGION}.db"));
    let engine = dynoxide::Database::new(file.to_str().unwrap()).unwrap();
    let request = serde_json::json!({
        "TableName": "Stray",
        "KeySchema": [{ "AttributeName": "old", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "old", "AttributeType": "N" }],
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": true,
    });
    engine.create_table(serde_json::from_value(request).unwrap()).unwrap();
    drop(engine);

    let sandbox = open(folder.path());
    let admin = Aws::admin(&sandbox);
    assert!(admin.dynamodb.list_tables().send().await.unwrap().table_names.unwrap().is_empty());
    create(&admin).await;
    let table = admin.dynamodb.describe_table().table_name("Stray").send().await.unwrap().table.unwrap();
    assert_eq!(table.key_schema.unwrap()[0].attribute_name, "k");
}

/// Makes and deletes tables until it is killed, if the other test below has started it for that.
#[tokio::test]
async fn a_process_that_will_be_killed() {
    let Some(folder) = std::env::var_os("TERRANE_SANDBOX_OF_THE_KILLED") else { return };
    let sandbox = open(Path::new(&folder));
    let admin = Aws::admin(&sandbox);
    for number in 0.. {
        let name = format!("Table{}", number % 7);
        let call = admin.dynamodb.create_table().table_name(&name).key_schema(part("k", KeyType::Hash));
        let call = call.attribute_definitions(text("k")).provisioned_throughput(units(1, 1));
        if call.send().await.is_err() {
            admin.dynamodb.delete_table().table_name(&name).send().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_process_killed_at_any_moment_leaves_a_whole_sandbox() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..12_u64 {
        let mut worker = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "persistence::a_process_that_will_be_killed"])
            .env("TERRANE_SANDBOX_OF_THE_KILLED", folder.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(60 + 13 * round));
        worker.kill().unwrap();
        worker.wait().unwrap();

        let sandbox = open(folder.path());
        let admin = Aws::admin(&sandbox);
        let names = admin.dynamodb.list_tables().send().await.unwrap().table_names.unwrap();
        for number in 0..7 {
            let name = format!("Table{number}");
            let described = admin.dynamodb.describe_table().table_name(&name).send().await;
            assert_eq!(described.is_ok(), names.contains(&name), "round {round}: {name}");
            let put = admin.dynamodb.put_item().table_name(&name).item("k", value("a")).send().await;
            assert_eq!(put.is_ok(), names.contains(&name), "round {round}: {name}");
        }
    }
}

async fn create(aws: &Aws) {
    aws.dynamodb
        .create_table()
        .table_name("Stray")
        .key_schema(part("k", KeyType::Hash))
        .attribute_definitions(text("k"))
        .provisioned_throughput(units(1, 1))
        .send()
        .await
        .unwrap();
}
