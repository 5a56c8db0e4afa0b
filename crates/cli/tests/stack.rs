//! A folder with a stack, and the binary run in it with nothing of the caller's environment.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A folder that goes away with the value.
pub struct Stack {
    folder: tempfile::TempDir,
}

/// What a run answered.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Stack {
    /// An empty folder.
    pub fn empty() -> Stack {
        Stack { folder: tempfile::tempdir().unwrap() }
    }

    /// A folder with this spec.
    pub fn of(spec: &str) -> Stack {
        let stack = Stack::empty();
        stack.write("terrane.toml", spec);
        stack
    }

    /// A copy of one of the examples.
    pub fn example(name: &str) -> Stack {
        let stack = Stack::empty();
        stack.take_example(name);
        stack
    }

    pub fn take_example(&self, name: &str) {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
        for entry in fs::read_dir(example).unwrap().map(Result::unwrap) {
            if entry.path().extension().is_some_and(|extension| extension == "toml") {
                fs::copy(entry.path(), self.path().join(entry.file_name())).unwrap();
            }
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The binary with these arguments, in the folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_terrane"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command
            .env_clear()
            .env("HOME", self.path())
            .env("USER", "tester")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }

    /// Runs to the end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Runs in the sandbox and must succeed. Gives standard output.
    pub fn sandboxed(&self, arguments: &[&str]) -> String {
        let all = [&["--sandbox"], arguments].concat();
        let ran = self.run(&all);
        assert_eq!(ran.code, Some(0), "{arguments:?}\n{}{}", ran.out, ran.err);
        ran.out
    }

    /// The addresses in the state.
    pub fn addresses(&self) -> Vec<String> {
        self.run(&["state", "list"]).out.lines().map(str::to_owned).collect()
    }

    /// What the stack's sandbox has, asked through the SDK behind everybody's back.
    pub fn cloud(&self) -> Cloud {
        Cloud { folder: self.path().join(".terrane/sandbox") }
    }
}

impl Ran {
    pub fn of(output: Output) -> Ran {
        Ran {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The run failed, and said so with this summary.
    #[track_caller]
    pub fn failed_with(&self, summary: &str) {
        assert_eq!(self.code, Some(1), "{}{}", self.out, self.err);
        assert!(self.err.contains(&format!("Error: {summary}\n")), "{}", self.err);
    }
}

/// A sandbox for other programs, until it is dropped.
pub struct Served {
    _stack: Stack,
    child: Child,
    pub url: String,
}

impl Served {
    pub fn new() -> Served {
        let stack = Stack::empty();
        let mut child =
            stack.command(&["sandbox", "serve", "--port", "0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().rsplit(' ').next().unwrap().to_owned();
        Served { _stack: stack, child, url }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A sandbox as its administrator sees it.
pub struct Cloud {
    folder: PathBuf,
}

impl Cloud {
    fn with<T>(&self, work: impl AsyncFnOnce(&aws_sdk_dynamodb::Client, &aws_sdk_kms::Client) -> T) -> T {
        self.with_options(terrane_sandbox::Options::default(), work)
    }

    fn with_options<T>(
        &self,
        options: terrane_sandbox::Options,
        work: impl AsyncFnOnce(&aws_sdk_dynamodb::Client, &aws_sdk_kms::Client) -> T,
    ) -> T {
        let sandbox = terrane_sandbox::Sandbox::open(&self.folder, options).unwrap();
        let keys = sandbox.admin_credentials();
        let keys = aws_credential_types::Credentials::new(
            keys.access_key_id,
            keys.secret_access_key,
            None,
            None,
            "t",
        );
        let dynamodb = aws_sdk_dynamodb::Config::builder()
            .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
            .region(aws_sdk_dynamodb::config::Region::from_static("eu-west-3"))
            .credentials_provider(keys.clone())
            .http_client(sandbox.http_client())
            .build();
        let kms = aws_sdk_kms::Config::builder()
            .behavior_version(aws_sdk_kms::config::BehaviorVersion::latest())
            .region(aws_sdk_kms::config::Region::from_static("eu-west-3"))
            .credentials_provider(keys)
            .http_client(sandbox.http_client())
            .build();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(work(
            &aws_sdk_dynamodb::Client::from_conf(dynamodb),
            &aws_sdk_kms::Client::from_conf(kms),
        ))
    }

    /// What there is besides the objects of stacks: access keys, items and grants, as a text to compare.
    pub fn everything(&self) -> String {
        let keys = self.iam_keys();
        let rest = self.with(async |dynamodb, kms| {
            let mut lines = Vec::new();
            for table in dynamodb.list_tables().send().await.unwrap().table_names.unwrap_or_default() {
                let items =
                    dynamodb.scan().table_name(&table).send().await.unwrap().items.unwrap_or_default();
                lines.push(format!("{table}: {items:?}"));
            }
            for key in kms.list_keys().send().await.unwrap().keys() {
                let id = key.key_id().unwrap();
                let grants = kms.list_grants().key_id(id).send().await.unwrap().grants.unwrap_or_default();
                lines.push(format!("{id}: {grants:?}"));
            }
            lines.join("\n")
        });
        format!("{keys}\n{rest}")
    }

    /// The ids of the access keys of every user.
    fn iam_keys(&self) -> String {
        let sandbox =
            terrane_sandbox::Sandbox::open(&self.folder, terrane_sandbox::Options::default()).unwrap();
        let keys = sandbox.admin_credentials();
        let keys = aws_credential_types::Credentials::new(
            keys.access_key_id,
            keys.secret_access_key,
            None,
            None,
            "t",
        );
        let iam = aws_sdk_iam::Config::builder()
            .behavior_version(aws_sdk_iam::config::BehaviorVersion::latest())
            .region(aws_sdk_iam::config::Region::from_static("us-east-1"))
            .credentials_provider(keys)
            .http_client(sandbox.http_client())
            .build();
        let iam = aws_sdk_iam::Client::from_conf(iam);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut lines = Vec::new();
            for user in iam.list_users().send().await.unwrap().users {
                let keys = iam.list_access_keys().user_name(&user.user_name).send().await.unwrap();
                let ids: Vec<_> =
                    keys.access_key_metadata.iter().map(|key| key.access_key_id.clone()).collect();
                lines.push(format!("{}: {ids:?}", user.user_name));
            }
            lines.join("\n")
        })
    }

    pub fn delete_table(&self, name: &str) {
        self.with(async |dynamodb, _| dynamodb.delete_table().table_name(name).send().await.unwrap());
    }

    /// Schedules the deletion of all keys, as somebody else would.
    pub fn schedule_key_deletions(&self) {
        self.with(async |_, kms| {
            for key in kms.list_keys().send().await.unwrap().keys() {
                let id = key.key_id().unwrap();
                let described = kms.describe_key().key_id(id).send().await.unwrap().key_metadata.unwrap();
                let ours = described.key_manager() == Some(&aws_sdk_kms::types::KeyManagerType::Customer);
                if ours && described.deletion_date().is_none() {
                    kms.schedule_key_deletion().key_id(id).pending_window_in_days(7).send().await.unwrap();
                }
            }
        });
    }

    /// Cancels the deletion of all keys, as somebody else would.
    pub fn cancel_key_deletions(&self) {
        self.with(async |_, kms| {
            for key in kms.list_keys().send().await.unwrap().keys() {
                let id = key.key_id().unwrap();
                let described = kms.describe_key().key_id(id).send().await.unwrap().key_metadata.unwrap();
                if described.deletion_date().is_some() {
                    kms.cancel_key_deletion().key_id(id).send().await.unwrap();
                }
            }
        });
    }

    /// Lets what is due within some days happen now.
    pub fn let_days_pass(&self, days: u64) {
        let clock = terrane_sandbox::Clock::system();
        clock.advance(std::time::Duration::from_secs(days * 24 * 60 * 60));
        let options = terrane_sandbox::Options { clock, ..terrane_sandbox::Options::default() };
        self.with_options(options, async |_, kms| drop(kms.list_keys().send().await));
    }

    pub fn tables(&self) -> Vec<String> {
        self.with(async |dynamodb, _| {
            dynamodb.list_tables().send().await.unwrap().table_names.unwrap_or_default()
        })
    }

    /// How many keys there are that are not on their way out.
    pub fn keys(&self) -> usize {
        self.with(async |_, kms| {
            let mut count = 0;
            for key in kms.list_keys().send().await.unwrap().keys() {
                let described = kms.describe_key().key_id(key.key_id().unwrap()).send().await.unwrap();
                let metadata = described.key_metadata.unwrap();
                let ours = metadata.key_manager() == Some(&aws_sdk_kms::types::KeyManagerType::Customer);
                count += usize::from(ours && metadata.deletion_date().is_none());
            }
            count
        })
    }
}
