//! `terrane cost`: what the stack costs a month, and what the plan changes about it. The prices are in the program.

mod usage;

use std::fs;
use std::path::Path;

use terrane_cost::{Estimate, Item, Prices, Usage, estimate};
use terrane_model::json::implied;
use terrane_model::schema::Schemas;
use terrane_model::{Address, Diagnostic, Diagnostics, Sources, Value};
use terrane_plan::Plan;
use terrane_plan::codec::decode;
use terrane_plan::file::{FileError, read};
use terrane_plan::plan::Mode;
use terrane_reconcile::Stop;
use terrane_state::{Object, Snapshot, Store};

use crate::cli::{Cost as Arguments, Global};
use crate::exit::{Ended, Exit, Problem};
use crate::progress::Progress;
use crate::render::cost::{self, Sides};
use crate::render::cost_json;
use crate::session;
use crate::signals;
use crate::stack::state_backend;
use crate::terminal::Terminal;
use crate::work::{Work, block_on};

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments, terminal: &Terminal) -> Ended {
    let catalog = session::catalog();
    let (items, sides) = match (&arguments.file, arguments.state) {
        (Some(file), _) => of_file(file, &catalog)?,
        (None, true) => {
            let mut backend = state_backend()?;
            let snapshot = Store::peek(backend.as_mut())?;
            (snapshot.map(|snapshot| of_state(&snapshot, &catalog)).unwrap_or_default(), Sides::One)
        }
        (None, false) => (of_plan(&planned(global, arguments, terminal)?), Sides::Both),
    };
    let mut sources = Sources::default();
    let (usage, warnings) = match &arguments.usage {
        Some(file) => usage::read(file, &items, &mut sources)?,
        None => (Usage::default(), Diagnostics::new()),
    };
    terminal.report(&warnings, &sources);
    let estimate = priced(&items, &usage)?;
    terminal.say(&match terminal.json {
        true => format!("{}\n", cost_json::document(&estimate)),
        false => cost::table(&estimate, sides, terminal.paint),
    });
    Ok(Exit::Done)
}

/// Prices objects with the table of the program.
fn priced(items: &[Item], usage: &Usage) -> Result<Estimate, Problem> {
    let prices = Prices::embedded().map_err(|why| {
        let detail =
            format!("The table of prices in this program can't be read: {why}. Please report this bug.");
        Problem::from(Diagnostic::error("no-prices", "No prices", detail))
    })?;
    Ok(estimate(prices, items, usage))
}

/// What a plan costs without figures of the usage. Nothing when the table of the program can't be read, which
/// `terrane cost` says.
pub fn estimate_of(plan: &Plan) -> Option<Estimate> {
    priced(&of_plan(plan), &Usage::default()).ok()
}

/// Plans as `plan` does, and gives the state's lock back.
fn planned(global: &Global, arguments: &Arguments, terminal: &Terminal) -> Result<Plan, Problem> {
    let mut work = Work::begin(global, &arguments.planning, "OperationTypePlan", terminal)?;
    let planned = block_on(async {
        let stop = Stop::default();
        signals::listen(&stop, terminal);
        let progress = Progress::silent(terminal);
        work.connect_and_plan(Mode::Normal, &arguments.planning, &progress, &stop).await
    });
    if let Ok((_, plan)) = &planned {
        let warnings = [work.stack.warnings.as_slice(), plan.warnings.as_slice()].concat();
        terminal.report(&warnings, &work.stack.spec.sources);
    }
    work.leave()?;
    planned.map(|(_, plan)| plan)
}

/// The objects of a plan file, or else of a state file.
fn of_file(file: &Path, schemas: &dyn Schemas) -> Result<(Vec<Item>, Sides), Problem> {
    let unusable = |why: String| {
        let detail = format!("The file `{}` can't be priced: {why}.", file.display());
        Problem::from(Diagnostic::error("unusable-plan", "Unusable plan file", detail))
    };
    let bytes = fs::read(file).map_err(|error| unusable(error.to_string()))?;
    let bytes = crate::encryption::file_in_the_clear(file, bytes)?;
    match read(&bytes) {
        Ok((plan, _)) => Ok((of_plan(&plan), Sides::Both)),
        Err(FileError::NotAPlan) => match terrane_state::parse(&bytes) {
            Ok(snapshot) => Ok((of_state(&snapshot, schemas), Sides::One)),
            Err(_) => Err(unusable(FileError::NotAPlan.to_string())),
        },
        Err(error) => Err(unusable(error.to_string())),
    }
}

/// The objects of a plan, as they are and as they will be.
fn of_plan(plan: &Plan) -> Vec<Item> {
    let item = |change: &terrane_plan::Change| Item {
        address: change.address.clone(),
        deposed: change.deposed.clone(),
        provider: change.provider.to_string(),
        before: change.before.clone(),
        after: change.after.clone(),
        is_replaced: change.action.is_replace(),
    };
    plan.changes.iter().map(item).collect()
}

/// The objects of a state, which nothing changes.
fn of_state(snapshot: &Snapshot, schemas: &dyn Schemas) -> Vec<Item> {
    let item = |address: &Address, deposed: Option<&str>, provider: &str, object: &Object| {
        let value = value_of(address, object, schemas);
        Item {
            address: address.clone(),
            deposed: deposed.map(str::to_owned),
            provider: provider.to_owned(),
            before: Some(value.clone()),
            after: Some(value),
            is_replaced: false,
        }
    };
    let current =
        snapshot.current().map(|(address, provider, object)| item(&address, None, provider, object));
    let deposed = snapshot
        .deposed()
        .map(|(address, key, provider, object)| item(&address, Some(key), provider, object));
    current.chain(deposed).collect()
}

/// An object by its schema; one of a type that this version does not know as its text implies.
fn value_of(address: &Address, object: &Object, schemas: &dyn Schemas) -> Value {
    let schema = schemas.schema(address.resource.mode, &address.resource.type_name);
    let decoded = schema.and_then(|schema| decode(schema, &object.attributes, &object.sensitive).ok());
    decoded.unwrap_or_else(|| {
        Value::object(object.attributes.iter().map(|(name, json)| (name.as_str(), implied(json))))
    })
}
