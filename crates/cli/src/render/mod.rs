//! How everything looks: text for people, JSON for tools. Functions of values alone: nothing is printed here.

pub mod access_json;
pub mod access_log;
pub mod access_page;
pub mod access_review;
pub mod access_text;
pub mod access_view;
pub mod paint;
pub mod verify_json;
pub mod verify_text;

pub mod value_text;

pub mod difference;

pub mod tree_text;

pub mod policy;

pub mod object;

pub mod permissions;

pub mod change_text;

pub mod outputs;

pub mod plan_text;

pub mod report;

pub mod state;

pub mod diagnostics;

pub mod events;

pub mod diagnostics_json;

pub mod state_json;

pub mod configuration_json;

pub mod relevant_json;

pub mod plan_json;

pub mod json_schema;

pub mod losses;

pub mod lint;

pub mod sarif;

pub mod cost;

pub mod cost_json;

pub mod stream;

pub mod drawing;

pub mod review;

pub mod annotations;
