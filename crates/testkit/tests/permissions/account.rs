//! An account in memory with somebody who deploys into it, whose permissions can be limited.

use std::cell::RefCell;
use std::collections::BTreeMap;

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
use terrane_reconcile::{Events, Run, Sessions, Stop, apply, look, observe};
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

pub struct Account {
    folder: tempfile::TempDir,
    sandbox: Sandbox,
    catalog: Catalog,
    deployer: Credentials,
    /// Addresses of keys by their ARNs.
    addresses: RefCell<BTreeMap<String, String>>,
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
        let folder = tempfile::tempdir().unwrap();
        let options = SandboxOptions { in_memory: true, ..SandboxOptions::default() };
        let sandbox = Sandbox::open(folder.path(), options).unwrap();
        let mut catalog = Catalog::default();
        terrane_aws::catalog(&mut catalog);
        let nobody = Credentials::new("a", "b", None, None, "test");
        let mut account =
            Account { folder, sandbox, catalog, deployer: nobody, addresses: RefCell::default() };
        let admin = account.admin().await;
        let iam = admin.clients::<Clients>().unwrap().iam();
        iam.create_user().user_name(DEPLOYER).send().await.unwrap();
        iam.attach_user_policy().user_name(DEPLOYER).policy_arn(EVERYTHING).send().await.unwrap();
        let made = iam.create_access_key().user_name(DEPLOYER).send().await.unwrap().access_key.unwrap();
        account.deployer = Credentials::new(made.access_key_id, made.secret_access_key, None, None, "test");
        account
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

    /// An ARN, or the address in the place of one that AWS made up.
    pub fn named(&self, arn: &str) -> String {
        self.addresses.borrow().get(arn).cloned().unwrap_or_else(|| arn.to_owned())
    }

    /// What a step takes.
    pub async fn needs(&self, step: &Step) -> Needs {
        let plan = self.plan(step).await.unwrap();
        for (address, _, object) in plan.prior.current() {
            let arn = object.attributes.get("arn").and_then(|arn| arn.as_str());
            if let (Some(arn), "aws_kms_key") = (arn, &*address.resource.type_name) {
                self.addresses.borrow_mut().insert(arn.to_owned(), address.to_string());
            }
        }
        needs(&plan, &self.catalog, &self.sessions().await.facts())
    }

    /// What the deployer is said to lack for a step, as `terrane plan` finds it out: the warning's text.
    pub async fn lacking(&self, step: &Step) -> Option<String> {
        let plan = self.plan(step).await.unwrap();
        let sessions = self.sessions().await;
        let (key, session) = sessions.0.iter().next().unwrap();
        let caller = session.facts.caller.as_deref().unwrap();
        let needed = to_carry_out(&plan, &needs(&plan, &self.catalog, &sessions.facts()), key);
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
        let estates = || of_plan(&plan, &spec, &self.catalog, &functions).unwrap();
        let deployer = Deployer { caller, subject: &simulated.arn };
        warning(&plan, deployer, &needed, &verdict, &estates).map(|warning| warning.detail)
    }

    /// Plans a step and carries it out.
    pub async fn carry_out(&self, step: &Step) -> Result<(), String> {
        let (spec, mut store, sessions) = (self.spec(step), self.store(), self.sessions().await);
        let plan = self.planned(&spec, &store, &sessions, step.mode()).await;
        let plan = plan.map_err(|errors| format!("the plan: {errors:#?}"))?;
        assert!(plan.has_changes());
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
            return Err(format!("the apply: {report:#?}"));
        }
        store.finish().map(drop).map_err(|error| error.to_string())
    }
}
