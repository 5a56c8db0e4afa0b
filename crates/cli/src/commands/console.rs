//! `terrane console`: evaluates expressions over the stack's variables, its state and the outputs of its modules.
//!
//! On a terminal with line editing and a history; from a pipe one expression after the other, up to the first that has no
//! value. An expression with an open bracket goes on on the next line.

use std::io::BufRead;

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use terrane_expr::{Expr, FunctionContext, Origin, Reference, parse_expression, print_value};
use terrane_model::nearest::nearest;
use terrane_model::{Diagnostic, Diagnostics, Mode, ResourceAddress};
use terrane_plan::World;
use terrane_plan::codec::decode;
use terrane_plan::expand::Repetition;
use terrane_plan::graph::{graph, names_of};
use terrane_plan::world::evaluate_in;
use terrane_provider::Catalog;
use terrane_spec::ResourceKey;
use terrane_state::{Snapshot, Store};

use crate::cli::Variables;
use crate::exit::{Ended, Exit, Problem};
use crate::functions;
use crate::session;
use crate::stack::Stack;
use crate::terminal::Terminal;
use crate::work::{current_folder, now};

/// Beside the sandbox and the modules, and like them no part of the spec.
const HISTORY: &str = ".terrane/console_history";

/// Runs the command.
pub fn run(variables: &Variables, terminal: &Terminal) -> Ended {
    let catalog = session::catalog();
    let (folder, now) = (current_folder()?, now());
    let stack = Stack::load(variables, &catalog, &functions::planning(&folder, &now), terminal)?;
    let mut backend = stack.backend()?;
    let snapshot = Store::peek(backend.as_mut())?;
    let functions = FunctionContext { console: true, ..functions::applying(&folder, &now) };
    let world = filled(&stack, snapshot.as_ref(), &catalog, functions)?;
    terminal.report(&stack.warnings, &stack.spec.sources);
    match terminal.can_ask {
        true => converse(&world, &stack, terminal),
        false => answer_all(&world, &stack, terminal),
    }
}

/// The stack's values as far as the state knows them.
///
/// # Errors
/// When the spec has no graph.
pub fn filled<'s>(
    stack: &'s Stack,
    snapshot: Option<&Snapshot>,
    catalog: &Catalog,
    functions: FunctionContext,
) -> Result<World<'s>, Problem> {
    let mut world = World::new(&stack.spec, stack.variables.clone(), stack.workspace.clone(), functions);
    let Some(snapshot) = snapshot else { return Ok(world) };
    let problem = |errors: Diagnostics| Problem::new(errors, &stack.spec.sources);
    for node in &graph(&stack.spec).map_err(problem)?.sorted {
        // What hangs on an object that is not made yet has no instances to fill.
        for module in world.module_instances(&names_of(&node.module)).unwrap_or_default() {
            let resource = ResourceAddress { module, ..node.clone() };
            fill(&mut world, &resource, snapshot, catalog);
        }
    }
    Ok(world)
}

/// Gives the instances of one resource the values of the state. One that the state does not have stays unknown.
fn fill(world: &mut World<'_>, resource: &ResourceAddress, snapshot: &Snapshot, catalog: &Catalog) {
    let (Some(spec), Some(kept)) = (world.spec().resource(resource), snapshot.resource(resource)) else {
        return;
    };
    let data = catalog.data(&resource.type_name);
    let schema = match resource.mode {
        Mode::Managed => catalog.resource(&resource.type_name).map(|found| found.schema()),
        Mode::Data => data.map(|found| found.schema()),
    };
    let Some(schema) = schema else { return };
    world.declare(resource, Repetition::of(spec.count.as_ref(), spec.for_each.as_ref()));
    for (key, instance) in &kept.instances {
        let Some(object) = &instance.current else { continue };
        if let Ok(value) = decode(schema, &object.attributes, &object.sensitive) {
            world.set(&resource.instance(key.clone()), value);
        }
    }
}

/// The value of one expression as it is shown, or that it has none.
fn answer(text: &str, world: &World<'_>, stack: &Stack, terminal: &Terminal) -> Option<String> {
    let mut sources = stack.spec.sources.clone();
    let file = sources.add("<console>", text);
    let value = parse_expression(text, &Origin::linear(file, 0)).and_then(|expr| {
        declared(&expr, stack)?;
        Ok((expr.calls("type"), evaluate_in(&world.scope(), &expr)?))
    });
    match value {
        // A type is written as it is, not as the text that it is here.
        Ok((true, value)) if value.as_str().is_some() => value.as_str().map(|text| format!("{text}\n")),
        Ok((_, value)) => Some(format!("{}\n", print_value(&value))),
        Err(errors) => {
            terminal.report(&errors, &sources);
            None
        }
    }
}

/// Refuses resources that the spec does not declare. What it declares and the state does not have is unknown.
fn declared(expr: &Expr, stack: &Stack) -> Result<(), Diagnostics> {
    let declared = &stack.spec.root.resources;
    let mut errors = Diagnostics::new();
    for (reference, span, _) in expr.references() {
        let Reference::Resource { mode, type_name, name } = reference else { continue };
        let key = ResourceKey { mode: *mode, type_name: type_name.clone(), name: name.clone() };
        if !declared.contains_key(&key) {
            let written: Vec<String> = declared.keys().map(ToString::to_string).collect();
            let near = nearest(&key.to_string(), written.iter().map(|name| &**name));
            let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
            let detail = format!("There is no resource or data source `{key}`.{near}");
            errors.push(Diagnostic::error("undeclared-resource", "Undeclared resource", detail).at(span));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn answer_all(world: &World<'_>, stack: &Stack, terminal: &Terminal) -> Ended {
    let mut text = String::new();
    for line in std::io::stdin().lock().lines() {
        // Input that is not text ends it, as the end of the input does.
        let Ok(line) = line else { break };
        text.push_str(&line);
        if is_open(&text) {
            text.push('\n');
            continue;
        }
        let whole = std::mem::take(&mut text);
        match whole.trim() {
            "" => {}
            "exit" => return Ok(Exit::Done),
            expression => match answer(expression, world, stack, terminal) {
                Some(shown) => terminal.say(&shown),
                None => return Ok(Exit::Failed),
            },
        }
    }
    match text.trim() {
        "" => Ok(Exit::Done),
        rest => match answer(rest, world, stack, terminal) {
            Some(shown) => {
                terminal.say(&shown);
                Ok(Exit::Done)
            }
            None => Ok(Exit::Failed),
        },
    }
}

fn converse(world: &World<'_>, stack: &Stack, terminal: &Terminal) -> Ended {
    let Ok(mut editor) = DefaultEditor::new() else { return answer_all(world, stack, terminal) };
    // No history is no reason not to go on.
    let _ = editor.load_history(HISTORY);
    let mut text = String::new();
    loop {
        match editor.readline(if text.is_empty() { "> " } else { ": " }) {
            Ok(line) => text.push_str(&line),
            Err(ReadlineError::Interrupted) if !text.is_empty() => {
                text.clear();
                continue;
            }
            Err(_) => break,
        }
        if is_open(&text) {
            text.push('\n');
            continue;
        }
        let whole = std::mem::take(&mut text);
        match whole.trim() {
            "" => continue,
            "exit" => break,
            expression => {
                let _ = editor.add_history_entry(expression);
                if let Some(shown) = answer(expression, world, stack, terminal) {
                    terminal.say(&shown);
                }
            }
        }
    }
    let _ = std::fs::create_dir_all(".terrane").map(|()| editor.save_history(HISTORY));
    Ok(Exit::Done)
}

/// Whether a bracket or a heredoc of the text is still open.
fn is_open(text: &str) -> bool {
    let mut open: Vec<char> = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let quoted = open.last() == Some(&'"');
        match c {
            '\\' if quoted => drop(characters.next()),
            '"' if quoted => drop(open.pop()),
            '"' => open.push('"'),
            '$' | '%' if quoted && characters.peek() == Some(&c) => drop(characters.next()),
            '$' | '%' if quoted && characters.peek() == Some(&'{') => {
                characters.next();
                open.push('{');
            }
            '\n' if quoted => drop(open.pop()),
            _ if quoted => {}
            '(' | '[' | '{' => open.push(c),
            ')' | ']' | '}' => drop(open.pop()),
            _ => {}
        }
    }
    let heredoc = text.split_once("<<").and_then(|(_, rest)| rest.split_once('\n').or(Some((rest, ""))));
    let heredoc_open = heredoc.is_some_and(|(mark, body)| {
        let mark = mark.trim_start_matches('-').trim();
        let is_mark = !mark.is_empty() && mark.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        is_mark && !body.lines().any(|line| line.trim() == mark)
    });
    heredoc_open || open.iter().any(|c| *c != '"')
}

#[cfg(test)]
mod tests {
    use super::is_open;

    #[test]
    fn open_brackets_ask_for_more() {
        for open in ["{", "[1,", "f(\"a)\"", "\"${[", "<<EOT", "<<-EOT\n x\n"] {
            assert!(is_open(open), "{open}");
        }
        for done in ["", "1", "[1]", "\"(\"", "\"$${\"", "\"\\\"(\"", "<<EOT\nx\nEOT", "1 < 2", ")", "\"abc"]
        {
            assert!(!is_open(done), "{done}");
        }
    }
}
