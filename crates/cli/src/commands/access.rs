//! `terrane access`: who can do what, by the plan or by the state.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use terrane_access::reach::resources;
use terrane_access::{Estate, Matrix, Question, difference, matrix};
use terrane_iam::Answer;
use terrane_model::nearest::nearest;
use terrane_model::secret::Secrets;
use terrane_model::{Diagnostic, Diagnostics};
use terrane_plan::access::{
    Surroundings, estate, objects_of, of_plan, organization, overlooked, secrets_of_plan, secrets_of_state,
};
use terrane_plan::plan::Mode;
use terrane_provider::Catalog;
use terrane_reconcile::Stop;
use terrane_state::{Snapshot, Store};

use crate::cli::{Access as Arguments, AccessView, Global, MatrixFormat};
use crate::exit::{Ended, Exit, Problem};
use crate::functions;
use crate::progress::Progress;
use crate::render::{access_json, access_page, access_text, access_view};
use crate::session;
use crate::signals;
use crate::stack::{Stack, folder_settings, state_backend};
use crate::terminal::Terminal;
use crate::work::{Work, block_on, current_folder, now};

/// What stands before and after a plan; the same twice where there is none.
struct Sides {
    before: Estate,
    after: Estate,
    /// Objects of the state that bear on access and are not looked at.
    overlooked: Vec<String>,
    /// What no answer shows, though names and ARNs may be made from it.
    secrets: Secrets,
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments, terminal: &Terminal) -> Ended {
    match arguments {
        Arguments::WhoCan { view, .. }
        | Arguments::Can { view, .. }
        | Arguments::Explain { view, .. }
        | Arguments::Matrix { view, .. }
        | Arguments::Diff { view } => asked(global, arguments, view, terminal),
        Arguments::Verify(verify) => super::verify::run(global, verify, terminal),
        Arguments::Log(log) => super::access_log::run(global, log, terminal),
    }
}

/// Answers a question.
fn asked(global: &Global, arguments: &Arguments, view: &AccessView, terminal: &Terminal) -> Ended {
    let context = context(&view.context)?;
    let sides = sides(global, view, terminal)?;
    let estate = &sides.after;
    let all_allowed = match arguments {
        Arguments::WhoCan { action, resource, .. } => {
            let resource = resource_of(estate, resource)?;
            let answers = everybody(estate, known_action(action)?, &resource, &context);
            let none = answers.is_empty();
            say(
                terminal,
                &sides.secrets,
                &match terminal.json {
                    true => format!("{}\n", access_json::who_can(estate, action, &resource, &answers)),
                    false => access_view::who_can(estate, action, &resource, &answers, terminal.paint),
                },
            );
            !none
        }
        Arguments::Can { principal, action, resource, .. }
        | Arguments::Explain { principal, action, resource, .. } => {
            let explain = matches!(arguments, Arguments::Explain { .. });
            let resource = resource_of(estate, resource)?;
            let arn = principal_of(estate, principal)?;
            let found = estate.somebody(&arn);
            let question = Question {
                principal: &found,
                action: known_action(action)?,
                resource: &resource,
                context: &context,
            };
            let answered = estate.ask(&question);
            say(
                terminal,
                &sides.secrets,
                &match terminal.json {
                    true => format!("{}\n", access_json::answered(estate, &question, &answered)),
                    false => access_view::answered(estate, &question, &answered, explain, terminal.paint),
                },
            );
            answered.answer == Answer::Allowed
        }
        Arguments::Matrix { format, .. } => {
            let resources = resources(estate);
            let Matrix { rights, asked } = matrix(estate, &resources);
            say(
                terminal,
                &sides.secrets,
                &match (terminal.json, format) {
                    (true, _) => {
                        format!("{}\n", access_json::matrix(estate, &rights, asked, &sides.overlooked))
                    }
                    (false, MatrixFormat::Text) => {
                        access_view::matrix(estate, &resources, &rights, &sides.overlooked, terminal.paint)
                    }
                    (false, MatrixFormat::Markdown) => {
                        access_view::markdown(estate, &resources, &rights, &sides.overlooked)
                    }
                    (false, MatrixFormat::Html) => access_page::page(&access_page::Contents {
                        estate,
                        resources: &resources,
                        rights: &rights,
                        asked,
                        overlooked: &sides.overlooked,
                    }),
                },
            );
            true
        }
        Arguments::Diff { .. } => {
            let changes = difference(&sides.before, &sides.after);
            say(
                terminal,
                &sides.secrets,
                &match terminal.json {
                    true => {
                        format!("{}\n", serde_json::json!({ "format_version": "1.0", "changes": changes }))
                    }
                    false => access_text::changes(&changes, terminal.paint),
                },
            );
            changes.is_empty()
        }
        Arguments::Verify(_) | Arguments::Log(_) => true,
    };
    let told_already = matches!(arguments, Arguments::Matrix { .. }) || terminal.json;
    if let Some(note) = access_view::unseen(&sides.overlooked).filter(|_| !told_already) {
        terminal.say(&format!("\n{note}\n"));
    }
    Ok(if view.detailed_exitcode && !all_allowed { Exit::Changes } else { Exit::Done })
}

fn sides(global: &Global, view: &AccessView, terminal: &Terminal) -> Result<Sides, Problem> {
    let catalog = session::catalog();
    if view.state {
        let mut backend = state_backend()?;
        let snapshot = Store::peek(backend.as_mut())?;
        let secrets = snapshot.as_ref().map(|snapshot| secrets_of_state(snapshot, &catalog));
        let secrets = secrets.unwrap_or_default();
        let objects = snapshot.as_ref().map(|snapshot| objects_of(snapshot, &catalog)).unwrap_or_default();
        let overlooked = snapshot.as_ref().map(|snapshot| named(snapshot, &catalog)).unwrap_or_default();
        let (module, sources) = folder_settings()?;
        let mut wrong = Diagnostics::new();
        let functions = functions::planning(&current_folder()?, &now());
        let organization = organization(&module.settings, &functions, &mut wrong);
        terminal.report(&wrong, &sources);
        let around = Surroundings { organization: Some(&organization), ..Surroundings::default() };
        let estate = estate(&objects, around);
        return Ok(Sides { before: estate.clone(), after: estate, overlooked, secrets });
    }
    let folder = current_folder()?;
    if let Some(file) = &view.plan {
        let (plan, envelope) = super::apply::load(file)?;
        let files = envelope.spec_files.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
        let functions = functions::planning(&folder, &envelope.created);
        let stack = Stack::of_plan(&plan, files, &catalog, &functions)?;
        let (before, after) = of_plan(&plan, &stack.spec, &catalog, &functions)
            .map_err(|errors| Problem::new(errors, &stack.spec.sources))?;
        let secrets = secrets_of_plan(&plan, &catalog);
        return Ok(Sides { before, after, overlooked: named(&plan.refreshed, &catalog), secrets });
    }
    let mut work = Work::begin(global, &view.planning, "OperationTypePlan", terminal)?;
    work.only_look = true;
    let planned = block_on(async {
        let stop = Stop::default();
        signals::listen(&stop, terminal);
        let progress = Progress::silent(terminal);
        work.connect_and_plan(Mode::Normal, &view.planning, &progress, &stop).await
    });
    let sides = planned.and_then(|(_, plan)| {
        let functions = functions::planning(&folder, &work.plan_time);
        let found = of_plan(&plan, &work.stack.spec, &catalog, &functions);
        let secrets = secrets_of_plan(&plan, &catalog);
        let (before, after) = found.map_err(|errors| work.problem(errors))?;
        Ok(Sides { before, after, overlooked: named(&plan.refreshed, &catalog), secrets })
    });
    work.leave()?;
    sides
}

/// The addresses of what is not looked at.
fn named(snapshot: &Snapshot, catalog: &Catalog) -> Vec<String> {
    overlooked(snapshot, catalog).iter().map(ToString::to_string).collect()
}

/// Says an answer, with nothing in it that is sensitive.
fn say(terminal: &Terminal, secrets: &Secrets, answer: &str) {
    match serde_json::from_str::<Json>(answer) {
        Ok(json) if terminal.json => terminal.say(&format!("{}\n", hidden(json, secrets))),
        _ => terminal.say(&secrets.hide(answer)),
    }
}

fn hidden(json: Json, secrets: &Secrets) -> Json {
    match json {
        Json::String(text) => Json::String(secrets.hide(&text)),
        Json::Array(all) => all.into_iter().map(|json| hidden(json, secrets)).collect(),
        Json::Object(fields) => {
            fields.into_iter().map(|(name, json)| (secrets.hide(&name), hidden(json, secrets))).collect()
        }
        other => other,
    }
}

/// The ARN of a resource that the user names.
fn resource_of(estate: &Estate, name: &str) -> Result<String, Problem> {
    estate.arn_of(name).map(str::to_owned).ok_or_else(|| unknown("resource", name, estate))
}

/// The ARN of a principal that the user names; the name of a service stands for itself.
fn principal_of(estate: &Estate, name: &str) -> Result<String, Problem> {
    if name.ends_with(".amazonaws.com") {
        return Ok(name.to_owned());
    }
    estate.arn_of(name).map(str::to_owned).ok_or_else(|| unknown("principal", name, estate))
}

fn unknown(what: &str, name: &str, estate: &Estate) -> Problem {
    let near = nearest(name, estate.addresses());
    let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
    let detail = format!("`{name}` is neither an ARN nor the address of a {what} in this stack.{near}");
    Problem::from(
        Diagnostic::error("unknown-address", "Unknown address", detail)
            .hint("Addresses are those of users, roles, keys and tables: `terrane state list` names them."),
    )
}

fn known_action(action: &str) -> Result<&str, Problem> {
    let whole = action.split_once(':').is_some_and(|(service, name)| {
        !service.is_empty() && !name.is_empty() && !name.contains(['*', '?', ' '])
    });
    if whole {
        return Ok(action);
    }
    let detail =
        format!("`{action}` is not an action. An action has a service and a name, such as `kms:Decrypt`.");
    Err(Problem::usage(Diagnostic::error("invalid-action", "Invalid action", detail)))
}

fn context(given: &[String]) -> Result<Vec<(String, Vec<String>)>, Problem> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for text in given {
        let Some((key, value)) = text.split_once('=') else {
            let detail =
                format!("`--context {text}` has no `=`. Give a condition key and its value: KEY=VALUE.");
            return Err(Problem::usage(Diagnostic::error(
                "invalid-context",
                "Invalid condition key",
                detail,
            )));
        };
        found.entry(key.to_owned()).or_default().push(value.to_owned());
    }
    Ok(found.into_iter().collect())
}

/// Everybody's answers that are not a sure no, by the principal's number.
fn everybody(
    estate: &Estate,
    action: &str,
    resource: &str,
    context: &[(String, Vec<String>)],
) -> Vec<(usize, terrane_access::Answered)> {
    let ask = |principal| estate.ask(&Question { principal, action, resource, context });
    let all = estate.principals.iter().enumerate().map(|(number, principal)| (number, ask(principal)));
    all.filter(|(_, answered)| !matches!(answered.answer, Answer::Denied(_))).collect()
}
