//! The questions about access, as they are given on the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use crate::arguments::{Since, since};

use super::{Applying, Lock, Planning, Variables};

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
    /// Carry the assertions out for real, as the users and roles that they speak of
    Verify(Verify),
    /// Show what the audit trail saw of the stack's keys and tables
    Log(Log),
}

impl Access {
    /// The variables that were given.
    pub(super) fn variables(&mut self) -> &mut Variables {
        match self {
            Access::WhoCan { view, .. }
            | Access::Can { view, .. }
            | Access::Explain { view, .. }
            | Access::Matrix { view, .. }
            | Access::Diff { view } => &mut view.planning.variables,
            Access::Verify(verify) => &mut verify.variables,
            Access::Log(log) => &mut log.variables,
        }
    }
}

/// How assertions are carried out.
#[derive(Debug, Args)]
pub struct Verify {
    /// Try writes, too: with conditions that no item fulfils, so that nothing is written
    #[arg(long)]
    pub write: bool,
    /// End with 2 when something could not be tried, and all else is as asserted
    #[arg(long)]
    pub detailed_exitcode: bool,
    #[command(flatten)]
    pub applying: Applying,
    #[command(flatten)]
    pub variables: Variables,
    #[command(flatten)]
    pub lock: Lock,
}

/// What is looked up in the audit trail.
#[derive(Debug, Args)]
pub struct Log {
    /// Since when: a duration such as `90m`, `24h` or `7d`, or a time such as `2026-11-24T09:00:00Z`
    #[arg(long, value_name = "SINCE", value_parser = since, default_value = "24h")]
    pub since: Since,
    /// Only calls that were refused or failed
    #[arg(long)]
    pub errors: bool,
    /// Only calls by this user or role: an address of the stack, or an ARN
    #[arg(long, value_name = "PRINCIPAL")]
    pub principal: Option<String>,
    #[command(flatten)]
    pub variables: Variables,
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
    /// One page with filters, for a browser
    Html,
}
