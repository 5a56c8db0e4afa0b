//! The command line: what can be given, and which command it leads to.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueHint};
use terrane_model::{Address, Diagnostic, Selector, Sources};

use crate::arguments::{at_least_one, duration, extended, rewritten, truth};
use crate::commands;
use crate::commands::state::State;
use crate::commands::workspace::Workspace;
use crate::exit::{Ended, Exit, Problem};
use crate::render::stream;
use crate::terminal::Terminal;

/// A declarative engine for AWS
#[derive(Debug, Parser)]
#[command(name = "terrane", version, about, max_term_width = 110, args_override_self = true)]
#[command(after_help = "Flags carry Terraform's names, and `-flag` is taken as `--flag`.")]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command takes.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// Work in this folder instead of the current one
    #[arg(short = 'C', long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub chdir: Option<PathBuf>,
    /// Work in the embedded AWS: no account, no network
    #[arg(long, global = true, value_name = "BOOL", env = "TERRANE_SANDBOX", value_parser = truth, num_args = 0..=1,
          require_equals = true, default_missing_value = "true", default_value = "false", hide_env_values = true,
          hide_default_value = true, hide_possible_values = true)]
    pub sandbox: bool,
    /// Write without colours
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Write JSON for tools
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find what is wrong in the spec, without any call
    Validate(Validate),
    /// Lay out the files of the spec
    Fmt(Fmt),
    /// Show what would change
    Plan(Plan),
    /// Carry out a saved plan, or plan, ask and carry out
    Apply(Apply),
    /// Delete everything that the state has
    Destroy(Destroy),
    /// Bring the state to what is there
    Refresh(Refresh),
    /// Take an object that exists into the state
    Import(Import),
    /// Show a saved plan, or the state
    Show(Show),
    /// Show outputs
    Output {
        /// The output; without one, all are shown
        name: Option<String>,
        /// Write the text of a string, number or bool as it is
        #[arg(long, requires = "name", conflicts_with = "json")]
        raw: bool,
    },
    /// Look at the state, and move things in it
    #[command(subcommand)]
    State(State),
    /// Several states of one spec
    #[command(subcommand)]
    Workspace(Workspace),
    /// Mark an object as one to be made anew by the next apply
    Taint(Taint),
    /// Take off the mark that an object is to be made anew
    Untaint(Taint),
    /// Take away the lock of a process that is gone
    ForceUnlock {
        /// The lock's id, as the error says it
        id: String,
        /// Don't ask
        #[arg(long)]
        force: bool,
    },
    /// Evaluate expressions over variables and state
    Console {
        #[command(flatten)]
        variables: Variables,
    },
    /// Draw what needs what
    Graph {
        /// How it is written
        #[arg(long, value_enum, default_value_t = GraphFormat::Dot)]
        format: GraphFormat,
        /// Draw this saved plan, with what becomes of each resource
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        plan: Option<PathBuf>,
    },
    /// Say what the stack costs a month, and what the plan changes about it
    Cost(Cost),
    /// Who can do what: questions about the planned stack, or about the state
    #[command(subcommand)]
    Access(Access),
    /// The embedded AWS for other programs, and what it shows
    #[command(subcommand)]
    Sandbox(Sandbox),
    /// Write the JSON Schema of the spec, for editors
    Schema,
    /// Say which version this is
    Version,
    /// Write completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Say that nothing has to be initialised
    #[command(hide = true)]
    Init {
        /// Whatever Terraform's init takes
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        anything: Vec<OsString>,
    },
}

#[derive(Debug, Args)]
pub struct Validate {
    /// Tell warnings in short
    #[arg(long)]
    pub compact_warnings: bool,
}

#[derive(Debug, Args)]
pub struct Fmt {
    /// Files and folders; `-` reads standard input. Without any, the current folder
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Write nothing; fail when a file is not laid out
    #[arg(long)]
    pub check: bool,
    /// Show what changes
    #[arg(long)]
    pub diff: bool,
    /// Look into folders inside of folders
    #[arg(long)]
    pub recursive: bool,
}

#[derive(Debug, Args)]
pub struct Plan {
    /// Save the plan in this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// Plan to delete everything
    #[arg(long)]
    pub destroy: bool,
    /// Plan only to bring the state to what is there
    #[arg(long, conflicts_with = "destroy")]
    pub refresh_only: bool,
    /// Answer 2 when there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Write what happens as lines of JSON, as `apply --json` does
    #[arg(long, conflicts_with_all = ["json", "format", "title"])]
    pub json_stream: bool,
    #[command(flatten)]
    pub view: View,
    #[command(flatten)]
    pub planning: Planning,
}

#[derive(Debug, Args)]
pub struct Show {
    /// A saved plan; without one, the state is shown
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub view: View,
}

/// How a plan is written.
#[derive(Debug, Args)]
pub struct View {
    /// How it is written
    #[arg(long, value_enum, default_value_t = ViewFormat::Text, hide_default_value = true)]
    pub format: ViewFormat,
    /// What a review is called; tells one stack's comment from another's
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
}

#[derive(Debug, Args)]
pub struct Apply {
    /// A saved plan
    #[arg(value_name = "PLANFILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// Delete everything
    #[arg(long)]
    pub destroy: bool,
    /// Only bring the state to what is there
    #[arg(long, conflicts_with = "destroy")]
    pub refresh_only: bool,
    #[command(flatten)]
    pub applying: Applying,
    #[command(flatten)]
    pub planning: Planning,
}

#[derive(Debug, Args)]
pub struct Destroy {
    #[command(flatten)]
    pub applying: Applying,
    #[command(flatten)]
    pub planning: Planning,
}

#[derive(Debug, Subcommand)]
pub enum Access {
    /// Say who can do something to a resource
    WhoCan {
        /// Such as `dynamodb:GetItem`
        action: String,
        /// An address of the stack, or an ARN
        resource: String,
        #[command(flatten)]
        view: AccessView,
    },
    /// Say whether somebody can do something to a resource
    Can {
        /// An address of the stack, an ARN, or `*`
        principal: String,
        /// Such as `dynamodb:GetItem`
        action: String,
        /// An address of the stack, or an ARN
        resource: String,
        #[command(flatten)]
        view: AccessView,
    },
    /// Show every statement that led to an answer
    Explain {
        /// An address of the stack, an ARN, or `*`
        principal: String,
        /// Such as `dynamodb:GetItem`
        action: String,
        /// An address of the stack, or an ARN
        resource: String,
        #[command(flatten)]
        view: AccessView,
    },
    /// Show who can do what to every table, key and role of the stack
    Matrix {
        /// How to write it
        #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
        format: MatrixFormat,
        #[command(flatten)]
        view: AccessView,
    },
    /// Say who gains and who loses what by the plan
    Diff {
        #[command(flatten)]
        view: AccessView,
    },
}

/// What a question about access is answered from.
#[derive(Debug, Args)]
pub struct AccessView {
    /// A saved plan; without one, a plan is made
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub plan: Option<PathBuf>,
    /// Look at the state as it is, without a plan and without a call
    #[arg(long, conflicts_with = "plan")]
    pub state: bool,
    /// A condition key that the request carries, such as `aws:SourceIp=203.0.113.7`
    #[arg(long, value_name = "KEY=VALUE")]
    pub context: Vec<String>,
    /// End with 2 unless everything asked for is allowed
    #[arg(long)]
    pub detailed_exitcode: bool,
    #[command(flatten)]
    pub planning: Planning,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum MatrixFormat {
    /// For a terminal
    Text,
    /// For a pull request or a page
    Markdown,
}

#[derive(Debug, Args)]
pub struct Taint {
    /// The object
    pub address: Address,
    /// Succeed though there is no such object
    #[arg(long)]
    pub allow_missing: bool,
    #[command(flatten)]
    pub lock: Lock,
}

#[derive(Debug, Args)]
pub struct Cost {
    /// A saved plan or a state; without one, a plan is made
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// Figures of the usage: what is stored and asked for
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub usage: Option<PathBuf>,
    /// Price the state as it is, without a plan and without a call
    #[arg(long, conflicts_with = "file")]
    pub state: bool,
    #[command(flatten)]
    pub planning: Planning,
}

#[derive(Debug, Args)]
pub struct Applying {
    /// Don't ask before carrying the plan out
    #[arg(long, value_parser = truth, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          default_value = "false", hide_default_value = true)]
    pub auto_approve: bool,
}

#[derive(Debug, Args)]
pub struct Refresh {
    #[command(flatten)]
    pub planning: Planning,
}

#[derive(Debug, Args)]
pub struct Import {
    /// The instance that the object becomes; its resource is declared in the spec
    #[arg(value_name = "ADDR")]
    pub address: Address,
    /// What the object is found by, such as a table's name
    pub id: String,
    #[command(flatten)]
    pub variables: Variables,
    #[command(flatten)]
    pub lock: Lock,
}

/// What planning takes.
#[derive(Debug, Args)]
pub struct Planning {
    /// Look at what is there before planning
    #[arg(long, value_name = "BOOL", value_parser = truth, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", default_value = "true")]
    pub refresh: bool,
    /// Replace this object though nothing forces it
    #[arg(long, value_name = "ADDRESS")]
    pub replace: Vec<Address>,
    /// Go on though nobody could manage this key afterwards
    #[arg(long, value_name = "ADDRESS")]
    pub allow_lockout: Vec<Address>,
    /// Allow this object, or all of a resource, to be deleted though it is protected by `prevent_destroy`
    #[arg(long, value_name = "ADDRESS")]
    pub allow_destroy: Vec<Address>,
    /// Plan only this and what it depends on: a resource, an instance, a module, or a glob such as `aws_kms_key.*`
    #[arg(long, value_name = "ADDRESS")]
    pub target: Vec<Selector>,
    /// Plan what depends on the targets, too
    #[arg(long, requires = "target")]
    pub target_dependents: bool,
    /// Leave this out, and what depends on it
    #[arg(long, value_name = "ADDRESS", conflicts_with = "target")]
    pub exclude: Vec<Selector>,
    /// How many calls and actions at once
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = at_least_one)]
    pub parallelism: usize,
    /// Tell warnings in short
    #[arg(long)]
    pub compact_warnings: bool,
    #[command(flatten)]
    pub variables: Variables,
    #[command(flatten)]
    pub lock: Lock,
}

#[derive(Debug, Args)]
pub struct Variables {
    /// Set a variable
    #[arg(long, value_name = "NAME=VALUE")]
    var: Vec<String>,
    /// Set variables from this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    var_file: Vec<PathBuf>,
    /// Ask for missing variables
    #[arg(long, value_name = "BOOL", value_parser = truth, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", default_value = "true")]
    pub input: bool,
    /// Both, in the order in which they were given.
    #[arg(skip)]
    pub ordered: Vec<Variable>,
}

/// `--var` or `--var-file`.
#[derive(Clone, Debug)]
pub enum Variable {
    Value(String),
    File(PathBuf),
}

#[derive(Debug, Args)]
pub struct Lock {
    /// Lock the state meanwhile
    #[arg(long, value_name = "BOOL", value_parser = truth, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", default_value = "true")]
    pub lock: bool,
    /// How long to wait for a lock that somebody else has, such as `60s`
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "0s")]
    pub lock_timeout: Duration,
}

#[derive(Debug, Subcommand)]
pub enum Sandbox {
    /// Offer the stack's sandbox over HTTP on loopback
    Serve {
        /// The port; 0 takes a free one
        #[arg(long, default_value_t = 4600)]
        port: u16,
        /// Let the access key `test`, which other programs often have for local endpoints, be the administrator's
        #[arg(long, value_parser = truth, num_args = 0..=1, require_equals = true, default_missing_value = "true",
              default_value = "true", value_name = "BOOL")]
        test_key: bool,
    },
    /// Forget everything that is in the stack's sandbox
    Reset {
        /// Don't ask
        #[arg(long)]
        force: bool,
    },
    /// Show who can read: one item in each table, read as the user and as the identity that deploys
    Probe {
        /// The user
        #[arg(long)]
        user: String,
        /// A table; without any, all tables of the state
        #[arg(long, value_name = "NAME")]
        table: Vec<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ViewFormat {
    /// For people at a terminal
    Text,
    /// For tools, as Terraform writes it
    Json,
    /// A comment for a pull request
    Markdown,
    /// A page for a browser
    Html,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum GraphFormat {
    /// For Graphviz
    Dot,
    /// For Mermaid
    Mermaid,
    /// A picture
    Svg,
}

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
        Command::Validate(_) => commands::validate::run(&terminal),
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
        | Command::Cost(Cost { planning, .. }) => &mut planning.variables,
        Command::Console { variables } | Command::Import(Import { variables, .. }) => variables,
        _ => return,
    };
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
    use super::*;

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
