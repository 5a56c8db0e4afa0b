//! What the commands that plan and apply take: which part, which variables, which lock.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};
use terrane_model::{Address, Selector};

use crate::arguments::{at_least_one, duration, truth};

#[derive(Debug, Args)]
pub struct Applying {
    /// Don't ask before carrying the plan out
    #[arg(long, value_parser = truth, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          default_value = "false", hide_default_value = true)]
    pub auto_approve: bool,
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
    /// Go on though nobody, or not the caller, could manage this key afterwards
    #[arg(long, value_name = "ADDRESS")]
    pub allow_lockout: Vec<Address>,
    /// Delete this key though data that the plan does not delete is lost with it
    #[arg(long, value_name = "ADDRESS")]
    pub allow_key_deletion: Vec<Address>,
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
    /// How many objects are read and changed at once; 20 and 10 unless said
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub parallelism: Option<usize>,
    /// Tell warnings in short
    #[arg(long)]
    pub compact_warnings: bool,
    #[command(flatten)]
    pub variables: Variables,
    #[command(flatten)]
    pub lock: Lock,
}

impl Planning {
    /// How many objects are read at once. Reading disturbs nobody, and what is throttled is asked for again.
    pub fn reads(&self) -> usize {
        self.parallelism.unwrap_or(20)
    }

    /// How many objects are changed at once.
    pub fn changes(&self) -> usize {
        self.parallelism.unwrap_or(10)
    }
}

#[derive(Debug, Args)]
pub struct Variables {
    /// Set a variable
    #[arg(long, value_name = "NAME=VALUE")]
    pub(super) var: Vec<String>,
    /// Set variables from this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) var_file: Vec<PathBuf>,
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
