//! One file per command.

pub mod access;
pub mod access_log;
pub mod apply;
pub mod completions;
pub mod console;
pub mod cost;
pub mod destroy;
pub mod fmt;
pub mod force_unlock;
pub mod graph;
pub mod import;
pub mod init;
pub mod migrate;
pub mod output;
pub mod plan;
pub mod probe;
pub mod review;
pub mod sandbox;
pub mod schema;
pub mod show;
pub mod state;
pub mod taint;
pub mod validate;
pub mod verify;
pub mod version;
pub mod workspace;
