//! The work that plan, apply and destroy share: from a folder to a plan, with the state locked meanwhile.

use std::future::Future;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use terrane_model::{Diagnostic, Diagnostics};
use terrane_plan::plan::Mode;
use terrane_plan::{Draft, Input, Observed, Options, Plan, Scene, Selection, Targeting, build};
use terrane_provider::Catalog;
use terrane_reconcile::{Found, Recovery, Sessions, Stop, look, observe, recover};
use terrane_state::journal::Operation;
use terrane_state::{Access, Backend, LockInfo, StateError, Store};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::{Global, Lock, Planning, Variables};
use crate::exit::{Problem, let_go};
use crate::functions;
use crate::generated::{self, Generation};
use crate::progress::Progress;
use crate::session;
use crate::stack::{Stack, VERSION};
use crate::terminal::Terminal;
use crate::whereabouts;

/// How often a lock that somebody else has is looked at again.
pub const LOCK_PAUSE: Duration = Duration::from_millis(500);

/// A stack at work.
pub struct Work {
    pub stack: Stack,
    pub catalog: Catalog,
    pub store: Store,
    pub folder: PathBuf,
    /// When this work began: what `plantimestamp` gives.
    pub plan_time: String,
    pub terminal: Terminal,
    /// Whether the plan is only looked at: an assertion that does not hold is a warning then.
    pub only_look: bool,
    /// Where resources are written that imports lead to; absent: an import must lead to one of the spec.
    pub generation: Option<Generation>,
    in_sandbox: bool,
}

/// The time now, to the second.
pub fn now() -> String {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default()
}

/// The current folder.
///
/// # Errors
/// When it is gone or may not be looked at.
pub fn current_folder() -> Result<PathBuf, Problem> {
    std::env::current_dir().map_err(|error| {
        let detail = format!("The current folder can't be told: {error}.");
        Diagnostic::error("no-folder", "Folder not accessible", detail).into()
    })
}

/// Runs a future to its end on this thread.
///
/// # Errors
/// What the future answers, and when there can be no runtime.
pub fn block_on<T>(future: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        let detail = format!("The runtime for calls could not be started: {error}.");
        Problem::from(Diagnostic::error("no-runtime", "No runtime", detail))
    })?;
    let result = runtime.block_on(future);
    // A question that nobody answered any more may still wait for its line.
    runtime.shutdown_background();
    result
}

/// The future's answer, or that the run was interrupted. Only for what nothing is lost by when it is dropped.
///
/// # Errors
/// What the future answers, and the interruption.
pub async fn unless_stopped<T>(
    stop: &Stop,
    future: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    if stop.gently() {
        return Err(Problem::interrupted());
    }
    tokio::select! {
        result = future => result,
        () = stop.asked() => Err(Problem::interrupted()),
    }
}

/// What this command says in a lock.
pub fn lock_info(operation: &str, place: &str) -> LockInfo {
    LockInfo {
        id: uuid::Uuid::new_v4().to_string(),
        operation: operation.to_owned(),
        who: format!("{}@{}", user(), host()),
        version: VERSION.to_owned(),
        created: now(),
        path: place.to_owned(),
        process: terrane_aws::s3_backend::this_process().unwrap_or_default(),
        ..LockInfo::default()
    }
}

/// Takes the state's lock, reads it, and brings in what a run that died had done.
///
/// # Errors
/// What the state has to say.
pub fn open_store(
    backend: Box<dyn Backend>,
    lock: &Lock,
    operation: &str,
    lineage: &str,
    terminal: &Terminal,
) -> Result<Store, Problem> {
    let info = lock_info(operation, &backend.place());
    let deadline = Instant::now() + lock.lock_timeout;
    let mut told = false;
    let mut again = |refusal: &StateError| {
        if Instant::now() >= deadline {
            return false;
        }
        if !told {
            told = true;
            terminal.tell(&format!("{refusal}. Waiting for it...\n"));
        }
        std::thread::sleep(LOCK_PAUSE.min(deadline.saturating_duration_since(Instant::now())));
        true
    };
    let access = match lock.lock {
        true => Access::Locked { info: &info, again: &mut again },
        false => Access::Unlocked,
    };
    let store = Store::begin(backend, lineage, access)?;
    let left_over = store.recovered();
    if let Some(dead) = &left_over.abandoned_lock {
        let (who, operation, created) = (&dead.who, &dead.operation, &dead.created);
        terminal.tell(&format!(
            "The lock of {who} ({operation}, {created}) was left over from a process that died.\n"
        ));
    }
    for address in &left_over.merged {
        terminal.tell(&format!("{address}: What an interrupted run did is taken over from the journal.\n"));
    }
    Ok(store)
}

fn user() -> String {
    let named = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    named("USER").or_else(|| named("LOGNAME")).unwrap_or_else(|| "unknown".to_owned())
}

fn host() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = kernel.map(|name| name.trim().to_owned()).or_else(|| std::env::var("HOSTNAME").ok());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

/// Refuses to move things in a state of which a run that died has left something open.
///
/// # Errors
/// When there is something open.
pub fn nothing_open(store: &Store) -> Result<(), Problem> {
    let open: Vec<String> =
        store.open_intents().values().map(|intent| format!("`{}`", intent.address)).collect();
    if open.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "A run was interrupted while it worked on {}, and nobody has looked yet what became of it.",
        open.join(", ")
    );
    let error = Diagnostic::error("unfinished-run", "Unfinished run", detail);
    Err(error.hint("`terrane plan` looks, and takes over what was made.").into())
}

impl Work {
    /// Reads the stack of the current folder and locks its state.
    ///
    /// # Errors
    /// What is wrong with either.
    pub fn begin(
        global: &Global,
        planning: &Planning,
        operation: &str,
        terminal: &Terminal,
    ) -> Result<Work, Problem> {
        Work::open(global, &planning.variables, &planning.lock, operation, terminal)
    }

    /// The same for a command that does not plan.
    ///
    /// # Errors
    /// What is wrong with either.
    pub fn open(
        global: &Global,
        variables: &Variables,
        lock: &Lock,
        operation: &str,
        terminal: &Terminal,
    ) -> Result<Work, Problem> {
        let catalog = session::catalog();
        let folder = current_folder()?;
        let plan_time = now();
        let functions = functions::planning(&folder, &plan_time);
        let stack = Stack::load(variables, &catalog, &functions, terminal)?;
        let lineage = uuid::Uuid::new_v4().to_string();
        let store = open_store(stack.backend()?, lock, operation, &lineage, terminal)?;
        let (in_sandbox, terminal) = (global.sandbox, terminal.clone());
        Ok(Work {
            stack,
            catalog,
            store,
            folder,
            plan_time,
            terminal,
            only_look: false,
            generation: None,
            in_sandbox,
        })
    }

    /// The same for the stack of a saved plan.
    ///
    /// # Errors
    /// What is wrong with the state.
    pub fn resume(
        global: &Global,
        stack: Stack,
        catalog: Catalog,
        lock: &Lock,
        lineage: &str,
        plan_time: String,
        terminal: &Terminal,
    ) -> Result<Work, Problem> {
        let folder = current_folder()?;
        let store = open_store(stack.backend()?, lock, "OperationTypeApply", lineage, terminal)?;
        let (in_sandbox, terminal) = (global.sandbox, terminal.clone());
        Ok(Work {
            stack,
            catalog,
            store,
            folder,
            plan_time,
            terminal,
            only_look: false,
            generation: None,
            in_sandbox,
        })
    }

    /// Configures the providers and plans. An interruption ends it at once: nothing is under way that could be lost.
    ///
    /// # Errors
    /// What goes wrong on the way.
    pub async fn connect_and_plan(
        &mut self,
        mode: Mode,
        planning: &Planning,
        progress: &Progress,
        stop: &Stop,
    ) -> Result<(Sessions, Plan), Problem> {
        unless_stopped(stop, async {
            let sessions = self.connect(None, progress).await?;
            let plan = self.plan(&sessions, mode, planning, progress, stop).await?;
            Ok((sessions, plan))
        })
        .await
    }

    /// Configures the providers, and looks what became of what a run that died had begun. `planned` is what is going to be
    /// carried out, where that is known already.
    ///
    /// # Errors
    /// What the providers have to say.
    pub async fn connect(
        &mut self,
        planned: Option<&Plan>,
        progress: &Progress,
    ) -> Result<Sessions, Problem> {
        let functions = functions::planning(&self.folder, &self.plan_time);
        let snapshot = self.store.snapshot();
        let configured =
            session::configured(&self.stack, snapshot, &self.catalog, &functions, self.in_sandbox)?;
        let in_sandbox = configured.in_sandbox();
        if let Some(plan) = planned {
            whereabouts::same_place(&plan.refreshed, in_sandbox)?;
        }
        whereabouts::settle(&mut self.store, in_sandbox)?;
        let sessions = configured.open().await?;
        if terrane_reconcile::unfinished(&self.store) {
            let recovered = recover(&mut self.store, &self.catalog, &sessions, progress).await;
            let recovered = recovered.map_err(|errors| self.problem(errors))?;
            for recovery in &recovered {
                let note = recovery.note.as_ref().map(|note| format!(" {note}")).unwrap_or_default();
                self.terminal.tell(&format!("{}: {}{note}\n", recovery.address, outcome(recovery)));
            }
            self.store.commit()?;
        }
        Ok(sessions)
    }

    /// Looks at what is there and plans.
    ///
    /// # Errors
    /// What can't be read, and what can't be planned.
    async fn plan(
        &mut self,
        sessions: &Sessions,
        mode: Mode,
        planning: &Planning,
        progress: &Progress,
        stop: &Stop,
    ) -> Result<Plan, Problem> {
        let (catalog, parallelism, snapshot) = (&self.catalog, planning.reads(), self.store.snapshot());
        let targeting = targeting(planning);
        let scene = Scene {
            spec: &self.stack.spec,
            variables: self.stack.variables.clone(),
            workspace: self.stack.workspace.clone(),
            functions: functions::planning(&self.folder, &self.plan_time),
            snapshot,
            mode,
        };
        let selection = Selection::of(&targeting, &scene).map_err(|errors| self.problem(errors))?;
        let mut observed = match planning.refresh || mode == Mode::RefreshOnly {
            true => observe(&selection.of_state(snapshot), catalog, sessions, parallelism, progress, stop)
                .await
                .map_err(|errors| self.problem(errors))?,
            false => Observed::default(),
        };
        let facts = sessions.facts();
        let options = Options {
            mode,
            replace: planning.replace.iter().cloned().collect(),
            allow_destroy: planning.allow_destroy.iter().cloned().collect(),
            allow_lockout: planning.allow_lockout.iter().cloned().collect(),
            allow_key_deletion: planning.allow_key_deletion.iter().cloned().collect(),
            only_look: self.only_look,
            targeting,
            look_for_existing: planning.refresh,
            generate: self.generation.is_some(),
        };
        let plan = loop {
            let input = Input {
                spec: &self.stack.spec,
                variables: self.stack.variables.clone(),
                workspace: self.stack.workspace.clone(),
                functions: functions::planning(&self.folder, &self.plan_time),
                catalog,
                snapshot,
                observed: &observed,
                facts: &facts,
                options: &options,
            };
            match build(&input).map_err(|errors| self.problem(errors))? {
                Draft::Plan(mut plan) => {
                    let resources =
                        self.generation.as_ref().and_then(|generation| generation.resources.as_ref());
                    if let Some((undeclared, _)) = resources {
                        generated::keep_what_is(undeclared, &plan, catalog)
                            .map_err(|errors| self.problem(errors))?;
                        plan.generated = generated::by_address(undeclared, catalog)?;
                    }
                    break *plan;
                }
                Draft::Undeclared(undeclared) => {
                    let Some(generation) = &mut self.generation else {
                        return Err(generated::not_asked_for());
                    };
                    let text = generated::text(&undeclared, catalog)?;
                    let functions = functions::planning(&self.folder, &self.plan_time);
                    let name = generation.target.name();
                    let added = self.stack.add(name, text.clone(), &planning.variables, catalog, &functions);
                    added.map_err(generated::not_valid)?;
                    generation.resources = Some((undeclared, text));
                }
                Draft::Needs(needs) => {
                    look(needs, &mut observed, catalog, sessions, parallelism, progress)
                        .await
                        .map_err(|errors| self.problem(errors))?;
                }
            }
        };
        let_go(observed);
        Ok(plan)
    }

    /// Keeps the store, which ends here, from giving the resources of its snapshot back one by one.
    pub fn let_go_of_shared(&self) {
        let_go(self.store.snapshot().clone());
    }

    /// Messages that point into the stack's files.
    pub fn problem(&self, errors: Diagnostics) -> Problem {
        Problem::new(errors, &self.stack.spec.sources)
    }

    /// Gives the lock back; writes the state only where something is to be written.
    ///
    /// # Errors
    /// What the state has to say.
    pub fn leave(self) -> Result<(), Problem> {
        self.let_go_of_shared();
        let_go(self.stack);
        match self.store.pending() {
            0 => self.store.leave()?,
            _ => drop(self.store.finish()?),
        }
        Ok(())
    }
}

/// What the command line limits the plan to.
fn targeting(planning: &Planning) -> Targeting {
    Targeting {
        targets: planning.target.clone(),
        dependents: planning.target_dependents,
        excludes: planning.exclude.clone(),
    }
}

/// What became of something that a run that died had begun.
fn outcome(recovery: &Recovery) -> &'static str {
    match (recovery.operation, recovery.found) {
        (_, Found::Adopted) => "An interrupted run had made it. It was found, and is in the state now.",
        (_, Found::Cleared) => {
            "An interrupted run had made it, and nobody saw the answer, without which it is of no use."
        }
        (_, Found::Doubtful) => "An interrupted run may have made it.",
        (_, Found::NotMade) => "An interrupted run was about to make it. It was not made.",
        (_, Found::Gone) => "An interrupted run was about to delete it. It is gone.",
        (Operation::Delete, Found::There) => "An interrupted run was about to delete it. It is still there.",
        (_, Found::There) => "An interrupted run was changing it. What it is like now is read anew.",
    }
}
