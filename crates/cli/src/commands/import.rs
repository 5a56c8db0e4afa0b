//! `terrane import`: takes an object that exists into the state, for a resource of the spec.

use terrane_model::nearest::nearest;
use terrane_model::{Address, Diagnostic, Mode};
use terrane_plan::World;
use terrane_plan::build::import::{held_by, state_object};
use terrane_plan::build::provider_of;
use terrane_plan::expand::instances;
use terrane_plan::graph::{graph, names_of};
use terrane_reconcile::{Stop, import};
use terrane_state::journal::{Change, Outcome};

use crate::cli::{Global, Import};
use crate::exit::{Ended, Exit, Problem};
use crate::functions;
use crate::progress::Progress;
use crate::signals;
use crate::terminal::Terminal;
use crate::work::{Work, block_on, unless_stopped};

/// Runs the command.
pub fn run(global: &Global, arguments: &Import, terminal: &Terminal) -> Ended {
    let address = &arguments.address;
    if address.resource.mode == Mode::Data {
        let detail = format!("`{address}` is a data source. Only resources are imported.");
        return Err(Problem::usage(Diagnostic::error("invalid-import", "Invalid import", detail)));
    }
    let Import { variables, lock, .. } = arguments;
    let mut work = Work::open(global, variables, lock, "OperationTypeImport", terminal)?;
    let taken = declared(&work, address).map_err(Problem::from).and_then(|()| {
        block_on(async {
            let stop = Stop::default();
            signals::listen(&stop, terminal);
            let progress = Progress::telling(terminal);
            unless_stopped(&stop, take(&mut work, arguments, &progress, terminal)).await
        })
    });
    if let Err(problem) = taken {
        let problem = Problem { sources: work.stack.spec.sources.clone(), ..problem };
        work.leave()?;
        return Err(problem);
    }
    work.store.finish()?;
    if !terminal.json {
        terminal.say(
            "\nImport successful!\n\nThe resources that were imported are shown above. These resources are now in\nyour \
             Terrane state and will henceforth be managed by Terrane.\n\n",
        );
    }
    Ok(Exit::Done)
}

/// Reads the object, and writes it into the state.
async fn take(
    work: &mut Work,
    arguments: &Import,
    progress: &Progress,
    terminal: &Terminal,
) -> Result<(), Problem> {
    let Import { address, id, .. } = arguments;
    let sessions = work.connect(None, progress).await?;
    if work.store.snapshot().get(address).is_some() {
        let detail = format!(
            "Terrane is already managing a remote object for {address}. To import to this address you must first remove \
             the existing object from the state."
        );
        let error = Diagnostic::error("already-managed", "Resource already managed by Terrane", detail);
        return Err(error.hint(format!("`terrane state rm '{address}'` removes it from the state.")).into());
    }
    if !terminal.json {
        let type_name = &address.resource.type_name;
        terminal.say(&format!(
            "{address}: Importing from ID {id:?}...\n{address}: Import prepared!\n  Prepared {type_name} for import\n"
        ));
    }
    let provider = provider_of(&work.stack.spec, &address.resource);
    let session = sessions.get(&provider, address)?;
    let found = import(address, id, &work.catalog, session, progress).await?;
    let Some(object) = found else {
        let detail = format!(
            "While attempting to import an existing object to \"{address}\", the provider detected that no object exists \
             with the given id. Only pre-existing objects can be imported; check that the id is correct and that it is \
             associated with the provider's configured region or endpoint, or use \"terrane apply\" to create a new \
             remote object for this resource."
        );
        return Err(Diagnostic::error(
            "import-not-found",
            "Cannot import non-existent remote object",
            detail,
        )
        .into());
    };
    let kind = work.catalog.resource(&address.resource.type_name).ok_or_else(|| no_such_type(address))?;
    if let Some(other) = held_by(work.store.snapshot(), kind.identity(), &object, &provider, address) {
        let detail = format!("`{id}` is managed already, as `{other}`. One object has one address.");
        let error = Diagnostic::error("already-managed", "Object managed already", detail);
        return Err(error
            .hint(format!("`terrane state mv '{other}' '{address}'` gives it the new address."))
            .into());
    }
    let graph = graph(&work.stack.spec).map_err(|errors| work.problem(errors))?;
    let object = state_object(&work.stack.spec, &graph, kind.as_ref(), address, &object)?;
    let put = Change::Put { provider: provider.state_name(), object: Box::new(object) };
    work.store.outcome(Outcome::of(address.clone(), None, put))?;
    Ok(())
}

/// Refuses an address that the spec has no instance for.
fn declared(work: &Work, address: &Address) -> Result<(), Diagnostic> {
    let spec = &work.stack.spec;
    let resource = &address.resource;
    if spec.module(&names_of(&resource.module)).is_none() {
        let detail = format!(
            "{} is not defined in the configuration. Please add configuration for this module before importing into it.",
            resource.module
        );
        return Err(Diagnostic::error("undeclared-module", "Import to non-existent module", detail));
    }
    let Some(declared) = spec.resource(resource) else {
        let module = spec.module(&names_of(&resource.module)).map(|module| &module.resources);
        let all: Vec<String> =
            module.into_iter().flatten().map(|(key, _)| key.address(&resource.module).to_string()).collect();
        let near = nearest(&resource.to_string(), all.iter().map(String::as_str));
        let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
        let detail = format!(
            "The spec has no resource `{resource}`.{near} Before importing this object, declare its resource. For \
             example:\n\n[resource.{}.{}]\n# (resource arguments)\n",
            resource.type_name, resource.name
        );
        let error = Diagnostic::error("undeclared-resource", "Undeclared resource", detail);
        return Err(error.hint(
            "An `[[import]]` entry and `terrane plan --generate-config-out generated.terrane.toml` write the resource \
             from the object.",
        ));
    };
    let functions = functions::planning(&work.folder, &work.plan_time);
    let world = World::new(spec, work.stack.variables.clone(), work.stack.workspace.clone(), functions);
    let scope = world.module_scope(&resource.module);
    let no_instance = || {
        let detail = format!(
            "The configuration for the given import {address} does not exist. All target instances must have an \
             associated configuration to be imported."
        );
        Diagnostic::error("undeclared-instance", "Configuration for import target does not exist", detail)
            .at(declared.span)
    };
    let paths = world.module_instances(&names_of(&resource.module));
    if paths.is_ok_and(|paths| !paths.contains(&resource.module)) {
        return Err(no_instance());
    }
    // What hangs on objects is for the plan to tell.
    match instances(declared.count.as_ref(), declared.for_each.as_ref(), &scope) {
        Ok(wanted) if wanted.iter().all(|wanted| wanted.key != address.key) => Err(no_instance()),
        _ => Ok(()),
    }
}

fn no_such_type(address: &Address) -> Diagnostic {
    let detail = format!("There is no resource type `{}`.", address.resource.type_name);
    Diagnostic::error("unknown-type", "Unknown resource type", detail)
}
