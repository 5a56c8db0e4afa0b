//! How a stack's state and saved plans are encrypted: `[terrane.encryption]`, and the key of plans that hold secrets.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use terrane_aws::state_key::{KeySettings, StateKey};
use terrane_model::conform::{check, conform};
use terrane_model::schema::{Block, Nesting, block, nested, optional};
use terrane_model::{Diagnostic, Diagnostics, Sources, Type, Value};
use terrane_plan::Plan;
use terrane_provider::{Ground, Permissions};
use terrane_spec::Module;
use terrane_spec::settings::Settings;
use terrane_state::seal::{Age, Given, Method, Passphrase, Plain, Purpose, Sealing, method_of};
use terrane_state::version_of;
use zeroize::Zeroizing;

use crate::backends::in_sandbox;
use crate::exit::Problem;
use crate::session;
use crate::stack::folder_settings;

/// Where the key is that seals plans with secrets, when nothing is said about encryption.
const PLAN_KEY: &str = ".terrane/plan.key";
/// The same key, for more than one machine.
const PLAN_KEY_VARIABLE: &str = "TERRANE_PLAN_KEY";
const PASSPHRASE_VARIABLE: &str = "TERRANE_STATE_PASSPHRASE";
const IDENTITY_VARIABLE: &str = "TERRANE_AGE_IDENTITY";

const METHODS: [&str; 3] = ["kms", "passphrase", "age"];

/// The schema of `[terrane.encryption]`.
pub fn schema() -> Block {
    let text = |name, doc| optional(name, Type::String).doc(doc);
    let methods = || {
        let passphrase = block(
            [
                text(
                    "env",
                    "The variable of the environment that has it; TERRANE_STATE_PASSPHRASE unless said.",
                ),
                text("file", "The file that has it."),
                text("passphrase", "The passphrase itself. Who can read the spec can read the state then.")
                    .sensitive(),
            ],
            [],
        );
        let age = block(
            [
                text("identity_file", "The file of the identities that open it."),
                optional("recipients", Type::list(Type::String)).doc("For whom it is encrypted: `age1…`."),
            ],
            [],
        );
        vec![
            nested("age", Nesting::List, age).max(1).doc("For recipients of age."),
            nested("kms", Nesting::List, terrane_aws::state_key::schema()).max(1).doc("By a KMS key."),
            nested("passphrase", Nesting::List, passphrase).max(1).doc("From a passphrase."),
        ]
    };
    let fallback = nested("fallback", Nesting::List, block([], methods()))
        .max(1)
        .doc("Methods that open what was encrypted earlier.");
    let plain = optional("allow_unencrypted", Type::Bool).doc("Read what is in the clear.");
    block([plain], methods().into_iter().chain([fallback]).collect::<Vec<_>>())
}

/// The encryption of the current stack, made once. Nothing where the spec says nothing.
///
/// # Errors
/// What is wrong with it.
pub fn of(module: &Module, sources: &Sources) -> Result<Option<Arc<Sealing>>, Problem> {
    static MADE: OnceLock<Option<Arc<Sealing>>> = OnceLock::new();
    if let Some(made) = MADE.get() {
        return Ok(made.clone());
    }
    let made = make(module, sources, None)?.map(Arc::new);
    Ok(MADE.get_or_init(|| made).clone())
}

/// What is wrong with the arguments, without any call.
///
/// # Errors
/// Everything.
pub fn verify(module: &Module) -> Result<Option<Value>, Diagnostics> {
    let Some(encryption) = &module.settings.encryption else { return Ok(None) };
    let at = |diagnostic: Diagnostic| vec![diagnostic.at(encryption.span)];
    let invalid = |detail: &str| at(Diagnostic::error("invalid-encryption", "Unusable encryption", detail));
    let Some(arguments) = encryption.body.as_literal() else {
        return Err(invalid(
            "The arguments must be fixed values: the state is read before anything can be referred to.",
        ));
    };
    let schema = schema();
    let (config, mut problems) = conform(arguments, &schema);
    problems.extend(check(&config, &schema));
    if !problems.is_empty() {
        let told = |p: &terrane_model::conform::Problem| {
            let place = match p.code {
                "unknown-argument" => encryption.places.key_at(&p.path),
                _ => encryption.places.at(&p.path),
            };
            Diagnostic::error(p.code, p.summary, p.detail.clone()).at(place)
        };
        return Err(problems.iter().map(told).collect());
    }
    let primary = METHODS.iter().filter(|name| only(&config, name).is_some()).count();
    match primary {
        0 if truth(&config, "allow_unencrypted") && only(&config, "fallback").is_some() => Ok(Some(config)),
        0 => Err(invalid(
            "There is no method: name one of `kms`, `passphrase` and `age`. To go back to a state in the clear, keep the old \
             method under `fallback` and say `allow_unencrypted = true`.",
        )),
        1 => Ok(Some(config)),
        _ => Err(invalid(
            "There is more than one method. The others belong under `[terrane.encryption.fallback]`.",
        )),
    }
}

/// The permissions that the encryption of the state takes; nothing where no KMS key has a part in it.
pub fn permissions(module: &Module, ground: &Ground<'_>) -> Option<Permissions> {
    let config = verify(module).ok().flatten()?;
    let settings = KeySettings::read(only(&config, "kms")?).ok()?;
    Some(terrane_aws::state_key::permissions(&settings, ground))
}

/// The same for a migration, which also reads what is in the clear.
///
/// # Errors
/// What is wrong with it.
pub fn migrating(module: &Module, sources: &Sources) -> Result<Option<Sealing>, Problem> {
    make(module, sources, Some(Plain::Read))
}

fn make(module: &Module, sources: &Sources, plain: Option<Plain>) -> Result<Option<Sealing>, Problem> {
    let Some(config) = verify(module).map_err(|errors| Problem::new(errors, sources))? else {
        return Ok(None);
    };
    let span = module.settings.encryption.as_ref().map(|encryption| encryption.span);
    let at = |error: Diagnostic| Problem::new(vec![error.at(span)], sources);
    let primary = methods(&config, &module.settings).map_err(at)?.pop();
    let fallback = only(&config, "fallback").map(|config| methods(config, &module.settings));
    let fallback = fallback.transpose().map_err(at)?.unwrap_or_default();
    let said = if truth(&config, "allow_unencrypted") { Plain::Read } else { Plain::Refused };
    Ok(Some(Sealing::new(primary, fallback, plain.unwrap_or(said))))
}

fn only<'v>(config: &'v Value, name: &str) -> Option<&'v Value> {
    config.get(name)?.index(0)
}

fn truth(config: &Value, name: &str) -> bool {
    config.get(name).and_then(Value::as_bool) == Some(true)
}

fn filled(config: &Value, name: &str) -> Option<String> {
    config.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn methods(config: &Value, settings: &Settings) -> Result<Vec<Box<dyn Method>>, Diagnostic> {
    let mut methods: Vec<Box<dyn Method>> = Vec::new();
    for name in METHODS {
        let Some(inside) = only(config, name) else { continue };
        methods.push(match name {
            "kms" => Box::new(kms(inside, settings)?),
            "passphrase" => Box::new(Passphrase::new(passphrase(inside)?)?),
            _ => Box::new(age(inside)?),
        });
    }
    Ok(methods)
}

fn kms(config: &Value, engine: &Settings) -> Result<StateKey, Diagnostic> {
    let settings = KeySettings::read(config).map_err(|problems| {
        let details: Vec<String> = problems.into_iter().map(|problem| problem.detail).collect();
        Diagnostic::error("invalid-encryption", "Unusable encryption", details.join(" "))
    })?;
    let sandbox = if in_sandbox() { Some(session::embedded(engine)?) } else { None };
    StateKey::open(settings, sandbox)
}

fn passphrase(config: &Value) -> Result<Zeroizing<String>, Diagnostic> {
    if let Some(text) = filled(config, "passphrase") {
        return Ok(Zeroizing::new(text));
    }
    if let Some(file) = filled(config, "file") {
        let text = Zeroizing::new(read_secret(&file)?);
        return Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()));
    }
    let name = filled(config, "env").unwrap_or_else(|| PASSPHRASE_VARIABLE.to_owned());
    std::env::var(&name).map(Zeroizing::new).ok().filter(|text| !text.is_empty()).ok_or_else(|| {
        let detail = format!("The passphrase of the state is not given: the variable {name} is not set.");
        Diagnostic::error("no-passphrase", "No passphrase", detail)
            .hint("Set it, or name a file that has it with `file` in `[terrane.encryption.passphrase]`.")
    })
}

fn age(config: &Value) -> Result<Age, Diagnostic> {
    let recipients = config.get("recipients").map(Value::elements).unwrap_or_default();
    let recipients: Vec<String> = recipients.iter().filter_map(|r| r.as_str().map(str::to_owned)).collect();
    let identities = match filled(config, "identity_file") {
        Some(file) => read_secret(&file)?,
        None => std::env::var(IDENTITY_VARIABLE).unwrap_or_default(),
    };
    Age::new(&recipients, &Zeroizing::new(identities))
}

fn read_secret(file: &str) -> Result<String, Diagnostic> {
    fs::read_to_string(file).map_err(|error| {
        let detail = format!("The file `{file}` of `[terrane.encryption]` can't be read: {error}.");
        Diagnostic::error("unreadable-file", "File not readable", detail)
    })
}

/// A plan file as it is to be written: encrypted as the spec says; without that, sealed with the key of plans when secrets are in
/// it. Answers also whether that key is one of this folder alone.
///
/// # Errors
/// When it can't be.
pub fn plan_to_file(
    plan: &Plan,
    bytes: &[u8],
    module: &Module,
    sources: &Sources,
) -> Result<(Vec<u8>, bool), Problem> {
    if let Some(sealing) = of(module, sources)? {
        return Ok((sealing.seal(Purpose::Plan, None, bytes)?, false));
    }
    if !plan.holds_secrets() {
        return Ok((bytes.to_vec(), false));
    }
    let given = plan_key_of_environment()?;
    let here = given.is_none();
    let key = match given {
        Some(key) => key,
        None => plan_key_of_folder()?,
    };
    let sealing = Sealing::new(Some(Box::new(Given::new(key))), vec![], Plain::Refused);
    Ok((sealing.seal(Purpose::Plan, None, bytes)?, here))
}

/// The plan in a file.
///
/// # Errors
/// When it does not open.
pub fn plan_from_file(file: &Path, bytes: Vec<u8>) -> Result<Vec<u8>, Problem> {
    let place = file.display().to_string();
    match method_of(&bytes).as_deref() {
        Some("key") => {
            let key = match plan_key_of_environment()? {
                Some(key) => key,
                None => existing_plan_key(&place)?,
            };
            let sealing = Sealing::new(Some(Box::new(Given::new(key))), vec![], Plain::Refused);
            let opened = sealing.open(Purpose::Plan, &place, &bytes);
            opened.map_err(|error| elsewhere(error.diagnostic()).into())
        }
        method => {
            let (module, sources) = folder_settings()?;
            match (of(&module, &sources)?, method) {
                (Some(sealing), _) => Ok(sealing.open(Purpose::Plan, &place, &bytes)?),
                (None, None) => Ok(bytes),
                (None, Some(method)) => {
                    let detail = format!(
                        "`{place}` is encrypted with the method `{method}`, and the spec of this folder has no `[terrane.encryption]`."
                    );
                    Err(Diagnostic::error("encryption", "Not decryptable", detail).into())
                }
            }
        }
    }
}

/// A file that is shown: a plan, or a state.
///
/// # Errors
/// When it does not open.
pub fn file_in_the_clear(file: &Path, bytes: Vec<u8>) -> Result<Vec<u8>, Problem> {
    match (version_of(&bytes), method_of(&bytes)) {
        (Ok(_), Some(_)) => {
            let (module, sources) = folder_settings()?;
            let place = file.display().to_string();
            let sealing =
                of(&module, &sources)?.unwrap_or_else(|| Arc::new(Sealing::new(None, vec![], Plain::Read)));
            Ok(sealing.open(Purpose::State, &place, &bytes)?)
        }
        (Ok(_), None) => Ok(bytes),
        (Err(_), _) => plan_from_file(file, bytes),
    }
}

fn elsewhere(error: Diagnostic) -> Diagnostic {
    error.hint(format!(
        "A plan with secrets is sealed with the key in `{PLAN_KEY}` of the folder that it was made in. For another machine set \
         {PLAN_KEY_VARIABLE} to the same key for both commands (`openssl rand -base64 32` makes one), or use \
         `[terrane.encryption]`."
    ))
}

fn plan_key_of_environment() -> Result<Option<[u8; 32]>, Diagnostic> {
    let text = std::env::var(PLAN_KEY_VARIABLE).map(Zeroizing::new).unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    key_of(&text).map(Some).ok_or_else(|| {
        let detail = format!("{PLAN_KEY_VARIABLE} must be 32 bytes as base64.");
        Diagnostic::error("plan-key", "Unusable key of plans", detail)
            .hint("`openssl rand -base64 32` makes one.")
    })
}

fn key_of(text: &str) -> Option<[u8; 32]> {
    BASE64.decode(text.trim()).ok()?.try_into().ok()
}

fn existing_plan_key(place: &str) -> Result<[u8; 32], Diagnostic> {
    let text = fs::read_to_string(PLAN_KEY).map(Zeroizing::new).unwrap_or_default();
    key_of(&text).ok_or_else(|| {
        let detail = format!("`{place}` holds secrets and is sealed, and there is no key for it here.");
        elsewhere(Diagnostic::error("plan-key", "No key for the plan", detail))
    })
}

/// The key of this folder; made when there is none.
fn plan_key_of_folder() -> Result<[u8; 32], Diagnostic> {
    let failed = |error: std::io::Error| {
        let detail = format!("The key for plans with secrets can't be kept in `{PLAN_KEY}`: {error}.");
        Diagnostic::error("plan-key", "Unusable key of plans", detail)
    };
    if let Ok(text) = fs::read_to_string(PLAN_KEY).map(Zeroizing::new) {
        return key_of(&text).ok_or_else(|| failed(std::io::ErrorKind::InvalidData.into()));
    }
    let key = terrane_state::seal::new_key()?;
    if let Some(folder) = Path::new(PLAN_KEY).parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let text = Zeroizing::new(format!("{}\n", BASE64.encode(key.as_slice())));
    let written = options.open(PLAN_KEY).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(failed)?;
    Ok(*key)
}
