//! A machine with a disk and an AWS, on which runs follow each other.

use std::collections::BTreeMap;

use aws_credential_types::Credentials;
use aws_sdk_kms::types::KeyState;
use terrane_aws::client::{Clients, Options as ClientOptions, Sandbox as SandboxClient, configure};
use terrane_expr::FunctionContext;
use terrane_model::schema::Schemas;
use terrane_model::{Diagnostics, Value};
use terrane_plan::plan::Mode;
use terrane_plan::{Draft, Input, Options, Plan, ProviderKey, build};
use terrane_provider::Catalog;
use terrane_reconcile::events::Event;
use terrane_reconcile::{Events, Run, Sessions, Stop, apply, look, observe, recover};
use terrane_sandbox::{Options as SandboxOptions, Sandbox};
use terrane_spec::{Inputs, Spec};
use terrane_state::{Access, Local, LockInfo, Store};

use super::fate::Fate;

/// What a run is to bring about.
pub enum Wanted {
    /// What this spec says.
    Spec(String),
    /// That nothing is left of what this spec says.
    Nothing(String),
}

/// How a run ended.
#[derive(Debug)]
pub enum End {
    Done,
    Died,
    /// What it said.
    Failed(#[allow(dead_code, reason = "shown when a test fails")] String),
}

struct Quiet;

impl Events for Quiet {
    fn event(&self, _: &Event<'_>) {}
}

pub struct Machine {
    folder: tempfile::TempDir,
    sandbox: Sandbox,
    catalog: Catalog,
}

impl Machine {
    pub fn new() -> Machine {
        let folder = tempfile::tempdir().unwrap();
        let options = SandboxOptions { in_memory: true, ..SandboxOptions::default() };
        let sandbox = Sandbox::open(folder.path(), options).unwrap();
        let mut catalog = Catalog::default();
        terrane_aws::catalog(&mut catalog);
        Machine { folder, sandbox, catalog }
    }

    async fn sessions(&self, fate: &Fate) -> Sessions {
        let keys = self.sandbox.admin_credentials();
        let sandbox = SandboxClient {
            http_client: fate.client(self.sandbox.http_client()),
            credentials: Credentials::new(keys.access_key_id, keys.secret_access_key, None, None, "test"),
            region: "eu-west-3",
        };
        let block = self.catalog.provider("aws").unwrap();
        let (config, _) = terrane_model::conform::conform(&Value::object::<&str>([]), block);
        let options = ClientOptions { sandbox: Some(sandbox), user_agent: None };
        let session = configure(&config, options).await.unwrap();
        Sessions(BTreeMap::from([(ProviderKey::default_of("aws"), session)]))
    }

    /// Runs from the lock to the commit, or to the death.
    pub async fn run(&self, wanted: &Wanted, fate: &Fate) -> End {
        let result = tokio::select! {
            biased;
            () = fate.death() => return End::Died,
            result = self.undisturbed(wanted, fate) => result,
        };
        match result {
            _ if fate.is_dead() => End::Died,
            Ok(()) => End::Done,
            Err(why) => End::Failed(why),
        }
    }

    async fn undisturbed(&self, wanted: &Wanted, fate: &Fate) -> Result<(), String> {
        let told = |errors: Diagnostics| format!("{errors:#?}");
        let (text, mode) = match wanted {
            Wanted::Spec(text) => (text, Mode::Normal),
            Wanted::Nothing(text) => (text, Mode::Destroy),
        };
        let spec = self.spec(text);
        let mut store = self.open(fate)?;
        let sessions = self.sessions(fate).await;
        recover(&mut store, &self.catalog, &sessions, &Quiet).await.map_err(told)?;
        store.commit().map_err(|error| error.to_string())?;
        let plan = self.plan(&spec, &store, &sessions, mode).await.map_err(told)?;
        let stop = Stop::default();
        let run = Run {
            plan: &plan,
            spec: &spec,
            catalog: &self.catalog,
            sessions: &sessions,
            functions: FunctionContext::closed(),
            parallelism: 10,
            events: &Quiet,
            stop: &stop,
            run_id: "run",
        };
        let report = apply(run, &mut store).await;
        if !report.is_success() {
            return Err(format!("{report:#?}"));
        }
        store.finish().map(drop).map_err(|error| error.to_string())
    }

    fn spec(&self, text: &str) -> Spec {
        let parsed = terrane_spec::parse(vec![("terrane.toml".to_owned(), text.as_bytes().to_vec())]);
        terrane_spec::check(parsed, &self.catalog, &FunctionContext::closed()).unwrap()
    }

    fn open(&self, fate: &Fate) -> Result<Store, String> {
        let backend = Local::on(fate.disk(), &self.folder.path().join("state"), None, "default").unwrap();
        let info = LockInfo {
            id: "id".to_owned(),
            operation: "test".to_owned(),
            who: "who".to_owned(),
            version: "1".to_owned(),
            created: "2026-01-01T00:00:00Z".to_owned(),
            path: String::new(),
            info: String::new(),
            ..LockInfo::default()
        };
        let access = Access::Locked { info: &info, again: &mut |_| false };
        Store::begin(Box::new(backend), "lineage", access).map_err(|error| error.to_string())
    }

    async fn plan(
        &self,
        spec: &Spec,
        store: &Store,
        sessions: &Sessions,
        mode: Mode,
    ) -> Result<Plan, Diagnostics> {
        let (snapshot, stop) = (store.snapshot(), Stop::default());
        let mut observed = observe(snapshot, &self.catalog, sessions, 10, &Quiet, &stop).await?;
        let facts = sessions.facts();
        let options = Options { mode, ..Options::default() };
        let mut sources = spec.sources.clone();
        let variables = terrane_spec::variables(&spec.root, &Inputs::default(), &mut sources).unwrap().values;
        loop {
            let input = Input {
                spec,
                variables: variables.clone(),
                workspace: "default".into(),
                functions: FunctionContext::closed(),
                catalog: &self.catalog,
                snapshot,
                observed: &observed,
                facts: &facts,
                options: &options,
            };
            match build(&input)? {
                Draft::Plan(plan) => return Ok(*plan),
                Draft::Needs(needs) => {
                    look(needs, &mut observed, &self.catalog, sessions, 10, &Quiet).await?;
                }
                Draft::Undeclared(_) => unreachable!("nothing is to be written"),
            }
        }
    }

    /// Exactly what is wanted is there, once, and the state knows it.
    pub async fn is_whole(&self, wanted: &Wanted, when: &str) {
        let fate = Fate::none();
        let sessions = self.sessions(&fate).await;
        let (text, mode) = match wanted {
            Wanted::Spec(text) => (text, Mode::Normal),
            Wanted::Nothing(text) => (text, Mode::Destroy),
        };
        let spec = self.spec(text);
        let store = self.open(&fate).unwrap();
        assert!(store.open_intents().is_empty(), "{when}: open intents");
        assert!(store.recovered().merged.is_empty(), "{when}: the journal was not done");
        let plan = self.plan(&spec, &store, &sessions, mode).await.unwrap();
        assert!(!plan.has_changes(), "{when}: {:#?}", plan.totals());
        let there = self.there(&sessions).await;
        let expected: &[&str] = match wanted {
            Wanted::Spec(text) if text.contains("aws_iam_access_key") => {
                &["access key", "access key", "access key", "ann", "eve"]
            }
            Wanted::Spec(text) if text.contains("OtherUser") => &["key", "OtherUser"],
            Wanted::Spec(_) => &["key", "test-dynamodb-user"],
            Wanted::Nothing(_) => &[],
        };
        let mut expected: Vec<String> = expected.iter().map(|&name| name.to_owned()).collect();
        if let Wanted::Spec(text) = wanted
            && text.contains("aws_dynamodb_table")
        {
            let more = ["Comment", "ContentCatalog", "Forum", "Post", "attachment", "policy"];
            expected.extend(more.map(str::to_owned));
        }
        expected.sort();
        assert_eq!(there, expected, "{when}");
        let names: Vec<String> = std::fs::read_dir(self.folder.path().join("state"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        drop(store);
        assert!(names.iter().all(|name| !name.ends_with(".tmp")), "{when}: {names:?}");
    }

    /// How many keys of ours there are, those that are pending deletion included.
    pub async fn keys_ever(&self) -> usize {
        let sessions = self.sessions(&Fate::none()).await;
        let session = sessions.0.get(&ProviderKey::default_of("aws")).unwrap();
        let kms = session.clients::<Clients>().unwrap().kms();
        let mut ours = 0;
        for key in kms.list_keys().send().await.unwrap().keys.unwrap_or_default() {
            let about = kms.describe_key().key_id(key.key_id.unwrap()).send().await.unwrap().key_metadata;
            ours += usize::from(about.unwrap().key_manager.unwrap().as_str() == "CUSTOMER");
        }
        ours
    }

    /// What there is in AWS, by kind or name, sorted.
    async fn there(&self, sessions: &Sessions) -> Vec<String> {
        let session = sessions.0.get(&ProviderKey::default_of("aws")).unwrap();
        let clients = session.clients::<Clients>().unwrap();
        let mut found = Vec::new();
        for key in clients.kms().list_keys().send().await.unwrap().keys.unwrap_or_default() {
            let id = key.key_id.unwrap();
            let about = clients.kms().describe_key().key_id(&id).send().await.unwrap().key_metadata.unwrap();
            if about.key_state == Some(KeyState::PendingDeletion)
                || about.key_manager.unwrap().as_str() == "AWS"
            {
                continue;
            }
            let tags =
                clients.kms().list_resource_tags().key_id(&id).send().await.unwrap().tags.unwrap_or_default();
            assert!(tags.iter().all(|tag| !tag.tag_key.starts_with("terrane")), "a marker is left: {tags:?}");
            found.push("key".to_owned());
        }
        found.extend(clients.dynamodb().list_tables().send().await.unwrap().table_names.unwrap_or_default());
        let policies = clients.iam().list_policies().scope(aws_sdk_iam::types::PolicyScopeType::Local);
        found.extend(
            policies.send().await.unwrap().policies.unwrap_or_default().iter().map(|_| "policy".to_owned()),
        );
        for user in clients.iam().list_users().send().await.unwrap().users {
            if user.user_name == "terrane-admin" {
                continue;
            }
            let attached =
                clients.iam().list_attached_user_policies().user_name(&user.user_name).send().await;
            let attached = attached.unwrap().attached_policies.unwrap_or_default();
            found.extend(attached.iter().map(|_| "attachment".to_owned()));
            let keys = clients.iam().list_access_keys().user_name(&user.user_name).send().await.unwrap();
            found.extend(keys.access_key_metadata.iter().map(|_| "access key".to_owned()));
            found.push(user.user_name);
        }
        found.sort();
        found
    }
}
