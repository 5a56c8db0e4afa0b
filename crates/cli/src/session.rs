//! The providers of a run: what they offer, how the spec configures them, and the sandbox behind them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use aws_credential_types::Credentials;
use terrane_access::estate::Policy;
use terrane_aws::client::{Options, Sandbox as SandboxClient, configure};
use terrane_expr::FunctionContext;
use terrane_model::conform::{check, conform};
use terrane_model::schema::{Schemas, optional};
use terrane_model::secret::Secrets;
use terrane_model::{Diagnostic, Diagnostics, Type, Value};
use terrane_plan::graph::address;
use terrane_plan::world::evaluate_in;
use terrane_plan::{ProviderKey, World};
use terrane_provider::terraform_data::TerraformData;
use terrane_provider::{Catalog, Error, ErrorKind, Facts, Session};
use terrane_reconcile::Sessions;
use terrane_sandbox::{OpenError, Sandbox};
use terrane_spec::module::Provider;
use terrane_spec::settings::Settings;
use terrane_state::Snapshot;

use crate::exit::Problem;
use crate::functions;
use crate::hardships;
use crate::stack::{self, Stack};

/// Where a stack's sandbox is kept.
pub const SANDBOX_FOLDER: &str = ".terrane/sandbox";

/// The code of the message that another process has the sandbox open.
pub const SANDBOX_IN_USE: &str = "sandbox-in-use";

/// The region of the sandbox when neither spec nor environment name one.
const SANDBOX_REGION: &str = "us-east-1";

/// Everything that the program offers.
pub fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    catalog.add_resource(Arc::new(TerraformData));
    catalog.add_provider("terraform", terrane_model::schema::block([], []));
    terrane_aws::catalog(&mut catalog);
    if let Some(block) = catalog.provider("aws").filter(|block| block.attribute("sandbox").is_none()).cloned()
    {
        let sandbox = optional("sandbox", Type::Bool).doc("Work in the embedded AWS.");
        let attributes = block.attributes.into_iter().chain([sandbox]).collect::<Vec<_>>();
        catalog.add_provider("aws", terrane_model::schema::block(attributes, block.blocks));
    }
    catalog
}

/// Opens the sandbox of the current folder.
///
/// # Errors
/// When it is in use, damaged, or of a later version.
pub fn open_sandbox(options: terrane_sandbox::Options) -> Result<Sandbox, Diagnostic> {
    let folder = Path::new(SANDBOX_FOLDER);
    Sandbox::open(folder, options).map_err(|error| {
        let mut detail = format!("The embedded AWS of this stack can't be used: {error}.");
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            detail.push_str(&format!(" Cause: {inner}."));
            cause = inner.source();
        }
        let detail = detail.replace("..", ".");
        match error {
            OpenError::Locked { .. } => Diagnostic::error(SANDBOX_IN_USE, "Sandbox in use", detail)
                .hint("Wait until the other command is done, or stop `terrane sandbox serve`."),
            _ => Diagnostic::error("sandbox-unusable", "Sandbox not usable", detail).hint(format!(
                "It was left as it is. Moving the folder `{SANDBOX_FOLDER}` away begins with an empty sandbox."
            )),
        }
    })
}

/// The sandbox of this run, opened when it is first needed, as its administrator's client. The encryption of the state may need
/// it before the providers do.
///
/// # Errors
/// As [`open_sandbox`] and [`organization`].
pub fn embedded(settings: &Settings) -> Result<SandboxClient, Diagnostic> {
    static OPENED: OnceLock<Result<Sandbox, Diagnostic>> = OnceLock::new();
    let opened = OPENED.get_or_init(|| {
        let options = hardships::options()?;
        open_sandbox(terrane_sandbox::Options { organization: organization(settings)?, ..options })
    });
    opened.as_ref().map(client_of).map_err(Clone::clone)
}

/// The policies of the organization that bind the sandbox's account, from the files that the spec names.
///
/// # Errors
/// A file that can't be read, or is no policy.
pub fn organization(settings: &Settings) -> Result<terrane_sandbox::Organization, Diagnostic> {
    let mut found = Diagnostics::new();
    let functions = functions::planning(Path::new("."), "");
    let said = terrane_plan::access::organization(settings, &functions, &mut found);
    if let Some(error) = found.into_iter().find(Diagnostic::is_error) {
        return Err(error);
    }
    let account = terrane_sandbox::Options::default().account;
    let limits = said.limits(&account, Some(&account));
    let named = |policies: &[Policy]| {
        policies.iter().filter_map(|p| Some((p.name.clone(), p.document.clone()?))).collect::<Vec<_>>()
    };
    Ok(terrane_sandbox::Organization {
        service_control: limits
            .map(|limits| limits.service_control.iter().map(|level| named(level)).collect())
            .unwrap_or_default(),
        resource_control: limits.map(|limits| named(&limits.resource_control)).unwrap_or_default(),
        id: said.id,
    })
}

/// The same for what needs no more of the spec of the current folder.
///
/// # Errors
/// As [`organization`], and when the spec can't be read.
pub fn folder_organization() -> Result<terrane_sandbox::Organization, Problem> {
    let (module, sources) = stack::folder_organization()?;
    organization(&module.settings).map_err(|error| Problem::new(vec![error], &sources))
}

/// What the AWS clients need to work in a sandbox as its administrator.
pub fn client_of(sandbox: &Sandbox) -> SandboxClient {
    let keys = sandbox.admin_credentials();
    SandboxClient {
        http_client: sandbox.http_client(),
        credentials: Credentials::new(keys.access_key_id, keys.secret_access_key, None, None, "sandbox"),
        region: SANDBOX_REGION,
    }
}

/// The configurations that a run works with, before any call.
pub struct Configured<'s> {
    stack: &'s Stack,
    /// Each with its declaration, its value, and whether it leads into the sandbox.
    all: Vec<(ProviderKey, Option<&'s Provider>, Value, bool)>,
    builtin: Option<ProviderKey>,
}

/// Evaluates the configurations of the providers that the spec or the state uses.
///
/// # Errors
/// Everything that is wrong with them.
pub fn configured<'s>(
    stack: &'s Stack,
    snapshot: &Snapshot,
    catalog: &Catalog,
    functions: &FunctionContext,
    in_sandbox: bool,
) -> Result<Configured<'s>, Problem> {
    let mut configured = Configured { stack, all: vec![], builtin: None };
    let mut errors = Diagnostics::new();
    for key in used(stack, snapshot, catalog) {
        if key.name.as_ref() == "terraform" {
            configured.builtin = Some(key);
            continue;
        }
        // An object whose provider is declared nowhere is told of when it is worked on.
        let Some(provider) = declared(stack, &key) else { continue };
        match configuration(stack, provider, &key, catalog, functions) {
            Ok(config) => {
                let sandboxed = in_sandbox || config.get("sandbox").and_then(Value::as_bool) == Some(true);
                configured.all.push((key, provider, config, sandboxed));
            }
            Err(found) => errors.extend(found),
        }
    }
    if errors.is_empty() { Ok(configured) } else { Err(Problem::new(errors, &stack.spec.sources)) }
}

impl Configured<'_> {
    /// Whether AWS is the embedded one; nothing when AWS has no part in it.
    pub fn in_sandbox(&self) -> Option<bool> {
        (!self.all.is_empty()).then(|| self.all.iter().any(|(_, _, _, sandboxed)| *sandboxed))
    }

    /// Makes the clients and finds out who calls, for all configurations at once.
    ///
    /// # Errors
    /// What AWS has to say about the credentials.
    pub async fn open(self) -> Result<Sessions, Problem> {
        let settings = &self.stack.spec.root.settings;
        let opening = self.all.into_iter().map(|(key, provider, config, sandboxed)| async move {
            let sandbox = if sandboxed { Some(embedded(settings)?) } else { None };
            let options = Options { sandbox, user_agent: Some("terrane") };
            let mut secrets = Secrets::default();
            secrets.learn(&config);
            // The clients want the values themselves.
            let session = configure(&config.unmark_deep().0, options).await;
            session.map(|session| (key.clone(), session)).map_err(|mut error| {
                secrets.hide_in(&mut error.message);
                refused(&error, &key, provider)
            })
        });
        let mut sessions: BTreeMap<ProviderKey, Session> = BTreeMap::new();
        sessions.extend(self.builtin.map(|key| (key, Session::new(Facts::default(), Arc::new(())))));
        let mut errors = Diagnostics::new();
        for opened in futures::future::join_all(opening).await {
            match opened {
                Ok((key, session)) => drop(sessions.insert(key, session)),
                Err(error) if errors.contains(&error) => {}
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() {
            Ok(Sessions(sessions))
        } else {
            Err(Problem::new(errors, &self.stack.spec.sources))
        }
    }
}

/// The provider configurations that something uses.
fn used(stack: &Stack, snapshot: &Snapshot, catalog: &Catalog) -> BTreeSet<ProviderKey> {
    let modules = stack.spec.all_modules();
    let declared = modules.flat_map(|(names, module)| module.resources.keys().map(|key| address(names, key)));
    let by_spec = declared.map(|resource| terrane_plan::build::provider_of(&stack.spec, &resource));
    let by_state = snapshot.resources.values().filter_map(|r| ProviderKey::from_state_name(&r.provider));
    // A resource may be written for them.
    let imports = stack.spec.root.imports.iter();
    let undeclared = imports.filter(|import| stack.spec.resource(&import.address.resource).is_none());
    let by_imports = undeclared.map(terrane_plan::build::import::provider_of_undeclared);
    let by_imports = by_imports.filter(|key| catalog.provider(&key.name).is_some());
    by_spec.chain(by_state).chain(by_imports).collect()
}

/// The declaration of a configuration: `Some(None)` for a default one that goes without saying.
fn declared<'s>(stack: &'s Stack, key: &ProviderKey) -> Option<Option<&'s Provider>> {
    let found = stack.spec.root.providers.iter().find(|p| p.name == key.name && p.alias == key.alias);
    match (found, &key.alias) {
        (None, Some(_)) => None,
        (found, _) => Some(found),
    }
}

fn configuration(
    stack: &Stack,
    provider: Option<&Provider>,
    key: &ProviderKey,
    catalog: &Catalog,
    functions: &FunctionContext,
) -> Result<Value, Diagnostics> {
    let Some(block) = catalog.provider(&key.name) else {
        let detail = format!(
            "The state has objects of the provider `{}`, which this version does not have.",
            key.name
        );
        return Err(vec![Diagnostic::error("unknown-provider", "Unknown provider", detail)]);
    };
    let body = match provider {
        Some(provider) => {
            let world =
                World::new(&stack.spec, stack.variables.clone(), stack.workspace.clone(), functions.clone());
            evaluate_in(&world.scope(), &provider.body)?
        }
        None => Value::object::<&str>([]),
    };
    let (config, mut problems) = conform(&body, block);
    problems.extend(check(&config, block));
    if problems.is_empty() {
        return Ok(config);
    }
    let at = |problem: &terrane_model::conform::Problem| provider.map(|p| p.places.at(&problem.path));
    Err(problems.iter().map(|p| Diagnostic::error(p.code, p.summary, p.detail.clone()).at(at(p))).collect())
}

fn refused(error: &Error, key: &ProviderKey, provider: Option<&Provider>) -> Diagnostic {
    let (code, summary) = match error.kind {
        ErrorKind::Credentials => ("aws-credentials", "Credentials not accepted"),
        ErrorKind::Unavailable | ErrorKind::TimedOut => {
            ("aws-unavailable", "Service not reachable or failing")
        }
        ErrorKind::Denied => ("aws-denied", "Permission denied"),
        ErrorKind::Throttled => ("aws-throttled", "Too many requests"),
        _ => ("provider-configuration", "Provider can't be configured"),
    };
    let detail = format!("The provider `{key}` can't be used. {error}.").replace("..", ".");
    let mut diagnostic = Diagnostic::error(code, summary, detail).at(provider.map(|provider| provider.span));
    diagnostic.hints.extend(error.hints.iter().cloned());
    diagnostic
}
