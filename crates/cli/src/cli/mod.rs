//! The command line: what can be given, and which command it leads to.

mod access;
mod planning;
mod run;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};
use terrane_model::Address;

pub use self::access::{Access, AccessView, Log, MatrixFormat, Verify};
pub use self::planning::{Applying, Lock, Planning, Variable, Variables};
pub use self::run::run;
use crate::arguments::truth;
use crate::commands::state::State;
use crate::commands::workspace::Workspace;

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
    /// Make a spec of Terraform's files
    Convert(Convert),
    /// Find what is allowed and yet probably not meant
    Lint(Lint),
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
    /// Write errors, warnings and findings of the lint to this file, as SARIF 2.1.0
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub sarif: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Lint {
    /// A saved plan; without one, a plan is made
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// Write the findings to this file, as SARIF 2.1.0
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub sarif: Option<PathBuf>,
    /// Answer 2 when there are findings that are not silenced
    #[arg(long)]
    pub detailed_exitcode: bool,
    #[command(flatten)]
    pub planning: Planning,
}

#[derive(Debug, Args)]
pub struct Convert {
    /// A folder with files of Terraform; or one file, or `-` for standard input, of which the text is written to standard
    /// output. Without any, the current folder
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub path: Option<PathBuf>,
    /// Write over files that are there
    #[arg(long)]
    pub force: bool,
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
    /// Write resources for imports that lead to none into this new file of the spec
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath,
          conflicts_with_all = ["destroy", "refresh_only", "target", "exclude"])]
    pub generate_config_out: Option<PathBuf>,
    /// Write the policy that exactly this plan needs, instead of the plan
    #[arg(long, conflicts_with_all = ["json", "json_stream", "format", "title"])]
    pub permissions: bool,
    /// Write errors, warnings and findings of the lint to this file, as SARIF 2.1.0
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub sarif: Option<PathBuf>,
    /// Answer 1 when the lint has findings that are not silenced
    #[arg(long)]
    pub fail_on_lint: bool,
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
    /// Write the policy that exactly this plan needs, instead of the plan
    #[arg(long, requires = "file", conflicts_with_all = ["json", "format", "title"])]
    pub permissions: bool,
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
