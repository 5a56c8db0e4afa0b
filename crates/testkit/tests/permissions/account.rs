//! An account in memory with somebody who deploys into it, whose permissions can be limited.

use std::collections::BTreeMap;
use std::fs;
use std::future::poll_fn;
use std::path::Path;
use std::task::Poll;
use std::time::Duration;

use aws_credential_types::Credentials;
use serde_json::json;
use terrane_aws::client::{Clients, Options as ClientOptions, Sandbox as SandboxClient, configure};
use terrane_aws::simulation::{Question, Subject, ask};
use terrane_expr::FunctionContext;
use terrane_model::schema::Schemas;
use terrane_model::{Diagnostics, Value};
use terrane_plan::access::of_plan;
use terrane_plan::permissions::lacking::{Deployer, Together, to_carry_out, together, warning};
use terrane_plan::permissions::{Needed, Needs, needs, statements};
use terrane_plan::plan::Mode;
use terrane_plan::{Draft, Input, Options, Plan, ProviderKey, build};
use terrane_provider::{Catalog, Permission, Session};
use terrane_reconcile::events::Event;
use terrane_reconcile::{Events, Run, Sessions, Stop, apply, look, observe, recover};
use terrane_sandbox::{Options as SandboxOptions, Sandbox};
use terrane_spec::{Inputs, Spec};
use terrane_state::{Access, Local, LockInfo, Store};

const DEPLOYER: &str = "deployer";
const EVERYTHING: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// What is carried out.
pub enum Step {
    /// What this spec says.
    Up(String),
    /// All of it is deleted.
    Down(String),
}

impl Step {
    fn text(&self) -> &str {
        let (Step::Up(text) | Step::Down(text)) = self;
        text
    }

    fn mode(&self) -> Mode {
        match self {
            Step::Up(_) => Mode::Normal,
            Step::Down(_) => Mode::Destroy,
        }
    }
}

struct Quiet;

impl Events for Quiet {
    fn event(&self, _: &Event<'_>) {}
}

/// Stops a run at its first failure: what came after it would show nothing.
struct UntilFailure<'s>(&'s Stop);

impl Events for UntilFailure<'_> {
    fn event(&self, event: &Event<'_>) {
        if matches!(event, Event::Failed { .. }) {
            self.0.ask();
        }
    }
}

pub struct Account {
    folder: tempfile::TempDir,
    sandbox: Sandbox,
    catalog: Catalog,
    deployer: Credentials,
}

/// An account at rest, of which there can be any number of copies.
pub struct Rested {
    folder: tempfile::TempDir,
    deployer: Credentials,
}

impl Rested {
    /// A copy: what is done in it is not done in any other.
    pub fn copy(&self) -> Account {
        let folder = tempfile::tempdir().unwrap();
        copy_all(self.folder.path(), folder.path());
        Account::open(folder, self.deployer.clone())
    }
}

fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            fs::create_dir(&to).unwrap();
            copy_all(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

impl Account {
    /// Lets the deployer ask the policy simulator, whatever else they may.
    pub async fn let_ask(&self) {
        let admin = self.admin().await;
        let iam = admin.clients::<Clients>().unwrap().iam();
        let policy = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": "iam:SimulatePrincipalPolicy", "Resource": "*" } ] });
        let put = iam.put_user_policy().user_name(DEPLOYER).policy_name("asks");
        put.policy_document(policy.to_string()).send().await.unwrap();
    }

    /// A new account, in which the deployer may do everything.
    pub async fn new() -> Account {
        let nobody = Credentials::new("a", "b", None, None, "test");
        let mut account = Account::open(tempfile::tempdir().unwrap(), nobody);
        let admin = account.admin().await;
        let iam = admin.clients::<Clients>().unwrap().iam();
        iam.create_user().user_name(DEPLOYER).send().await.unwrap();
        iam.attach_user_policy().user_name(DEPLOYER).policy_arn(EVERYTHING).send().await.unwrap();
        let made = iam.create_access_key().user_name(DEPLOYER).send().await.unwrap().access_key.unwrap();
        account.deployer = Credentials::new(made.access_key_id, made.secret_access_key, None, None, "test");
        account
    }

    fn open(folder: tempfile::TempDir, deployer: Credentials) -> Account {
        // Calls take a moment, so that a run can be ended between two of them.
        let options = SandboxOptions { latency: Duration::from_millis(1), ..SandboxOptions::default() };
        let sandbox = Sandbox::open(&folder.path().join("sandbox"), options).unwrap();
        let mut catalog = Catalog::default();
        terrane_aws::catalog(&mut catalog);
        Account { folder, sandbox, catalog, deployer }
    }

    /// Lays it to rest.
    pub fn rest(self) -> Rested {
        Rested { folder: self.folder, deployer: self.deployer }
    }

    async fn admin(&self) -> Session {
        let keys = self.sandbox.admin_credentials();
        self.session(Credentials::new(keys.access_key_id, keys.secret_access_key, None, None, "test")).await
    }

    async fn session(&self, credentials: Credentials) -> Session {
        let client =
            SandboxClient { http_client: self.sandbox.http_client(), credentials, region: "eu-west-3" };
        let block = self.catalog.provider("aws").unwrap();
        let (config, _) = terrane_model::conform::conform(&Value::object::<&str>([]), block);
        configure(&config, ClientOptions { sandbox: Some(client), user_agent: None }).await.unwrap()
    }

    async fn sessions(&self) -> Sessions {
        let session = self.session(self.deployer.clone()).await;
        Sessions(BTreeMap::from([(ProviderKey::default_of("aws"), session)]))
    }

    /// Gives the deployer every right again.
    pub async fn unlimit(&self) {
        let admin = self.admin().await;
        let iam = admin.clients::<Clients>().unwrap().iam();
        iam.attach_user_policy().user_name(DEPLOYER).policy_arn(EVERYTHING).send().await.unwrap();
    }

    /// Takes all rights away from the deployer but these.
    pub async fn limit_to(&self, needed: &[Needed]) {
        let admin = self.admin().await;
        let iam = admin.clients::<Clients>().unwrap().iam();
        let attached = iam.list_attached_user_policies().user_name(DEPLOYER).send().await.unwrap();
        for policy in attached.attached_policies.unwrap_or_default() {
            let arn = policy.policy_arn.unwrap();
            iam.detach_user_policy().user_name(DEPLOYER).policy_arn(&arn).send().await.unwrap();
            if arn != EVERYTHING {
                iam.delete_policy().policy_arn(arn).send().await.unwrap();
            }
        }
        let statements: Vec<_> = statements(needed)
            .into_iter()
            .map(|statement| {
                let mut said = json!({
                    "Effect": "Allow",
                    "Sid": statement.sid,
                    "Action": statement.actions,
                    "Resource": statement.resources,
                });
                if let Some((operator, key, values)) = statement.condition {
                    said["Condition"] = json!({ operator: { key: values } });
                }
                said
            })
            .collect();
        let mut parts: Vec<Vec<serde_json::Value>> = vec![vec![]];
        for statement in statements {
            let part = parts.last().unwrap();
            if json!(part).to_string().len() + statement.to_string().len() > 6000 {
                parts.push(vec![]);
            }
            parts.last_mut().unwrap().push(statement);
        }
        for (number, part) in parts.into_iter().enumerate() {
            let document = json!({ "Version": "2012-10-17", "Statement": part }).to_string();
            let made = iam.create_policy().policy_name(format!("part-{number}")).policy_document(document);
            let arn = made.send().await.unwrap().policy.unwrap().arn.unwrap();
            iam.attach_user_policy().user_name(DEPLOYER).policy_arn(arn).send().await.unwrap();
        }
    }

    fn spec(&self, step: &Step) -> Spec {
        let text = step.text().as_bytes().to_vec();
        let parsed = terrane_spec::parse(vec![("terrane.toml".to_owned(), text)]);
        terrane_spec::check(parsed, &self.catalog, &FunctionContext::closed())
            .unwrap_or_else(|failed| panic!("{:#?}", failed.diagnostics))
    }

    fn store(&self) -> Store {
        let backend = Local::new(&self.folder.path().join("state"), None, "default").unwrap();
        let info = LockInfo { id: "id".to_owned(), operation: "test".to_owned(), ..LockInfo::default() };
        Store::begin(Box::new(backend), "lineage", Access::Locked { info: &info, again: &mut |_| false })
            .unwrap()
    }

    async fn planned(
        &self,
        spec: &Spec,
        store: &Store,
        sessions: &Sessions,
        mode: Mode,
    ) -> Result<Plan, Diagnostics> {
        let snapshot = store.snapshot();
        let mut observed = observe(snapshot, &self.catalog, sessions, 10, &Quiet, &Stop::default()).await?;
        let facts = sessions.facts();
        let options = Options { mode, look_for_existing: true, ..Options::default() };
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
                Draft::Undeclared(undeclared) => panic!("{undeclared:?}"),
                Draft::Needs(needs) => {
                    look(needs, &mut observed, &self.catalog, sessions, 10, &Quiet).await?;
                }
            }
        }
    }

    /// Plans a step.
    pub async fn plan(&self, step: &Step) -> Result<Plan, Diagnostics> {
        let (spec, store, sessions) = (self.spec(step), self.store(), self.sessions().await);
        let plan = self.planned(&spec, &store, &sessions, step.mode()).await;
        store.finish().unwrap();
        plan
    }

    /// What a step takes.
    pub async fn needs(&self, step: &Step) -> Needs {
        let plan = self.plan(step).await.unwrap();
        needs(&plan, &self.catalog, &self.sessions().await.facts())
    }

    /// What the deployer is said to lack for a step, as `terrane plan` finds it out: the warning's text.
    pub async fn lacking(&self, step: &Step) -> Option<String> {
        self.lacking_for(step, &self.plan(step).await.unwrap()).await
    }

    /// The same for a step that is planned already.
    pub async fn lacking_for(&self, step: &Step, plan: &Plan) -> Option<String> {
        let sessions = self.sessions().await;
        let (key, session) = sessions.0.iter().next().unwrap();
        let caller = session.facts.caller.as_deref().unwrap();
        let needed = to_carry_out(plan, &needs(plan, &self.catalog, &sessions.facts()), key);
        let question = |Together { actions, resources, context }| Question { actions, resources, context };
        let questions: Vec<Question> = together(&needed).into_iter().map(question).collect();
        let clients = session.clients::<Clients>().unwrap();
        let simulated = ask(clients, Subject::of(caller).unwrap(), &questions).await.unwrap();
        let verdict = |one: &Needed| {
            let Permission { action, resource, condition, .. } = &one.permission;
            let value = condition.as_ref().map(|condition| condition.value.clone());
            simulated.verdicts[&(action.to_string(), resource.clone(), value)]
        };
        let spec = self.spec(step);
        let functions = FunctionContext::closed();
        let estates = || of_plan(plan, &spec, &self.catalog, &functions).unwrap();
        let deployer = Deployer { caller, subject: &simulated.arn };
        warning(plan, deployer, &needed, &verdict, &estates).map(|warning| warning.detail)
    }

    /// Plans a step and carries it out.
    pub async fn carry_out(&self, step: &Step) -> Result<(), String> {
        self.carry_out_as(step, None).await
    }

    /// Carries a step out and lets it die as soon as such calls were made; false where it was done before.
    pub async fn die_when(&self, step: &Step, made: impl Fn(&BTreeMap<String, u64>) -> bool) -> bool {
        let (spec, mut store, sessions) = (self.spec(step), self.store(), self.sessions().await);
        let plan = self.planned(&spec, &store, &sessions, step.mode()).await.unwrap();
        let before = self.sandbox.call_counts();
        let since = || {
            let counts = self.sandbox.call_counts().into_iter();
            counts
                .map(|(name, n)| (name.clone(), n - before.get(&name).copied().unwrap_or_default()))
                .collect()
        };
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
        // It is asked anew whenever the run goes on.
        let enough = poll_fn(|_| if made(&since()) { Poll::Ready(()) } else { Poll::Pending });
        tokio::select! {
            biased;
            () = enough => true,
            _ = apply(run, &mut store) => false,
        }
    }

    /// Looks what became of what a run that died had begun. Gives how much that was.
    pub async fn recover(&self) -> Result<usize, String> {
        let (mut store, sessions) = (self.store(), self.sessions().await);
        let recovered = recover(&mut store, &self.catalog, &sessions, &Quiet).await;
        let recovered = recovered.map_err(|errors| format!("{errors:#?}"))?;
        store.finish().map_err(|error| error.to_string())?;
        Ok(recovered.len())
    }

    /// Carries out a step, as it was planned in an account that this one is a copy of.
    pub async fn carry_out_as(&self, step: &Step, planned: Option<&Plan>) -> Result<(), String> {
        let (spec, mut store, sessions) = (self.spec(step), self.store(), self.sessions().await);
        let own = match planned {
            Some(_) => None,
            None => {
                let plan = self.planned(&spec, &store, &sessions, step.mode()).await;
                Some(plan.map_err(|errors| format!("the plan: {errors:#?}"))?)
            }
        };
        let plan = planned.or(own.as_ref()).unwrap();
        assert!(plan.has_changes());
        let stop = Stop::default();
        let run = Run {
            plan,
            spec: &spec,
            catalog: &self.catalog,
            sessions: &sessions,
            functions: FunctionContext::closed(),
            parallelism: 10,
            events: &UntilFailure(&stop),
            stop: &stop,
            run_id: "run",
        };
        let report = apply(run, &mut store).await;
        if !report.is_success() {
            return Err(format!("the apply: {report:#?}"));
        }
        store.finish().map(drop).map_err(|error| error.to_string())
    }
}
