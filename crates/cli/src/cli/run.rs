//! From the arguments of the process to the command that they mean.

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches};
use terrane_model::{Diagnostic, Sources};

use super::{
    Apply, Cli, Command, Cost, Destroy, Global, Import, Lint, Plan, Refresh, Sandbox, Show, Variable,
    ViewFormat,
};
use crate::arguments::{extended, rewritten};
use crate::commands;
use crate::exit::{Ended, Exit, Problem};
use crate::render::stream;
use crate::stack::VERSION;
use crate::terminal::Terminal;

/// Reads the command line and carries the command out.
pub fn run() -> Exit {
    let set = |name: &str| std::env::var(name).ok();
    let arguments = match extended(std::env::args_os().collect(), set) {
        Ok(arguments) => rewritten(arguments),
        Err(error) => {
            Terminal::new(false, false, String::new()).report(&[error], &Sources::default());
            return Exit::Usage;
        }
    };
    let parsed = Cli::command().try_get_matches_from(arguments).and_then(|matches| {
        let cli = Cli::from_arg_matches(&matches)?;
        Ok((cli, matches))
    });
    let (mut cli, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            // What can't be written can't be said either.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    if let Some((_, matches)) = matches.subcommand() {
        put_in_order(&mut cli.command, matches);
    }
    let folder = cli.global.chdir.as_ref().map(|dir| dir.display().to_string()).unwrap_or_default();
    let terminal = Terminal::new(cli.global.no_color, cli.global.json, folder);
    // Where lines of JSON go, errors are among them.
    let streams = match &cli.command {
        Command::Plan(plan) => plan.json_stream,
        Command::Apply(_) | Command::Destroy(_) => cli.global.json,
        _ => false,
    };
    if streams {
        terminal.say(&stream::version(VERSION));
    }
    let ended = enter(&cli.global).and_then(|()| carry_out(cli, terminal.clone()));
    match ended {
        Ok(exit) => exit,
        Err(problem) => {
            if streams {
                terminal.say(&stream::diagnostics(&problem.diagnostics, &problem.sources));
            } else if !problem.diagnostics.is_empty() {
                terminal.report(&problem.diagnostics, &problem.sources);
            }
            problem.exit
        }
    }
}

fn enter(global: &Global) -> Result<(), Problem> {
    let Some(folder) = &global.chdir else { return Ok(()) };
    std::env::set_current_dir(folder).map_err(|error| {
        let detail = format!("The folder `{}` can't be entered: {error}.", folder.display());
        Diagnostic::error("no-folder", "Folder not accessible", detail).into()
    })
}

fn carry_out(cli: Cli, mut terminal: Terminal) -> Ended {
    let Cli { global, command } = cli;
    crate::backends::note_sandbox(global.sandbox);
    terminal.compact_warnings = match &command {
        Command::Validate(validate) => validate.compact_warnings,
        Command::Plan(Plan { planning, .. })
        | Command::Apply(Apply { planning, .. })
        | Command::Destroy(Destroy { planning, .. })
        | Command::Refresh(Refresh { planning, .. })
        | Command::Lint(Lint { planning, .. })
        | Command::Cost(Cost { planning, .. }) => planning.compact_warnings,
        _ => false,
    };
    if let Command::Show(Show { view, .. }) | Command::Plan(Plan { view, .. }) = &command {
        let is_document = matches!(view.format, ViewFormat::Markdown | ViewFormat::Html);
        if terminal.json && is_document {
            let detail = "`--json` asks for JSON, and `--format` for something else.";
            return Err(Problem::usage(Diagnostic::error("two-formats", "Two formats", detail)));
        }
        terminal.json |= view.format == ViewFormat::Json;
    }
    if let Command::Plan(plan) = &command {
        terminal.json |= plan.json_stream;
    }
    match command {
        Command::Schema => commands::schema::run(&terminal),
        Command::Version => commands::version::run(&terminal),
        Command::Completions { shell } => commands::completions::run(shell, &terminal),
        Command::Init { .. } => commands::init::run(&terminal),
        Command::Validate(arguments) => commands::validate::run(&arguments, &terminal),
        Command::Lint(arguments) => commands::lint::run(&global, &arguments, &terminal),
        Command::Convert(arguments) => commands::convert::run(&arguments, &terminal),
        Command::Fmt(arguments) => commands::fmt::run(&arguments, &terminal),
        Command::Console { variables } => commands::console::run(&variables, &terminal),
        Command::Graph { format, plan } => commands::graph::run(format, plan.as_deref(), &terminal),
        Command::Access(arguments) => commands::access::run(&global, &arguments, &terminal),
        Command::Cost(arguments) => commands::cost::run(&global, &arguments, &terminal),
        Command::Plan(arguments) => commands::plan::run(&global, arguments, &terminal),
        Command::Apply(arguments) => commands::apply::run(&global, arguments, &terminal),
        Command::Destroy(arguments) => commands::destroy::run(&global, arguments, &terminal),
        Command::Refresh(Refresh { planning }) => commands::apply::refresh(&global, &planning, &terminal),
        Command::Import(arguments) => commands::import::run(&global, &arguments, &terminal),
        Command::Show(arguments) => commands::show::run(&arguments, &terminal),
        Command::Output { name, raw } => commands::output::run(name.as_deref(), raw, &terminal),
        Command::State(state) => commands::state::run(state, &terminal),
        Command::Workspace(workspace) => commands::workspace::run(workspace, &terminal),
        Command::Taint(arguments) => commands::taint::taint(&arguments, &terminal),
        Command::Untaint(arguments) => commands::taint::untaint(&arguments, &terminal),
        Command::ForceUnlock { id, force } => commands::force_unlock::run(&id, force, &terminal),
        Command::Sandbox(Sandbox::Serve { port, test_key }) => {
            commands::sandbox::serve(port, test_key, &terminal)
        }
        Command::Sandbox(Sandbox::Reset { force }) => commands::sandbox::reset(force, &terminal),
        Command::Sandbox(Sandbox::Probe { user, table }) => commands::probe::run(&user, table, &terminal),
    }
}

/// Puts `--var` and `--var-file` into the order of the command line: the later one wins.
fn put_in_order(command: &mut Command, matches: &ArgMatches) {
    let variables = match command {
        Command::Plan(Plan { planning, .. })
        | Command::Apply(Apply { planning, .. })
        | Command::Destroy(Destroy { planning, .. })
        | Command::Refresh(Refresh { planning, .. })
        | Command::Lint(Lint { planning, .. })
        | Command::Cost(Cost { planning, .. }) => &mut planning.variables,
        Command::Console { variables } | Command::Import(Import { variables, .. }) => variables,
        Command::Access(access) => access.variables(),
        _ => return,
    };
    // The flags of `access can` are its own.
    let matches = matches.subcommand().map_or(matches, |(_, inner)| inner);
    let given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let indices = |id: &str| -> Vec<usize> {
        if given(id) { matches.indices_of(id).into_iter().flatten().collect() } else { vec![] }
    };
    let values = indices("var").into_iter().zip(variables.var.drain(..).map(Variable::Value));
    let files = indices("var_file").into_iter().zip(variables.var_file.drain(..).map(Variable::File));
    let mut ordered: Vec<(usize, Variable)> = values.chain(files).collect();
    ordered.sort_by_key(|(index, _)| *index);
    variables.ordered = ordered.into_iter().map(|(_, variable)| variable).collect();
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::time::Duration;

    use super::*;
    use crate::cli::Access;

    fn parse(arguments: &[&str]) -> Result<Cli, clap::Error> {
        let all = rewritten(std::iter::once("terrane").chain(arguments.iter().copied()).map(OsString::from));
        let matches = Cli::command().try_get_matches_from(all)?;
        let mut cli = Cli::from_arg_matches(&matches)?;
        if let Some((_, matches)) = matches.subcommand() {
            put_in_order(&mut cli.command, matches);
        }
        Ok(cli)
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn terraforms_way_of_writing_flags() {
        let cli =
            parse(&["-chdir=x", "apply", "-auto-approve", "-input=false", "-lock=false", "-lock-timeout=2s"])
                .unwrap();
        let Command::Apply(apply) = cli.command else { panic!() };
        assert!(apply.applying.auto_approve && !apply.planning.variables.input && !apply.planning.lock.lock);
        assert_eq!(apply.planning.lock.lock_timeout, Duration::from_secs(2));
        assert_eq!(cli.global.chdir, Some("x".into()));
    }

    #[test]
    fn variables_keep_their_order() {
        let cli = parse(&["plan", "--var", "a=1", "-var-file=f", "-var", "a=2"]).unwrap();
        let Command::Plan(plan) = cli.command else { panic!() };
        let shown: Vec<String> = plan.planning.variables.ordered.iter().map(|v| format!("{v:?}")).collect();
        assert_eq!(shown, [r#"Value("a=1")"#, r#"File("f")"#, r#"Value("a=2")"#]);
        let cli = parse(&["access", "verify", "-var-file=f", "-var", "a=2", "-write"]).unwrap();
        let Command::Access(Access::Verify(verify)) = cli.command else { panic!() };
        let shown: Vec<String> = verify.variables.ordered.iter().map(|v| format!("{v:?}")).collect();
        assert_eq!(shown, [r#"File("f")"#, r#"Value("a=2")"#]);
    }

    #[test]
    fn wrong_usage() {
        for bad in [
            &["plan", "--parallelism", "0"][..],
            &["plan", "--replace", "nonsense"],
            &["plan", "--destroy", "--refresh-only"],
            &["output", "--raw"],
            &["plan", "--lock-timeout", "soon"],
            &["frobnicate"],
        ] {
            assert!(parse(bad).is_err_and(|error| error.use_stderr()), "{bad:?}");
        }
    }
}
