//! `terrane access verify`: the assertions of the spec carried out for real, as the principals that they speak of.
//!
//! Nothing is planned: the assertions are evaluated over the state, so what is tried is what was applied. Each user of the
//! stack gets an access key for the time of the command, each role is assumed, and each action is called in the harmless form
//! that [`terrane_aws::attempt`] knows. What came back is laid beside what was asserted and what the proof says. The keys are
//! removed again however it went; where the process dies, by the next `verify` or `apply`.

mod actors;
mod trials;

use std::collections::BTreeMap;

use terrane_aws::attempt::{
    Attempt, Circumstances, Happened, Kind, Reserved, depends_on_kind, kind, reserved,
};
use terrane_aws::client::Clients;
use terrane_model::{Diagnostic, Diagnostics};
use terrane_plan::access::{account, assertions_now};
use terrane_reconcile::{Sessions, Stop};

use self::actors::{Actor, Actors};
pub use self::trials::{Outcome, Trial, Untried};
use crate::cli::{Global, Verify};
use crate::commands::console::filled;
use crate::exit::{Ended, Exit, Problem};
use crate::functions;
use crate::leftovers;
use crate::progress::Progress;
use crate::render::{verify_json, verify_text};
use crate::signals::{self, Words};
use crate::terminal::Terminal;
use crate::whereabouts::says_sandbox;
use crate::work::{Work, block_on, unless_stopped};

/// What is said when somebody interrupts.
const WORDS: Words = Words {
    gently: "\nInterrupt received. The call under way is finished, and the temporary access keys are removed. Once more to stop at \
             once.\n",
    at_once: "\nStopping at once.\n",
};

/// Runs the command.
pub fn run(global: &Global, arguments: &Verify, terminal: &Terminal) -> Ended {
    let mut work =
        Work::open(global, &arguments.variables, &arguments.lock, "OperationTypeVerify", terminal)?;
    let ended = block_on(async {
        let stop = Stop::default();
        signals::listen_saying(&stop, terminal, WORDS);
        let progress = Progress::silent(terminal);
        let sessions = unless_stopped(&stop, work.connect(None, &progress)).await?;
        verify(&work, &sessions, arguments, terminal, &stop).await
    });
    let left = work.leave();
    let exit = ended?;
    left?;
    Ok(exit)
}

async fn verify(
    work: &Work,
    sessions: &Sessions,
    arguments: &Verify,
    terminal: &Terminal,
    stop: &Stop,
) -> Ended {
    // Dropped between two calls, it leaves the notes as they were.
    let tidied = leftovers::tidied(&work.store, sessions, terminal);
    let ledger = unless_at_once(stop, tidied).await?;
    if stop.gently() {
        return Ok(Exit::Interrupted);
    }
    let snapshot = work.store.snapshot();
    let functions = functions::planning(&work.folder, &work.plan_time);
    let world = filled(&work.stack, Some(snapshot), &work.catalog, functions)?;
    let mut errors = Diagnostics::new();
    let account = account(&sessions.facts());
    let (estate, claims) = assertions_now(&world, snapshot, &work.catalog, account.as_deref(), &mut errors);
    if !errors.is_empty() {
        return Err(work.problem(errors));
    }
    let mut trials = trials::all(&estate, &claims, sessions, arguments.write);
    let mut actors = Actors::of(&estate, &trials, sessions, ledger);
    if !says_sandbox(snapshot)
        && !arguments.applying.auto_approve
        && !approved(&actors, terminal, stop).await?
    {
        terminal.say("\nVerification cancelled.\n");
        return Ok(Exit::Failed);
    }
    // However the tries go, the keys are removed; if there is no time for that, they stay noted.
    let tried = unless_at_once(stop, all(&mut trials, &mut actors, sessions, stop)).await;
    let removed = actors.leave(terminal, stop).await;
    if stop.gently() {
        removed?;
        return Ok(Exit::Interrupted);
    }
    tried?;
    terminal.say(&match terminal.json {
        true => format!("{:#}\n", verify_json::report(&estate, &trials)),
        false => verify_text::report(&estate, &trials, terminal.paint),
    });
    removed?;
    Ok(match (trials.iter().all(Trial::agrees), trials.iter().any(Trial::is_untried)) {
        (false, _) => Exit::Failed,
        (true, true) if arguments.detailed_exitcode => Exit::Changes,
        (true, _) => Exit::Done,
    })
}

/// Says which keys are going to be made, and asks. Without any there is nothing to ask.
async fn approved(actors: &Actors<'_>, terminal: &Terminal, stop: &Stop) -> Result<bool, Problem> {
    let users = actors.users();
    if users.is_empty() {
        return Ok(true);
    }
    if terminal.json || !terminal.can_ask {
        let detail = format!(
            "To act as {} takes a temporary access key each, and nobody can be asked whether it may be made.",
            users.join(" and ")
        );
        return Err(Diagnostic::error("not-approved", "Nobody to ask", detail)
            .hint("`--auto-approve` makes them without asking, and removes them again.")
            .into());
    }
    let list: String = users.iter().map(|user| format!("  {user}\n")).collect();
    let question = format!(
        "For the time of this command a temporary access key is made for:\n{list}\nDo you want to make them?\n  They are removed \
         again in the end. Only 'yes' will be accepted to approve.\n\n  Enter a value: "
    );
    let asking = {
        let terminal = terminal.clone();
        tokio::task::spawn_blocking(move || terminal.ask(&question))
    };
    tokio::select! {
        answer = asking => Ok(answer.ok().flatten().is_some_and(|text| text.trim() == "yes")),
        () = stop.asked() => Err(Problem::interrupted()),
    }
}

/// The future's answer, or that everything must end now.
async fn unless_at_once<T>(
    stop: &Stop,
    future: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    tokio::select! {
        biased;
        () = stop.asked_at_once() => Err(Problem::interrupted()),
        result = future => result,
    }
}

/// What is known of what calls are made on, looked at as the identity that deploys.
#[derive(Default)]
struct Looked {
    /// The key that no item of a table has, or why there is none.
    tables: BTreeMap<String, Result<Reserved, String>>,
    /// What kind of key it is, or why that can't be told.
    keys: BTreeMap<String, Result<Kind, String>>,
}

/// Makes every try, until somebody asks to stop. The same question of two assertions is tried once.
async fn all(
    trials: &mut [Trial],
    actors: &mut Actors<'_>,
    sessions: &Sessions,
    stop: &Stop,
) -> Result<(), Problem> {
    let mut looked = Looked::default();
    let mut done: BTreeMap<(String, String, String, Circumstances), Outcome> = BTreeMap::new();
    for trial in trials {
        if stop.gently() {
            return Ok(());
        }
        if !matches!(trial.outcome, Outcome::Pending) {
            continue;
        }
        let circumstances = trial.circumstances.clone();
        let question = (trial.principal.clone(), trial.action.clone(), trial.resource.clone(), circumstances);
        let outcome = match done.get(&question) {
            Some(outcome) => outcome.clone(),
            None => one(trial, actors, &mut looked, sessions, stop).await?,
        };
        done.insert(question, outcome.clone());
        trial.outcome = outcome;
    }
    Ok(())
}

async fn one(
    trial: &Trial,
    actors: &mut Actors<'_>,
    looked: &mut Looked,
    sessions: &Sessions,
    stop: &Stop,
) -> Result<Outcome, Problem> {
    let tags = trial.circumstances.session_tags();
    let actor = match actors.of_principal(&trial.principal, tags, stop).await? {
        Ok(actor) => actor,
        Err(why) => return Ok(Outcome::Untried(why)),
    };
    if stop.gently() {
        return Ok(Outcome::Pending);
    }
    let untried = |why| Ok(Outcome::Untried(why));
    let (table, key);
    let mut attempt = Attempt {
        action: &trial.action,
        resource: &trial.resource,
        caller: &trial.principal,
        reserved: None,
        kind: None,
        circumstances: &trial.circumstances,
    };
    if trial.action.starts_with("dynamodb:") {
        match looked.table(trials::table_of(&trial.resource), sessions).await {
            Ok(reserved) => {
                if let Err(why) = trial.circumstances.suit(&trial.action, &reserved) {
                    return untried(Untried::Context(why));
                }
                table = reserved;
                attempt.reserved = Some(&table);
            }
            Err(why) => return untried(Untried::NoTable(why)),
        }
    }
    if depends_on_kind(&trial.action) {
        match looked.key(&trial.resource, sessions).await {
            Ok(kind) if kind.has(&trial.action, trial.circumstances.has_encryption_context()) => {
                key = kind;
                attempt.kind = Some(&key);
            }
            Ok(_) => return untried(Untried::OtherKind),
            Err(why) => return untried(Untried::NoKey(why)),
        }
    }
    Ok(made(&attempt, &actor, stop).await)
}

/// Makes the call. A new key takes a moment to get around, and each service hears of it in its own time.
async fn made(attempt: &Attempt<'_>, actor: &Actor, stop: &Stop) -> Outcome {
    let clients = actor.clients(trials::region_of(attempt.resource));
    loop {
        let happened = attempt.make(&clients).await;
        if let Some(other) = trials::beside(attempt.action, &happened) {
            return Outcome::Untried(Untried::Beside(other));
        }
        if !happened.key_is_unknown() || !actor.may_be_new() || stop.gently() {
            return Outcome::Tried(happened);
        }
        tokio::select! {
            () = tokio::time::sleep(actors::PAUSE) => {}
            () = stop.asked() => {}
        }
    }
}

impl Looked {
    async fn table(&mut self, table: &str, sessions: &Sessions) -> Result<Reserved, String> {
        once(&mut self.tables, table, sessions, async |clients| reserved(clients, table).await).await
    }

    async fn key(&mut self, key: &str, sessions: &Sessions) -> Result<Kind, String> {
        once(&mut self.keys, key, sessions, async |clients| kind(clients, key).await).await
    }
}

/// What is known of a resource, looked at if it was not yet.
async fn once<T: Clone>(
    known: &mut BTreeMap<String, Result<T, String>>,
    arn: &str,
    sessions: &Sessions,
    look: impl AsyncFnOnce(&Clients) -> Result<T, terrane_provider::Error>,
) -> Result<T, String> {
    if let Some(found) = known.get(arn) {
        return found.clone();
    }
    let found = match clients_for(arn, sessions) {
        Ok(clients) => look(&clients).await.map_err(|error| error.to_string()),
        Err(why) => Err(why),
    };
    known.insert(arn.to_owned(), found.clone());
    found
}

/// The clients of the identity that deploys, where a resource is.
fn clients_for(arn: &str, sessions: &Sessions) -> Result<Clients, String> {
    let owner = arn.split(':').nth(4).unwrap_or_default();
    let session = leftovers::session_of(sessions, owner)
        .ok_or_else(|| format!("no provider of this stack works in the account {owner}"))?;
    let clients: &Clients = session.clients().map_err(|error| error.to_string())?;
    Ok(clients.elsewhere(trials::region_of(arn), None))
}

/// What came of a try, in one word and the error code.
pub fn code_of(happened: &Happened) -> Option<&str> {
    match happened {
        Happened::Allowed { code } | Happened::Failed { code, .. } => code.as_deref(),
        Happened::Refused { code, .. } => Some(code),
    }
}
